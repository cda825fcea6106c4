"""A build whose scrubber cannot be loaded: it says so, and takes no work it could only spoil."""

from dataclasses import replace

from service.scrubbing import SoonScrubber
from tests.driving import Town
from tests.fakes import NamedScrubber


def missing() -> NamedScrubber:
    raise FileNotFoundError("no tagger")


async def test_it_is_not_ready_and_no_model_sees_a_word(here: Town) -> None:
    here.ports = replace(here.ports, scrubber=SoonScrubber(missing))
    here.restart()
    session = await here.drafted()
    ready = await here.http.get("/readyz")
    assert (ready.status_code, ready.json()["checks"]["scrub"]) == (503, "down")
    assert here.engine.prompts == []
    assert (await here.desk("ada", session))["draft"]["source"] == "template"


async def test_it_is_ready_with_a_scrubber(here: Town) -> None:
    here.ports = replace(here.ports, scrubber=SoonScrubber(NamedScrubber))
    here.restart()
    await here.drafted()
    ready = await here.http.get("/readyz")
    assert (ready.status_code, ready.json()["checks"]["scrub"]) == (200, "ok")

"""Two texts scrubbed at the same moment never share a stand-in, and a refused hint leaves none."""

import asyncio
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from safety.risk import Language
from safety.scrub import Scrubbed
from safety.surrogates import Surrogates
from tests.driving import Town
from tests.fakes import NamedScrubber
from tests.planning import correct


@dataclass
class Slow:
    """The scrubber, which keeps what it was told of ``slow`` back until others have scrubbed."""

    inner: NamedScrubber
    slow: str
    asked: threading.Event = field(default_factory=threading.Event)
    goes_on: threading.Event = field(default_factory=threading.Event)

    def scrub(self, text: str, language: Language, surrogates: Surrogates) -> Scrubbed:
        """Scrub as ever, only later."""
        done = self.inner.scrub(text, language, surrogates)
        if self.slow in text:
            self.asked.set()
            self.goes_on.wait(30)
        return done


async def stand_ins(here: Town, session: str) -> Sequence[tuple[str, ...]]:
    """Give the session's mapping."""
    return (await here.house.ledger.load(session)).surrogates


async def test_a_refused_hint_leaves_no_trace(here: Town) -> None:
    session = await here.drafted()
    desk = await here.desk("ada", session)
    await here.say(session, "And one more thing.")
    before = await here.length(session)
    path = f"/v1/drafts/{desk['draft']['draft_id']}/decisions"
    body = {
        "verdict": "reject", "reasons": ["style"], "hint": "Ask about Marisol.",
        "basis": desk["seq"],
    }  # fmt: skip
    late = await here.write("ada", session, "POST", path, body)
    assert late.json()["code"] == "draft_is_stale"
    assert await here.length(session) == before


async def test_a_refused_request_for_a_draft_leaves_no_trace(here: Town) -> None:
    session = await here.drafted()
    await here.say(session, "[high]")
    before = await here.length(session)
    path, body = f"/v1/sessions/{session}/drafts", {"hint": "Ask about Marisol."}
    refused = await here.write("ada", session, "POST", path, body)
    assert refused.json()["code"] == "in_crisis"
    assert await here.length(session) == before


async def test_names_learnt_at_the_same_moment_get_stand_ins_of_their_own(here: Town) -> None:
    here.scrubber.finder.names = ("Marisol", "Gregor", "Ottilie")
    session = await here.drafted()
    for name in ("Gregor", "Ottilie"):
        path, body = f"/v1/sessions/{session}/drafts", {"hint": "Ask about Marisol."}
        await here.say(session, f"My friend {name} came along.")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(here.worker.drain())
            tasks.create_task(here.write("ada", session, "POST", path, body))
    await here.work(60_000)
    rows = await stand_ins(here, session)
    assert len({row[0] for row in rows}) == len({row[1] for row in rows}) == len(rows) == 3


async def test_a_hint_scrubbed_while_the_client_named_somebody_is_not_taken(here: Town) -> None:
    here.scrubber.finder.names = ("Marisol", "Gregor")
    session = await here.drafted()
    slow = Slow(here.scrubber, "Gregor")
    here.ports = replace(here.ports, scrubber=slow)
    here.restart()
    path, body = f"/v1/sessions/{session}/drafts", {"hint": "Ask about Gregor."}
    hinting = asyncio.create_task(here.write("ada", session, "POST", path, body))
    await asyncio.to_thread(slow.asked.wait, 30)
    await here.say(session, "My sister Marisol is angry.")
    await here.work()
    slow.goes_on.set()
    refused = await hinting
    assert (refused.status_code, refused.json()["code"]) == (503, "scrub_failed")
    assert (await here.write("ada", session, "POST", path, body)).status_code == 202
    rows = await stand_ins(here, session)
    assert len({row[1] for row in rows}) == len(rows) == 2


async def test_a_therapist_who_writes_before_any_turn_names_nobody_to_the_model(
    paused: Town,
) -> None:
    """No turn comes while the model is paused: what it knows of names is told by these words."""
    session = await paused.open(profile={"name": "May"})
    await paused.say(session, "My sister Marisol and I fight.")
    await paused.claim("ada", session)
    done = await correct(paused, session, triggering_situation="May argued with Marisol.")
    assert done.json()["formulation"]["triggering_situation"] == "May argued with Marisol."
    export = (await paused.call("sue", "GET", f"/v1/sessions/{session}/export")).json()
    told = json.dumps([export["formulation"], export["diagnosis"]])
    assert "May" not in told
    assert "Marisol" not in told
    assert sorted(row[0] for row in await stand_ins(paused, session)) == ["Marisol", "May"]

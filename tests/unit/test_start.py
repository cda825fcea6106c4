"""A process begins to serve early, and never looks again at what it loaded for good."""

import asyncio
import gc
from pathlib import Path
from threading import Event

import pytest

from safety.surrogates import Surrogates
from service.scrubbing import SoonScrubber
from service.start import load_for_good
from tests.fakes import NamedScrubber

EMPTY = Surrogates("ses_1")


def test_what_is_loaded_for_good_is_put_where_the_collector_does_not_look() -> None:
    before = gc.get_freeze_count()
    kept = load_for_good(lambda: [[one, gc.isenabled()] for one in range(100)])
    assert kept[0] == [0, False]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + len(kept)
    gc.unfreeze()


def test_the_collector_is_on_again_when_loading_fails() -> None:
    with pytest.raises(FileNotFoundError):
        load_for_good(Path("nowhere").read_bytes)
    assert gc.isenabled()
    gc.unfreeze()


async def test_who_needs_the_scrubber_before_it_is_loaded_waits_for_it() -> None:
    loaded = Event()

    def load() -> NamedScrubber:
        loaded.wait(10)
        return NamedScrubber()

    soon = SoonScrubber(load)
    waiting = asyncio.create_task(soon.loaded())
    await asyncio.sleep(0)
    assert not waiting.done()
    loaded.set()
    await waiting
    assert soon.scrub("I met Ana.", "en", EMPTY) == NamedScrubber().scrub("I met Ana.", "en", EMPTY)


async def test_a_scrubber_that_cannot_be_loaded_lets_no_text_through(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def load() -> NamedScrubber:
        raise ImportError("no model")

    soon = SoonScrubber(load)
    with pytest.raises(ImportError):
        await soon.loaded()
    for _ in range(2):
        with pytest.raises(ImportError):
            soon.scrub("I met Ana.", "en", EMPTY)
    assert "Ana" not in capsys.readouterr().out

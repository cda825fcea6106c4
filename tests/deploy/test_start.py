"""A process begins to serve early, looks never again at what it loaded for good, ends if told."""

import asyncio
import gc
import signal
import subprocess
import sys
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


_LISTENING = """
import asyncio
from service.start import told_to_stop

async def run():
    with told_to_stop() as told:
        print("listening", flush=True)
        await told.wait()
        print("told", flush=True)
        await asyncio.sleep({})

asyncio.run(run())
"""


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("lasts_s", "again", "ends"), [(0, False, 0), (60, True, 143)])
def test_being_told_to_stop_leaves_time_and_being_told_again_leaves_none(
    first: signal.Signals, lasts_s: int, again: bool, ends: int
) -> None:
    root = Path(__file__).parents[2]
    words = [sys.executable, "-c", _LISTENING.format(lasts_s)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        process.send_signal(first)
        assert process.stdout.readline() == "told\n"
        if again:
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == ends

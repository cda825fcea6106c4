"""Scrubbing on the service's side: in a thread, with a limit, and never half done."""

import asyncio
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from planner.vocabulary import Language
from safety.scrub import Scrubbed, introduce
from safety.surrogates import Surrogates, restore
from service.ports import Ports, Scrubber
from service.session import case
from service.session.events import TextScrubbed
from service.session.refusals import Refused
from service.session.state import Entry, State
from service.telemetry.log import LogEvent, log_line
from service.telemetry.metrics import Screening

PROFILE = "profile"
"""Entry id of the client's profile, whose names are learnt before the first line."""
_LOADED_S = 60.0
_NAMED = ("name", "preferred_name", "nickname", "full_name")


class ScrubFailed(Exception):
    """A text could not be scrubbed, so no model may see it."""


def surrogates_of(state: State) -> Surrogates:
    """Give the session's mapping as the log holds it."""
    return Surrogates.from_rows(state.surrogates, seed=state.session_id)


def restored(state: State, text: str) -> str:
    """Give a scrubbed text as people read it."""
    return restore(text, surrogates_of(state))


async def scrub_lines(
    state: State, lines: Sequence[Entry], ports: Ports
) -> tuple[TextScrubbed, ...]:
    """Scrub lines in order, each knowing the stand-ins of those before.

    Raises: ScrubFailed; then none counts as scrubbed.
    """
    mapping = surrogates_of(state)
    texts: list[TextScrubbed] = []
    if PROFILE not in state.scrubbed:
        known = await _introduced(state, mapping, ports)
        added = known.to_rows()[len(mapping.rows) :]
        texts.append(TextScrubbed(entry_id=PROFILE, surrogates=added))
        mapping = known
    for line in lines:
        scrubbed, grown = "", mapping
        if line.text:
            scrubbed, grown = await _scrub(state, line.text, mapping, ports)
        added = grown.to_rows()[len(mapping.rows) :]
        changed = None if scrubbed == line.text else scrubbed
        texts.append(TextScrubbed(entry_id=line.id, text=changed, surrogates=added))
        mapping = grown
    return tuple(texts)


async def scrub_words(
    state: State, texts: Sequence[str], ports: Ports
) -> tuple[tuple[str, ...], tuple[TextScrubbed, ...]]:
    """Scrub a therapist's words that a model will see: hints, plans, formulations.

    Who is named in the profile or in a line gets a stand-in first, for no turn may have come yet:
    the model may be paused. Gives the scrubbed words and the events that keep new stand-ins.
    Raises: ScrubFailed.
    """
    known = await scrub_lines(state, case.unscrubbed(state), ports)
    rows = (row for text in known for row in text.surrogates)
    mapping = before = Surrogates.from_rows((*state.surrogates, *rows), seed=state.session_id)
    done: list[str] = []
    for text in texts:
        scrubbed, mapping = await _scrub(state, text, mapping, ports)
        done.append(scrubbed)
    if added := mapping.to_rows()[len(before.rows) :]:
        known = (*known, TextScrubbed(entry_id=f"words-{state.seq + 1}", surrogates=added))
    return tuple(done), known


def apart(now: State, seen: State, added: tuple[TextScrubbed, ...]) -> tuple[TextScrubbed, ...]:
    """Give what was scrubbed for ``seen``, to be written into the session as it is now.

    A turn may have written the same of the lines. Raises: Refused where anybody else was given a
    stand-in meanwhile: it could be the same.
    """
    written = [one for one in added if one.entry_id in now.scrubbed]
    known = (*seen.surrogates, *(row for one in written for row in one.surrogates))
    if added and now.surrogates != known:
        raise Refused("scrub_failed", "Other words were scrubbed meanwhile; try again.", now.seq)
    return tuple(one for one in added if one not in written)


class SoonScrubber:
    """A scrubber that is loaded while the process serves already; who needs it meanwhile waits.

    The first messages after a start are judged and kept a second earlier for it.
    """

    def __init__(self, load: Callable[[], Scrubber]) -> None:
        """Begin to load, in a thread."""
        thread = ThreadPoolExecutor(1, "scrubber")
        self._made = thread.submit(load)
        self._made.add_done_callback(_tell)
        thread.shutdown(wait=False)

    @property
    def failed(self) -> bool:
        """Whether there will never be one in this process."""
        return self._made.done() and self._made.exception() is not None

    async def loaded(self) -> None:
        """Wait until there is a scrubber.

        Raises: TimeoutError after a minute, and whatever kept it from being loaded.
        """
        async with asyncio.timeout(_LOADED_S):
            await asyncio.shield(asyncio.wrap_future(self._made))

    def scrub(self, text: str, language: Language, surrogates: Surrogates) -> Scrubbed:
        """Give the scrubbed text and the grown mapping.

        Raises: whatever kept the scrubber from being loaded, each time.
        """
        return self._made.result().scrub(text, language, surrogates)


def _tell(made: Future[Scrubber]) -> None:
    """Say so where no text can be scrubbed from now on."""
    if error := made.exception():
        log_line(LogEvent.BUG, "error", error=type(error).__name__)


async def _scrub(
    state: State, text: str, mapping: Surrogates, ports: Ports
) -> tuple[str, Surrogates]:
    with _or_no_model(state):
        if isinstance(ports.scrubber, SoonScrubber):
            # To load is not to hang: the limit begins when there is something to wait for.
            await ports.scrubber.loaded()
        with Screening.scrub_seconds.timed():
            async with asyncio.timeout(ports.safety_timeout_s):
                work = asyncio.to_thread(ports.scrubber.scrub, text, state.language, mapping)
                scrubbed = await work
    return scrubbed.text, scrubbed.surrogates


async def _introduced(state: State, mapping: Surrogates, ports: Ports) -> Surrogates:
    with _or_no_model(state):
        async with asyncio.timeout(ports.safety_timeout_s):
            return await asyncio.to_thread(introduce, _names(state), mapping)


@contextmanager
def _or_no_model(state: State) -> Generator[None]:
    """Whatever a recognizer trips over: a text that is not scrubbed reaches no model (P4)."""
    try:
        yield
    except Exception as error:
        Screening.scrub_failed.add()
        kind = type(error).__name__
        log_line(LogEvent.SCRUB_FAILED, "error", session_id=state.session_id, error=kind)
        raise ScrubFailed from error


def _names(state: State) -> tuple[str, ...]:
    """The profile's names: personal data because the client app says so, even ``May``."""
    given = (state.profile.get(key) for key in _NAMED)
    named = (one.strip() for one in given if isinstance(one, str))
    return tuple(name for name in named if any(letter.isalpha() for letter in name))

"""Two processes on one store: what one remembers may be old, what it decides never is."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from service.checkpoints import verify
from service.ledger import Ledger, Under
from service.sealing import DataKey, new_key
from service.session.duties import Policy
from service.session.events import Event, NoteAdded, SessionClosed, SessionOpened
from service.session.refusals import Refused
from service.session.state import State
from service.stores.memory import MemoryStore
from service.stores.port import Append
from tests.contract.test_erasure import KEYS, Clock

SESSION = "ses_shared"
NOTE = NoteAdded(note_id="not_1", text="seen by the second")


@pytest.fixture
async def pair() -> tuple[Ledger, Ledger]:
    """The second remembers the open session; the first has closed it since."""
    store = MemoryStore()
    first, second = (Ledger(store, KEYS, Clock(), Policy()) for _ in range(2))
    opened = SessionOpened(client_ref="ref", team="north", language="en", region="US")
    await first.open(SESSION, opened, "app", Under())
    await second.load(SESSION)
    await first.append(SESSION, lambda _: (SessionClosed(),), "app")
    return first, second


def refuses(status: str) -> Refused:
    return Refused("session_closed", f"refused on {status}")


async def test_what_was_allowed_before_is_refused_now(pair: tuple[Ledger, Ledger]) -> None:
    def only_open(now: State) -> Sequence[Event]:
        if now.status != "open":
            raise refuses(now.status)
        return (NOTE,)

    with pytest.raises(Refused):
        await pair[1].append(SESSION, only_open, "ada")
    assert (await pair[1].load(SESSION)).seq == 2


async def test_what_was_refused_before_is_allowed_now(pair: tuple[Ledger, Ledger]) -> None:
    def only_closed(now: State) -> Sequence[Event]:
        if now.status == "open":
            raise refuses(now.status)
        return (NOTE,)

    done = await pair[1].append(SESSION, only_closed, "ada")
    assert [one.event for one in done.events] == [NOTE]
    assert done.state.seq == 3


async def test_what_was_unwanted_before_is_wanted_now(pair: tuple[Ledger, Ledger]) -> None:
    done = await pair[1].append(SESSION, lambda now: (NOTE,) * (now.status == "closed"), "ada")
    assert done.state.seq == 3


async def test_what_was_erased_by_the_other_is_written_to_no_more(
    pair: tuple[Ledger, Ledger],
) -> None:
    await pair[0].erase(SESSION, "sue")
    with pytest.raises(Refused, match="session_erased"):
        await pair[1].append(SESSION, lambda _: (NOTE,), "service")
    assert (await pair[1].append(SESSION, lambda _: (), "service")).state.status == "erased"
    assert len(await pair[0].store.read(SESSION)) == 3


async def test_a_log_that_an_earlier_version_wrote_on_behind_its_erasure_is_still_erased(
    pair: tuple[Ledger, Ledger],
) -> None:
    store = pair[0].store
    await pair[0].erase(SESSION, "sue")
    last, kept = (await store.read(SESSION))[-1], await store.row(SESSION)
    assert kept is not None
    behind = DataKey(SESSION, new_key()).chain((last.seq, last.hash), (NOTE,), last.at_ms, "ada")
    row = replace(kept.row, seq=last.seq + 1)
    await store.append(Append(SESSION, last.seq, behind, row))
    for ledger in (*pair, Ledger(store, KEYS, Clock(), Policy())):
        state = await ledger.load(SESSION)
        assert (state.status, state.team, state.seq) == ("erased", "north", last.seq + 1)
    assert await verify(store, None, KEYS) == (), "written on is not tampered with"

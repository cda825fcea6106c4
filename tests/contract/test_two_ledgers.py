"""Two processes on one store: what one remembers may be old, what it decides never is."""

import asyncio
import gc
from collections.abc import Sequence
from dataclasses import replace
from weakref import ref

import pytest

from safety.risk import Category, RiskLevel
from service import ledger as door
from service.checkpoints import verify
from service.ids import SystemClock
from service.ledger import Ledger, Under
from service.sealing import DataKey, new_key
from service.session.alarms import AlertRaised
from service.session.duties import Policy
from service.session.events import Event, NoteAdded, SessionClosed, SessionOpened
from service.session.refusals import Refused
from service.session.row import Row
from service.session.state import State
from service.stores.memory import MemoryStore
from service.stores.port import Append, Envelope
from tests.contract.test_erasure import KEYS
from tests.fakes import ManualClock

SESSION = "ses_shared"
NOTE = NoteAdded(note_id="not_1", text="seen by the second")
OPENED = SessionOpened(client_ref="ref", team="north", language="en", region="US")
ALERT = AlertRaised(
    alert_id="alr_1.shared", message_id="msg_1", level=RiskLevel.IMMINENT,
    category=Category.SUICIDE, score=1.0, source="rules",
)  # fmt: skip


class LosingStore(MemoryStore):
    """A memory store that a failover takes back to what its replica had."""

    def __init__(self) -> None:
        super().__init__()
        self._replica: tuple[dict[str, list[Envelope]], dict[str, Row]] = ({}, {})

    def replicate(self) -> None:
        """Let the replica have all there is."""
        self._replica = dict(self._logs), dict(self._rows)

    def fail_over(self) -> None:
        """Lose what came after."""
        self._logs, self._rows = self._replica


@pytest.fixture
async def pair() -> tuple[Ledger, Ledger]:
    """The second remembers the open session; the first has closed it since."""
    store = MemoryStore()
    first, second = (Ledger(store, KEYS, SystemClock(), Policy()) for _ in range(2))
    await first.open(SESSION, OPENED, "app", Under())
    await second.load(SESSION)
    await first.append(SESSION, lambda _: (SessionClosed(),), "app")
    return first, second


@pytest.fixture
async def losers() -> tuple[Ledger, Ledger]:
    """The first remembers a closed session; a failover left it open, and the second knows it so."""
    store, clock = LosingStore(), ManualClock()
    first, second = (Ledger(store, KEYS, clock, Policy()) for _ in range(2))
    await first.open(SESSION, OPENED, "app", Under())
    await second.load(SESSION)
    store.replicate()
    await first.append(SESSION, lambda _: (SessionClosed(),), "app")
    store.fail_over()
    clock.tick(1_000)
    return first, second


async def test_who_remembers_what_a_failover_lost_writes_on_from_what_is_left(
    losers: tuple[Ledger, Ledger],
) -> None:
    done = await losers[0].append(SESSION, lambda _: (NOTE,), "ada")
    assert (done.state.seq, done.state.status) == (2, "open")
    assert await verify(losers[0].store, None, KEYS) == ()


@pytest.mark.parametrize("others", [(ALERT,), (ALERT, NOTE)], ids=["as-many", "more"])
async def test_who_remembers_what_a_failover_lost_sees_what_others_wrote_in_its_place(
    losers: tuple[Ledger, Ledger], others: tuple[Event, ...]
) -> None:
    first, second = losers
    await second.append(SESSION, lambda _: others, "app")
    state = await first.load(SESSION)
    assert [one.alert_id for one in state.unseen_alarms] == [ALERT.alert_id]
    assert (state.seq, state.status) == (1 + len(others), "crisis")
    await first.append(SESSION, lambda _: (SessionClosed(),), "app")
    assert await verify(first.store, None, KEYS) == ()
    assert await second.load(SESSION) == await first.load(SESSION)


async def test_nothing_is_written_behind_what_others_wrote_in_the_place_of_what_was_lost(
    losers: tuple[Ledger, Ledger],
) -> None:
    first, second = losers
    await second.append(SESSION, lambda _: (ALERT,), "app")
    done = await first.append(SESSION, lambda _: (NOTE,), "ada")
    assert [one.alert_id for one in done.state.unseen_alarms] == [ALERT.alert_id]
    assert await verify(first.store, None, KEYS) == ()


async def test_a_session_that_a_failover_lost_altogether_is_not_found() -> None:
    store = LosingStore()
    ledger = Ledger(store, KEYS, SystemClock(), Policy())
    await ledger.open(SESSION, OPENED, "app", Under())
    store.fail_over()
    with pytest.raises(Refused, match="not_found"):
        await ledger.load(SESSION)


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


async def test_what_the_other_erased_is_let_go_of_though_nobody_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(door, "_LOOKED_OVER_S", 0.01)
    store, clock = MemoryStore(), ManualClock()
    first, second = (Ledger(store, KEYS, clock, Policy()) for _ in range(2))
    for one in (SESSION, "ses_other"):
        await first.open(one, OPENED, "app", Under())
        await second.load(one)
    await first.erase(SESSION, "sue")
    clock.tick(599_999)
    await second.load("ses_other")
    await asyncio.sleep(0.05)
    assert list(second._known) == [SESSION, "ses_other"]
    clock.tick(1)
    await asyncio.sleep(0.05)
    assert list(second._known) == ["ses_other"]
    clock.tick(-2)
    await asyncio.sleep(0.05)
    assert list(second._known) == [], "a clock set back prolongs nothing"
    await second.load("ses_other")
    clock.tick(600_000)
    await asyncio.sleep(0.05)
    assert list(second._known) == [], "it goes on after there was nothing"


async def test_a_ledger_that_nobody_needs_any_more_takes_what_it_remembers_with_it() -> None:
    store = MemoryStore()
    ledger = Ledger(store, KEYS, SystemClock(), Policy())
    await ledger.open(SESSION, OPENED, "app", Under())
    left = ref(ledger)
    del ledger
    gc.collect()
    assert left() is None


async def test_nothing_is_sealed_beside_a_log_that_the_other_erased(
    pair: tuple[Ledger, Ledger],
) -> None:
    sealed = await pair[1].seal_side(SESSION, "unsent", "I was about to say")
    assert await pair[0].open_side(SESSION, "unsent", sealed) == "I was about to say"
    await pair[0].erase(SESSION, "sue")
    for ledger in pair:
        with pytest.raises(Refused, match="session_erased"):
            await ledger.seal_side(SESSION, "unsent", "I was about to say")
        with pytest.raises(Refused, match="session_erased"):
            await ledger.open_side(SESSION, "unsent", sealed)


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
    for ledger in (*pair, Ledger(store, KEYS, SystemClock(), Policy())):
        state = await ledger.load(SESSION)
        assert (state.status, state.team, state.seq) == ("erased", "north", last.seq + 1)
    assert await verify(store, None, KEYS) == (), "written on is not tampered with"

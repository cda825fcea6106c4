"""Of several who begin to change a role one does, on every store, and a death bars nobody."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from models.adapters import Fit
from planner.vocabulary import Role
from service.aliases import Mark, StoredAliases
from service.rolling import KIND, Rolling, Shelf
from service.session.refusals import Refused
from service.stores.port import Document
from tests.contract.conftest import Store
from tests.fakes import BASE, CountingIds, ManualClock

FIRST, SECOND = "utterance-aaaaaaaaaaaa", "utterance-bbbbbbbbbbbb"
A_WHILE_MS = 60_000


class Died(Exception):
    """A process that is no more."""


class Meeting(StoredAliases):
    """Lets nobody begin before everybody has seen that nothing runs."""

    def __init__(self, store: Store, everybody: int) -> None:
        super().__init__(store, BASE)
        self._all_here = asyncio.Barrier(everybody)

    async def serving(self, role: Role) -> str:
        """See `StoredAliases.serving`."""
        found = await super().serving(role)
        await self._all_here.wait()
        return found


class Interrupted(StoredAliases):
    """Something happens to the process between the mark and the rollout."""

    def __init__(self, store: Store, by: Callable[[], Awaitable[object]]) -> None:
        super().__init__(store, BASE)
        self._by = by

    async def mark(self, role: Role, mark: Mark) -> None:
        """See `StoredAliases.mark`."""
        await super().mark(role, mark)
        await self._by()


@dataclass
class Place:
    """Processes of one service: they share a store, ids that differ, and time."""

    store: Store
    folder: Path
    clock: ManualClock = field(default_factory=ManualClock)
    ids: CountingIds = field(default_factory=CountingIds)

    def process(self, aliases: StoredAliases | None = None) -> Rolling:
        shelf = Shelf(self.folder, Fit("b" * 64), BASE, 1_000, auto=False)
        named = aliases or StoredAliases(self.store, BASE)
        return Rolling(self.store, (), named, self.clock, self.ids, shelf)

    async def die(self) -> None:
        raise Died

    async def unfinished(self) -> list[str]:
        found = await self.process().all()
        return [one.rollout.new for one in found if not one.rollout.over]


@pytest.fixture
def place(store: Store, tmp_path: Path) -> Place:
    return Place(store, tmp_path)


async def begun(process: Rolling, name: str) -> str:
    """Begin a rollout; give the adapter's name, or why not."""
    try:
        return (await process.start(Role.UTTERANCE, name)).rollout.new
    except Refused as refused:
        return refused.code


@pytest.mark.parametrize("processes", [1, 2])
async def test_of_two_rollouts_begun_at_once_one_is_refused(place: Place, processes: int) -> None:
    meeting = Meeting(place.store, 2)
    one = place.process(meeting)
    other = one if processes == 1 else place.process(meeting)
    told = await asyncio.gather(begun(one, FIRST), begun(other, SECOND))
    (left,) = await place.unfinished()
    assert sorted(told) == sorted([left, "rollout_running"])


async def test_rollouts_of_two_roles_begin_at_once(place: Place) -> None:
    process = place.process(Meeting(place.store, 2))
    planner = process.start(Role.PLANNER, "planner-cccccccccccc")
    await asyncio.gather(begun(process, FIRST), planner)
    assert len(await place.unfinished()) == 2


async def test_nobody_begins_between_a_mark_and_its_rollout(place: Place) -> None:
    told: list[str] = []

    async def another() -> None:
        told.append(await begun(place.process(), SECOND))

    first = place.process(Interrupted(place.store, another))
    assert await begun(first, FIRST) == FIRST
    assert (told, await place.unfinished()) == (["rollout_running"], [FIRST])


async def test_who_dies_between_a_mark_and_its_rollout_bars_the_role_for_a_minute_only(
    place: Place,
) -> None:
    with pytest.raises(Died):
        await begun(place.process(Interrupted(place.store, place.die)), FIRST)
    assert await place.unfinished() == []
    assert await begun(place.process(), SECOND) == "rollout_running"
    place.clock.tick(A_WHILE_MS)
    assert await begun(place.process(), SECOND) == SECOND
    assert await place.unfinished() == [SECOND]


async def test_a_mark_by_a_clock_that_was_far_ahead_bars_nobody_either(place: Place) -> None:
    ahead = place.process(Interrupted(place.store, place.die))
    with pytest.raises(Died):
        await begun(replace(ahead, clock=ManualClock(place.clock.at_ms + A_WHILE_MS)), FIRST)
    assert await begun(place.process(), SECOND) == SECOND


async def test_who_was_taken_for_dead_begins_nothing_when_it_wakes(place: Place) -> None:
    async def long_after() -> None:
        place.clock.tick(A_WHILE_MS)
        assert await begun(place.process(), SECOND) == SECOND

    sleeper = place.process(Interrupted(place.store, long_after))
    assert await begun(sleeper, FIRST) == "rollout_running"
    assert await place.unfinished() == [SECOND]


async def test_a_rollout_that_is_over_or_gone_bars_nobody(place: Place) -> None:
    process = place.process()
    await begun(process, FIRST)
    await process.take_back(Role.UTTERANCE)
    assert await begun(process, SECOND) == SECOND, "as soon as it is over"
    for one in await process.all():
        await place.store.drop_document(KIND, one.rollout_id)
    place.clock.tick(A_WHILE_MS)
    assert await begun(process, FIRST) == FIRST


async def test_a_store_of_an_earlier_build_has_no_marks(place: Place) -> None:
    process = place.process()
    await begun(process, FIRST)
    await place.store.drop_document("rollout_mark", Role.UTTERANCE)
    assert await begun(process, SECOND) == "rollout_running"
    await process.take_back(Role.UTTERANCE)
    assert await begun(process, SECOND) == SECOND
    found = await place.store.document("rollout_mark", Role.UTTERANCE)
    assert isinstance(found, Document)

"""Sessions whose turn waits for a free slot: out of every lease, in order, and never lost."""

import asyncio
from collections.abc import Sequence

from service.stores.port import Lease
from tests.contract.conftest import Store
from tests.contract.making import NOW, answer, append, opened, row

LATER = NOW + 300


async def put_aside(store: Store, session_id: str, since_ms: int = NOW, urgency: int = 0) -> Lease:
    """Open a session, lease it and put it aside; give the lease that was given back."""
    await store.append(opened(row(session_id, due_at_ms=since_ms, urgency=urgency)))
    (lease,) = await store.lease_due(NOW, NOW + 100, 1)
    assert await store.keep_lease(lease, LATER, aside_since_ms=since_ms)
    return lease


async def aside(store: Store, limit: int = 1) -> Sequence[Lease]:
    """Take those that were put aside."""
    return await store.lease_due(NOW, NOW + 100, limit, aside=True)


async def test_the_most_urgent_is_taken_first_then_the_longest_waiting(store: Store) -> None:
    for session_id, since, urgency in (
        ("a", NOW, 0), ("b", NOW - 2, 0), ("c", NOW - 2, 0), ("d", NOW, 22), ("e", NOW - 9, 5),
    ):  # fmt: skip
        await put_aside(store, session_id, since, urgency)
    assert not await store.lease_due(NOW + 100, NOW + 200, 9)
    taken = [await aside(store, limit) for limit in (1, 2, 9)]
    assert [[one.session_id for one in some] for some in taken] == [["d"], ["e", "b"], ["c", "a"]]
    assert not await aside(store)


async def test_it_is_due_again_when_it_is_time_to_look_and_waits_no_more(store: Store) -> None:
    await put_aside(store, "a")
    assert not await store.lease_due(LATER - 1, LATER + 100, 9)
    assert [one.session_id for one in await store.lease_due(LATER, LATER + 100, 9)] == ["a"]
    assert not await aside(store)


async def test_an_append_ends_the_wait(store: Store) -> None:
    await put_aside(store, "a", urgency=3)
    await store.append(append("a", after=1, row=row("a", seq=2, due_at_ms=NOW + 7, urgency=11)))
    assert not await aside(store)
    assert [one.session_id for one in await store.lease_due(NOW + 7, LATER, 9)] == ["a"]


async def test_a_lease_on_it_lapses_like_any_other(store: Store) -> None:
    await put_aside(store, "a")
    (lease,) = await aside(store)
    assert await store.keep_lease(lease, NOW + 200)
    assert not await store.lease_due(NOW + 199, LATER, 9)
    assert [one.session_id for one in await store.lease_due(NOW + 200, LATER, 9)] == ["a"]
    assert not await store.keep_lease(lease, LATER)


async def test_only_the_lease_that_is_held_can_be_given_back(store: Store) -> None:
    given_back = await put_aside(store, "a")
    assert not await store.keep_lease(given_back, LATER, aside_since_ms=NOW)
    assert not await store.keep_lease(given_back, LATER)
    assert not await store.keep_lease(Lease("ses_x", 1), LATER, aside_since_ms=NOW)
    await store.append(append("a", after=1, row=row("a", seq=2)))
    assert not await store.keep_lease(given_back, LATER, aside_since_ms=NOW)
    assert not await aside(store)
    assert await store.next_due_ms() is None


async def test_whoever_asks_what_is_due_may_leave_out_what_waits_for_a_slot(store: Store) -> None:
    await put_aside(store, "a", NOW - 50)
    await store.append(opened(row("b", due_at_ms=NOW + 9)))
    assert await store.next_due_ms() == NOW - 50
    assert await store.next_due_ms(aside=False) == NOW + 9
    assert await aside(store)
    assert await store.next_due_ms() == NOW + 9


async def test_putting_aside_wakes_those_who_have_a_slot(store: Store) -> None:
    await store.append(opened(row("a", due_at_ms=NOW)))
    (lease,) = await store.lease_due(NOW, NOW + 100, 1)
    seen = await store.changed(0, 0.5)
    # Redis says it has listened by waking once.
    seen = await store.changed(seen, 0.5)
    waiting = asyncio.create_task(store.changed(seen, 5.0))
    await asyncio.sleep(0.1)
    await store.keep_lease(lease, LATER, aside_since_ms=NOW)
    async with asyncio.timeout(2.0):
        assert await waiting != seen


async def test_of_racing_slots_each_gets_another_session(store: Store) -> None:
    for number in range(30):
        await put_aside(store, f"ses_{number:02d}", urgency=number % 5)
    taken = await asyncio.gather(*(aside(store) for _ in range(40)))
    sessions = [one.session_id for some in taken for one in some]
    assert len(sessions) == len(set(sessions)) == 30


async def test_however_many_answers_are_over_all_are_forgotten(store: Store) -> None:
    kept = answer("kept", NOW + 9)
    await store.keep_answers([*(answer(f"a{number}", NOW) for number in range(2_100)), kept])
    assert await store.forget_answers(NOW) == 2_100
    assert list(await store.answers()) == [kept]

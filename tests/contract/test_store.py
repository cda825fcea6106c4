"""What `service.stores.port.Store` promises, held against every store."""

import asyncio

import pytest

from service.stores.port import (
    AlreadyAnswered,
    ClaimedByOther,
    ClaimLost,
    Conflict,
    Document,
    Fence,
    Lease,
)
from service.stores.sqlite import SqliteStore
from tests.contract.conftest import Store
from tests.contract.making import NOW, answer, append, envelope, opened, row, waiting, wish

_RACERS, _ROUNDS = 20, 50


async def test_what_was_appended_is_read_back_byte_for_byte(store: Store) -> None:
    every_byte = bytes(range(256))
    write = append(envelopes=[envelope(seq=1, sealed=every_byte), envelope(seq=2)], row=row(seq=2))
    await store.append(write)
    assert list(await store.read("ses_a")) == list(write.envelopes)
    assert list(await store.read("ses_a", after=1)) == [write.envelopes[1]]
    assert list(await store.read("ses_a", after=2)) == []
    assert list(await store.read("ses_b")) == []


async def test_the_row_is_written_with_the_log(store: Store) -> None:
    assert await store.row("ses_a") is None
    first = waiting("ses_a", score=0.7, urgency=29, due_at_ms=NOW, draft_id="drf_1", simulated=True)
    await store.append(opened(first))
    found = await store.row("ses_a")
    assert found is not None
    assert found == (first, None)


async def test_an_append_after_somebody_elses_is_a_conflict_and_writes_nothing(
    store: Store,
) -> None:
    await store.append(append())
    for stale in (0, 2):
        with pytest.raises(Conflict):
            await store.append(append(after=stale, answer=answer(), wrapped_key=b"other"))
    assert len(await store.read("ses_a")) == 1
    assert await store.answer("a1") is None
    assert await store.wrapped_key("ses_a") == b"\0key of ses_a"


async def test_an_answered_request_is_answered_the_same_before_anything_else_is_looked_at(
    store: Store,
) -> None:
    await store.append(append(answer=answer(body=b'{"seq": 1}')))
    late = append(after=7, answer=answer(body=b"other"), fence=Fence("nobody", 9))
    with pytest.raises(AlreadyAnswered) as given:
        await store.append(late)
    assert given.value.answer == answer(body=b'{"seq": 1}')
    assert await store.answer("a1") == answer(body=b'{"seq": 1}')


async def test_a_request_that_was_answered_under_another_master_key_is_answered_the_same(
    store: Store,
) -> None:
    before = answer("old", body=b'{"seq": 1}')
    await store.append(append(answer=before))
    new, others = answer("new"), ("older", "old", "oldest")
    for session_id, after in (("ses_a", 1), ("ses_b", 0)):
        late = append(session_id, after, answer=new, answered_as=others)
        with pytest.raises(AlreadyAnswered) as given:
            await store.append(late)
        assert given.value.answer == before
    assert (await store.answer("new"), await store.read("ses_b")) == (None, [])


async def test_a_lost_claim_is_refused_before_a_conflict(store: Store) -> None:
    await store.append(append())
    with pytest.raises(ClaimLost):
        await store.append(append(after=7, fence=Fence("anna", 1)))


async def test_only_the_newest_claim_may_write(store: Store) -> None:
    await store.append(append())
    first = await store.claim(wish("anna"))
    await store.append(append(after=1, fence=Fence("anna", first.number)))
    second = await store.claim(wish("berta", take_over=True))
    for fence in (Fence("anna", first.number), Fence("anna", second.number), Fence("berta", 1)):
        with pytest.raises(ClaimLost):
            await store.append(append(after=2, fence=fence))
    await store.append(append(after=2, fence=Fence("berta", second.number)))
    await store.release_claim("ses_a", Fence("berta", second.number))
    with pytest.raises(ClaimLost):
        await store.append(append(after=3, fence=Fence("berta", second.number)))


async def test_nobody_can_write_under_a_claim_that_was_never_given(store: Store) -> None:
    await store.append(append())
    for fence in (Fence("", 0), Fence("anna", 0)):
        with pytest.raises(ClaimLost):
            await store.append(append(after=1, fence=fence))


async def test_a_claim_goes_to_one_person_until_it_ends_is_released_or_taken_over(
    store: Store,
) -> None:
    with pytest.raises(KeyError):
        await store.claim(wish())
    await store.append(append())
    assert await store.claim(wish("anna")) == ("anna", 1, NOW + 60_000)
    with pytest.raises(ClaimedByOther):
        await store.claim(wish("berta"))
    later = NOW + 60_000
    assert (await store.claim(wish("berta", now_ms=later, until_ms=later + 1))).number == 2
    await store.release_claim("ses_a", Fence("berta", 2))
    assert (await store.claim(wish("anna"))).number == 3
    assert (await store.claim(wish("berta", take_over=True))).number == 4


async def test_claiming_again_keeps_the_number_and_moves_the_end(store: Store) -> None:
    await store.append(append())
    await store.claim(wish("anna"))
    again = await store.claim(wish("anna", until_ms=NOW + 90_000))
    assert again == ("anna", 1, NOW + 90_000)
    renewed = await store.claim(wish("anna", until_ms=NOW + 120_000, renew=1))
    assert renewed == ("anna", 1, NOW + 120_000)
    later = NOW + 200_000
    lapsed = await store.claim(wish("anna", now_ms=later, until_ms=later + 1, renew=1))
    assert lapsed == ("anna", 1, later + 1)


async def test_a_lost_claim_cannot_be_renewed_nor_released(store: Store) -> None:
    await store.append(append())
    await store.claim(wish("anna"))
    await store.claim(wish("berta", take_over=True))
    with pytest.raises(ClaimLost):
        await store.claim(wish("anna", renew=1, take_over=True))
    await store.release_claim("ses_a", Fence("anna", 1))
    found = await store.row("ses_a")
    assert found is not None
    assert found.claim == ("berta", 2, NOW + 60_000)


async def test_of_a_thousand_racing_claims_one_wins_each_round(store: Store) -> None:
    for number in range(_ROUNDS):
        session_id = f"ses_{number:03d}"
        await store.append(append(session_id))
        racers = (store.claim(wish(f"r{one}", session_id)) for one in range(_RACERS))
        given = await asyncio.gather(*racers, return_exceptions=True)
        won = [one for one in given if not isinstance(one, BaseException)]
        assert [one.number for one in won] == [1]
        assert sum(isinstance(one, ClaimedByOther) for one in given) == _RACERS - 1
        stored = await store.row(session_id)
        assert stored is not None
        assert stored.claim == won[0]


async def test_of_racing_appends_one_wins_each_position(store: Store) -> None:
    await store.append(append())
    for after in range(1, 21):
        racers = (store.append(append(after=after)) for _ in range(10))
        given = await asyncio.gather(*racers, return_exceptions=True)
        assert given.count(None) == 1
    assert [one.seq for one in await store.read("ses_a")] == list(range(1, 22))


async def test_due_sessions_are_leased_most_urgent_first_then_longest_due(store: Store) -> None:
    for session_id, due, urgency in (
        ("a", NOW, 0), ("b", NOW - 2, 0), ("c", NOW - 2, 0), ("d", NOW, 44), ("e", NOW + 1, 44),
        ("f", None, 44),
    ):  # fmt: skip
        await store.append(opened(row(session_id, due_at_ms=due, urgency=urgency)))
    assert await store.next_due_ms() == NOW - 2
    first = await store.lease_due(NOW, NOW + 100, limit=3)
    assert [one.session_id for one in first] == ["d", "b", "c"]
    assert [one.session_id for one in await store.lease_due(NOW, NOW + 100, limit=3)] == ["a"]
    assert not await store.lease_due(NOW, NOW + 100, limit=3)
    assert await store.next_due_ms() == NOW + 1
    found = await store.row("d")
    assert found is not None
    assert found.row.due_at_ms == NOW + 100


async def test_a_lease_that_ended_is_given_again_with_another_number(store: Store) -> None:
    await store.append(opened(row(due_at_ms=NOW)))
    (first,) = await store.lease_due(NOW, NOW + 100, 1)
    assert await store.keep_lease(first, NOW + 200)
    assert not await store.lease_due(NOW + 100, NOW + 300, 1)
    (second,) = await store.lease_due(NOW + 200, NOW + 300, 1)
    assert second.number > first.number
    assert not await store.keep_lease(first, NOW + 900)
    assert await store.keep_lease(second, NOW + 900)
    assert await store.next_due_ms() == NOW + 900


async def test_an_append_ends_the_lease_and_says_when_the_session_is_due_next(
    store: Store,
) -> None:
    await store.append(opened(row(due_at_ms=NOW)))
    (lease,) = await store.lease_due(NOW, NOW + 100, 1)
    await store.append(append(after=1, row=row(seq=2, due_at_ms=NOW + 7, urgency=11)))
    assert not await store.keep_lease(lease, NOW + 900)
    assert await store.next_due_ms() == NOW + 7
    await store.append(append(after=2, row=row(seq=3)))
    assert await store.next_due_ms() is None
    assert not await store.keep_lease(Lease("ses_x", 1), NOW)


async def test_of_racing_workers_one_gets_each_session(store: Store) -> None:
    for number in range(60):
        await store.append(opened(row(f"ses_{number:02d}", due_at_ms=NOW, urgency=number % 5)))
    takers = (store.lease_due(NOW, NOW + 100, 7) for _ in range(12))
    given = await asyncio.gather(*takers)
    taken = [lease.session_id for leases in given for lease in leases]
    assert len(taken) == len(set(taken)) == 60


async def test_a_data_key_is_kept_replaced_and_destroyed(store: Store) -> None:
    assert await store.wrapped_key("ses_a") is None
    await store.append(append(wrapped_key=b"\0one"))
    assert await store.wrapped_key("ses_a") == b"\0one"
    assert not await store.rewrap("ses_a", b"\0other", b"\0two")
    assert await store.rewrap("ses_a", b"\0one", b"\0two")
    await store.append(append(after=1, destroy_key=True))
    assert await store.wrapped_key("ses_a") is None
    assert not await store.rewrap("ses_a", b"\0two", b"\0three")
    assert len(await store.read("ses_a")) == 2


async def test_answers_are_forgotten_when_their_time_is_over(store: Store) -> None:
    for number, until_ms in enumerate((NOW, NOW + 5, NOW + 9)):
        write = append(f"ses_{number}", answer=answer(f"a{number}", until_ms))
        await store.append(write)
    assert await store.forget_answers(NOW + 5) == 2
    assert await store.answer("a1") is None
    assert await store.answer("a2") == answer("a2", NOW + 9)
    assert await store.forget_answers(NOW + 5) == 0


async def test_a_document_is_written_only_over_the_version_that_was_read(store: Store) -> None:
    assert await store.document("alias", "planner") is None
    await store.put_document("alias", Document("planner", 1, b"\0:one"))
    for version in (0, 1, 3):
        with pytest.raises(Conflict):
            await store.put_document("alias", Document("planner", version, b"late"))
    await store.put_document("alias", Document("planner", 2, b""))
    await store.put_document("alias", Document("guard", 1, b"three"))
    await store.put_document("key", Document("planner", 1, b"four"))
    assert await store.document("alias", "planner") == ("planner", 2, b"")
    assert list(await store.documents("alias")) == [("guard", 1, b"three"), ("planner", 2, b"")]
    await store.drop_document("alias", "planner")
    await store.drop_document("alias", "planner")
    assert await store.document("alias", "planner") is None
    await store.put_document("alias", Document("planner", 1, b"again"))


async def test_of_racing_writers_one_writes_each_version(store: Store) -> None:
    for version in range(1, 11):
        racers = (store.put_document("k", Document("d", version, b"%d" % n)) for n in range(8))
        given = await asyncio.gather(*racers, return_exceptions=True)
        assert given.count(None) == 1


async def test_who_waits_is_woken_by_every_kind_of_change(store: Store) -> None:
    mark = await store.changed(await store.changed(0, 0.3), 0.3)

    async def woken_by(change: object) -> None:
        nonlocal mark
        waiter = asyncio.create_task(store.changed(mark, 30.0))
        await asyncio.sleep(0.05)
        assert not waiter.done()
        await change  # type: ignore[misc]
        async with asyncio.timeout(10.0):
            mark = await waiter
        mark = await store.changed(mark, 0.2)

    await woken_by(store.append(append()))
    await woken_by(store.claim(wish()))
    await woken_by(store.release_claim("ses_a", Fence("anna", 1)))
    await woken_by(store.put_document("k", Document("d", 1, b"")))


async def test_waiting_ends_when_its_time_is_over(store: Store) -> None:
    mark = await store.changed(0, 0.2)
    mark = await store.changed(mark, 0.2)
    async with asyncio.timeout(10.0):
        assert await store.changed(mark, 0.05) == mark


async def test_a_store_answers_when_it_is_asked_whether_it_does(store: Store) -> None:
    await store.ping()


async def test_how_full_a_store_is_is_a_share_where_there_is_a_bound(store: Store) -> None:
    used = await store.used_ratio()
    # Memory has none, nor has the Redis of these tests; a disk has one.
    assert used is None or (isinstance(store, SqliteStore) and 0 < used <= 1)

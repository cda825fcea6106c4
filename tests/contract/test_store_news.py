"""What `service.stores.port.Store` promises whoever waits for news, held against every store."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path

from service.stores.port import ALERTS, SIDE_KINDS, Document, Fence, Lease
from service.stores.sqlite import SqliteStore
from tests.contract.conftest import Store
from tests.contract.making import NOW, append, opened, row, waiting, wish

_ALERT = {"kind": "alert", "alert_id": "alr_1"}


async def at_rest(store: Store) -> int:
    """The mark once nothing more comes by itself: a store may begin to listen with a wake-up."""
    mark = await store.changed(0, 0.3)
    while (now := await store.changed(mark, 0.3)) != mark:
        mark = now
    return mark


async def wakes(store: Store, about: str, change: Awaitable[object], expected: bool = True) -> bool:
    """Whether a change wakes somebody who waits for something; soon told where none should."""
    waiter = asyncio.create_task(store.changed(await at_rest(store), 30.0, about))
    await asyncio.sleep(0.05)
    assert not waiter.done()
    await change
    await asyncio.wait({waiter}, timeout=10.0 if expected else 0.5)
    woken = waiter.done()
    waiter.cancel()
    return woken


async def test_who_waits_for_a_session_is_woken_by_every_change_of_it(store: Store) -> None:
    assert await wakes(store, "ses_a", store.append(append()))
    assert await wakes(store, "ses_a", store.claim(wish()))
    assert await wakes(store, "ses_a", store.release_claim("ses_a", Fence("anna", 1)))
    aside = store.keep_lease(Lease("ses_a", 0), NOW + 9, aside_since_ms=NOW)
    assert await wakes(store, "ses_a", aside)


async def test_who_waits_for_alerts_is_woken_by_a_row_that_asks_for_a_person(store: Store) -> None:
    assert await wakes(store, ALERTS, store.append(opened(waiting("ses_a", **_ALERT))))


async def test_an_alert_that_a_row_made_anew_shows_wakes_those_who_wait_for_one(
    store: Store,
) -> None:
    await store.append(opened(row()))
    assert await wakes(store, ALERTS, store.mend(waiting("ses_a", **_ALERT)))


async def test_what_is_about_others_wakes_nobody_who_waits_for_something_else(
    store: Store,
) -> None:
    async def wake(about: str, change: Awaitable[object]) -> bool:
        return await wakes(store, about, change, False)

    assert not await wake("ses_a", store.append(append("ses_b")))
    assert not await wake("ses_a", store.claim(wish("anna", "ses_b")))
    assert not await wake(ALERTS, store.append(opened(waiting("ses_c"))))
    seen = row("ses_d", alert_id="alr_1")
    assert not await wake(ALERTS, store.append(opened(seen)))


async def test_side_documents_and_leases_wake_nobody(store: Store) -> None:
    await store.append(opened(row("ses_a", due_at_ms=NOW)))
    for kind in SIDE_KINDS:
        put = store.put_document(kind, Document("ses_a", 1, b"{}"))
        assert not await wakes(store, "", put, False)
    (lease,) = await store.lease_due(NOW + 99, NOW + 199, 1)
    assert not await wakes(store, "", store.keep_lease(lease, NOW + 299), False)


async def test_who_shares_a_file_hears_another_s_writes_also_between_own_ones(
    tmp_path: Path,
) -> None:
    here, there = (SqliteStore(tmp_path / "secondchair.db") for _ in range(2))
    assert await wakes(here, "ses_a", there.append(append("ses_b")))

    async def both() -> None:
        await here.append(append("ses_c"))
        await there.append(append("ses_d"))
        await here.append(append("ses_e"))

    assert await wakes(here, "ses_a", both())
    viewer = Document("ses_a", 1, b"{}")
    assert not await wakes(here, "ses_b", here.put_document("viewer", viewer), False)
    mark = await at_rest(here)
    await there.append(append("ses_a"))
    async with asyncio.timeout(5):
        assert await here.changed(mark, 30.0, "ses_a") > mark
    for store in (here, there):
        await store.close()


async def test_what_was_written_for_somebody_who_is_gone_is_heard_all_the_same(
    tmp_path: Path,
) -> None:
    store = SqliteStore(tmp_path / "secondchair.db")

    async def given_up() -> None:
        writing = asyncio.create_task(store.append(append("ses_a")))
        await asyncio.sleep(0)
        writing.cancel()
        await asyncio.wait({writing})
        assert writing.cancelled()

    assert await wakes(store, "ses_a", given_up())
    assert len(await store.read("ses_a")) == 1
    await store.close()


async def test_what_happened_before_somebody_waits_is_not_missed(store: Store) -> None:
    mark = await at_rest(store)
    await store.append(opened(waiting("ses_a", **_ALERT)))
    await store.append(append("ses_b"))
    for about in ("ses_a", ALERTS, ""):
        async with asyncio.timeout(5):
            assert await store.changed(mark, 30.0, about) > mark

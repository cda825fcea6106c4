"""What `service.stores.port.Store` promises whoever waits for news, held against every store."""

import asyncio
from collections.abc import Awaitable

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
    # SQLite only learns that some connection wrote, its own included; then everybody looks.
    all_wake = isinstance(store, SqliteStore)

    async def wake(about: str, change: Awaitable[object]) -> bool:
        return await wakes(store, about, change, all_wake)

    assert await wake("ses_a", store.append(append("ses_b"))) is all_wake
    assert await wake("ses_a", store.claim(wish("anna", "ses_b"))) is all_wake
    assert await wake(ALERTS, store.append(opened(waiting("ses_c")))) is all_wake
    seen = row("ses_d", alert_id="alr_1")
    assert await wake(ALERTS, store.append(opened(seen))) is all_wake
    for kind in SIDE_KINDS:
        put = store.put_document(kind, Document("ses_a", 1, b"{}"))
        assert await wake("", put) is all_wake


async def test_what_happened_before_somebody_waits_is_not_missed(store: Store) -> None:
    mark = await at_rest(store)
    await store.append(opened(waiting("ses_a", **_ALERT)))
    await store.append(append("ses_b"))
    for about in ("ses_a", ALERTS, ""):
        async with asyncio.timeout(5):
            assert await store.changed(mark, 30.0, about) > mark

"""What `service.stores.port.Store` promises of its lists, held against every store."""

import pytest

from safety.risk import RiskLevel
from service.session.row import Row
from service.stores import paging
from service.stores.port import Fence, Order, RowQuery
from tests.contract.conftest import Store
from tests.contract.making import NOW, append, opened, row, waiting, wish


async def test_the_queue_gives_the_most_urgent_first_and_then_who_waited_longest(
    store: Store,
) -> None:
    rows = [
        waiting("ses_c", NOW - 5),
        waiting("ses_b", NOW - 9),
        waiting("ses_a", NOW - 5),
        waiting("ses_d", NOW, urgency=11),
        waiting("ses_e", NOW, urgency=9),
        row("ses_f", urgency=44),
    ]
    for one in rows:
        await store.append(opened(one))
    page = await store.rows(RowQuery("queue"))
    order = [one.row.session_id for one in page.items]
    assert order == ["ses_d", "ses_e", "ses_b", "ses_a", "ses_c"]
    assert (page.total, page.next_after) == (5, None)


async def test_the_newest_list_has_every_session_newest_first(store: Store) -> None:
    for number, session_id in enumerate(("ses_b", "ses_a", "ses_c")):
        await store.append(opened(row(session_id, created_at_ms=NOW + number // 2)))
    page = await store.rows(RowQuery("newest"))
    assert [one.row.session_id for one in page.items] == ["ses_c", "ses_a", "ses_b"]


async def test_the_alerts_have_every_unresolved_one_what_asks_for_a_human_first(
    store: Store,
) -> None:
    seen = {"kind": None, "waiting_since_ms": None, "status": "closed", "alert_id": "alr_1"}
    for one in (
        waiting("ses_a", NOW - 5, alert_id="alr_1", kind="alert", urgency=22),
        waiting("ses_b", NOW - 9, alert_id="alr_1", kind="alert", urgency=22),
        row("ses_c", urgency=28, updated_at_ms=NOW - 1, **seen),
        row("ses_d", urgency=28, updated_at_ms=NOW - 7, **seen),
        waiting("ses_e", NOW - 3, alert_id="alr_1", urgency=28),
        waiting("ses_f", NOW, alert_id="alr_1", kind="alert", urgency=44),
        waiting("ses_g", NOW, urgency=44),
        row("ses_h", status="erased"),
    ):
        await store.append(opened(one))
    order = ["ses_f", "ses_b", "ses_a", "ses_d", "ses_e", "ses_c"]
    page = await store.rows(RowQuery("alerts"))
    assert [one.row.session_id for one in page.items] == order
    assert (page.total, page.next_after) == (6, None)
    await store.append(append("ses_d", after=1))
    page = await store.rows(RowQuery("alerts", team="north"))
    assert [one.row.session_id for one in page.items] == [one for one in order if one != "ses_d"]


@pytest.mark.parametrize("order", ["queue", "alerts", "newest"])
@pytest.mark.parametrize("risk", [None, RiskLevel.LOW])
async def test_pages_follow_each_other_without_gap_or_repetition(
    store: Store, order: str, risk: RiskLevel | None
) -> None:
    for number in range(23):
        session_id = f"ses_{number:02d}"
        changes = {"created_at_ms": NOW + number // 3, "risk": RiskLevel.LOW, "alert_id": "alr_1"}
        changes["kind"] = "alert" if number % 2 else "draft"
        made = waiting(session_id, NOW + number // 4, urgency=number % 3, **changes)
        await store.append(opened(made))
    whole = await store.rows(RowQuery(order, risk=risk, limit=50))  # type: ignore[arg-type]
    seen: list[str] = []
    after = None
    while True:
        page = await store.rows(RowQuery(order, risk=risk, after=after, limit=5))  # type: ignore[arg-type]
        seen += [one.row.session_id for one in page.items]
        assert page.total == 23
        after = page.next_after
        if after is None:
            break
    assert seen == [one.row.session_id for one in whole.items]
    assert len(seen) == 23


async def test_a_page_goes_on_where_it_ended_though_its_last_row_has_left(store: Store) -> None:
    for number in range(4):
        await store.append(opened(waiting(f"ses_{number}", NOW + number)))
    page = await store.rows(RowQuery("queue", limit=2))
    await store.append(append("ses_1", after=1))
    following = await store.rows(RowQuery("queue", limit=2, after=page.next_after))
    assert [one.row.session_id for one in following.items] == ["ses_2", "ses_3"]


@pytest.mark.parametrize("token", ["?", "bm90IGpzb24", "WzFd", "WyJhIiwgMSwgImIiXQ", "é"])
async def test_a_token_of_somebody_elses_making_is_refused(store: Store, token: str) -> None:
    with pytest.raises(paging.NotAToken):
        await store.rows(RowQuery("queue", after=token))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (RowQuery("queue", team="north"), "abd"),
        (RowQuery("queue", kind="alert"), "ac"),
        (RowQuery("queue", risk=RiskLevel.HIGH), "ac"),
        (RowQuery("queue", risk=RiskLevel.HIGH, team="south"), "c"),
        (RowQuery("queue", status="crisis", kind="alert", team="north"), "a"),
        (RowQuery("queue", status="closed"), ""),
        (RowQuery("alerts", team="north"), "ae"),
        (RowQuery("alerts", kind="alert"), "ac"),
        (RowQuery("alerts", status="closed", risk=RiskLevel.HIGH), "e"),
        (RowQuery("newest", status="closed"), "e"),
        (RowQuery("newest", team="north", kind="draft"), "b"),
        (RowQuery("newest", risk=RiskLevel.NONE), "abcde"),
        (RowQuery("queue", language="zh"), "bd"),
        (RowQuery("queue", team="north", language="en", limit=1), "a"),
        (RowQuery("newest", kind="alert", language="zh"), ""),
    ],
)
async def test_lists_give_what_was_asked_for_and_count_it(
    store: Store, query: RowQuery, expected: str
) -> None:
    crisis = {"kind": "alert", "status": "crisis", "risk": RiskLevel.HIGH, "alert_id": "alr_1"}
    for one in (
        waiting("a", urgency=33, **crisis),
        waiting("b", urgency=22, risk=RiskLevel.MODERATE, language="zh"),
        waiting("c", urgency=31, team="south", **crisis),
        waiting("d", urgency=5, kind="plan", risk=RiskLevel.NONE, language="zh"),
        row("e", status="closed", risk=RiskLevel.HIGH, alert_id="alr_1"),
    ):
        await store.append(opened(one))
    page = await store.rows(query)
    assert sorted(one.row.session_id for one in page.items) == sorted(expected)
    assert page.total == len(expected)


async def test_a_persons_list_has_what_is_assigned_to_them_and_what_they_hold_now(
    store: Store,
) -> None:
    for session_id, assigned in (("a", "anna"), ("b", None), ("c", "berta"), ("d", None)):
        await store.append(opened(waiting(session_id, assigned_to=assigned)))
    await store.claim(wish("anna", "b"))
    await store.claim(wish("anna", "d", until_ms=NOW + 10))
    await store.claim(wish("berta", "a"))

    async def of_anna(now_ms: int) -> list[str]:
        page = await store.rows(RowQuery("queue", person="anna", now_ms=now_ms))
        assert page.total == len(page.items)
        return [one.row.session_id for one in page.items]

    assert await of_anna(NOW) == ["a", "b", "d"]
    assert await of_anna(NOW + 10) == ["a", "b"]
    await store.release_claim("b", Fence("anna", 1))
    await store.append(append("a", after=1, row=waiting("a", seq=2, assigned_to="berta")))
    assert await of_anna(NOW) == ["d"]
    await store.claim(wish("berta", "d", take_over=True))
    assert await of_anna(NOW) == []


async def test_a_session_handed_over_is_in_that_persons_list_whenever_it_waits(
    store: Store,
) -> None:
    async def goes_on(seq: int, *, waits: bool, to: str = "anna") -> None:
        made = waiting("a", seq=seq, assigned_to=to) if waits else row("a", seq, assigned_to=to)
        await store.append(append("a", after=seq - 1, row=made))

    async def of(name: str) -> list[str]:
        page = await store.rows(RowQuery("queue", person=name, now_ms=NOW))
        assert list(await store.misplaced(await row_of(store))) == []
        return [one.row.session_id for one in page.items]

    await goes_on(1, waits=False)
    assert await of("anna") == []
    await goes_on(2, waits=True)
    assert await of("anna") == ["a"]
    claim = await store.claim(wish("anna", "a"))
    await goes_on(3, waits=False)
    assert await of("anna") == []
    await goes_on(4, waits=True, to="berta")
    assert (await of("anna"), await of("berta")) == (["a"], ["a"])
    await goes_on(5, waits=False, to="berta")
    await store.release_claim("a", Fence("anna", claim.number))
    await goes_on(6, waits=True, to="berta")
    assert (await of("anna"), await of("berta")) == ([], ["a"])


async def row_of(store: Store, session_id: str = "a") -> Row:
    """The row of a session that is there."""
    stored = await store.row(session_id)
    assert stored is not None
    return stored.row


@pytest.mark.parametrize("order", ["alerts", "newest"])
def test_only_the_queue_is_asked_for_by_person(order: Order) -> None:
    with pytest.raises(ValueError, match="queue"):
        RowQuery(order, person="anna")


async def test_lists_show_claims_that_have_not_ended(store: Store) -> None:
    await store.append(opened(waiting("a")))
    claim = await store.claim(wish("anna", "a"))
    for now_ms, shown in ((NOW, claim), (NOW + 60_000, None)):
        page = await store.rows(RowQuery("queue", now_ms=now_ms))
        assert [one.claim for one in page.items] == [shown]

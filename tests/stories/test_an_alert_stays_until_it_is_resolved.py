"""An alert that was seen is not over: it stays on the desk until somebody says how it ended."""

from typing import Any

import pytest

from tests.driving import Town

DONE = {"outcome": "safe", "note": "We spoke on the phone."}
CLOSE = "/v1/sessions/{}/close"


async def raised(here: Town, level: str) -> tuple[str, str]:
    """Open a session with an alert, and do what is due for it; give both ids."""
    ids = await here.alarmed(level)
    await here.work()
    return ids


async def alerts(here: Town, who: str = "ada", window: str = "") -> list[str]:
    items = (await here.call(who, "GET", f"/v1/alerts{window}")).json()["items"]
    assert all(one["resolved_at"] is None for one in items)
    return [one["alert_id"] for one in items]


async def kinds(here: Town) -> list[str]:
    """What waits, most urgent first."""
    return [one["kind"] for one in (await here.call("ada", "GET", "/v1/queue")).json()["items"]]


async def end(here: Town, alert: str, body: Any = DONE) -> None:
    answer = await here.call("ada", "POST", f"/v1/alerts/{alert}/resolve", body)
    assert answer.status_code == 200


@pytest.mark.parametrize("level", ["moderate", "high", "imminent"])
async def test_an_acknowledged_alert_is_still_listed(here: Town, level: str) -> None:
    _, alert = await raised(here, level)
    await here.acknowledge("ada", alert)
    assert await alerts(here) == [alert]
    assert await alerts(here, "far") == []
    await end(here, alert)
    assert await alerts(here) == []


async def test_an_acknowledged_moderate_alert_leaves_its_draft_in_the_queue(here: Town) -> None:
    _, alert = await raised(here, "moderate")
    assert await kinds(here) == ["alert"]
    await here.acknowledge("ada", alert)
    assert await kinds(here) == ["draft"]


@pytest.mark.parametrize(("level", "kind"), [("moderate", []), ("high", ["alert"])])
async def test_closing_a_session_ends_no_alert(here: Town, level: str, kind: list[str]) -> None:
    session, alert = await raised(here, level)
    await here.acknowledge("ada", alert)
    await here.call("app", "POST", CLOSE.format(session))
    assert await alerts(here) == [alert]
    assert await kinds(here) == kind
    await end(here, alert)
    assert (await alerts(here), await kinds(here)) == ([], [])
    assert (await here.desk("ada", session))["status"] == "closed"


@pytest.mark.parametrize("level", ["moderate", "high"])
async def test_an_unseen_alert_of_a_closed_session_waits_in_the_queue(
    here: Town, level: str
) -> None:
    session, alert = await raised(here, level)
    await here.call("app", "POST", CLOSE.format(session))
    assert (await alerts(here), await kinds(here)) == ([alert], ["alert"])


async def test_a_session_that_nobody_can_open_hides_no_other_alert(
    here: Town, capsys: pytest.CaptureFixture[str]
) -> None:
    lost, _ = await raised(here, "imminent")
    _, alert = await raised(here, "high")
    wrapped = await here.store.wrapped_key(lost) or b""
    assert await here.store.rewrap(lost, wrapped, bytes(len(wrapped)))
    here.restart()
    assert (await alerts(here), await kinds(here)) == ([alert], ["alert", "alert"])
    told = [line for line in capsys.readouterr().out.splitlines() if "KeyUnreadable" in line]
    assert told
    assert all(lost in line for line in told)


async def test_an_erased_session_has_no_alert(here: Town) -> None:
    session, _ = await raised(here, "high")
    await here.call("sue", "DELETE", f"/v1/sessions/{session}")
    assert (await alerts(here), await kinds(here)) == ([], [])


async def test_an_unseen_alert_comes_before_those_that_were_seen_page_by_page(here: Town) -> None:
    seen = [(await raised(here, "moderate"))[1] for _ in range(3)]
    for alert in seen:
        here.clock.tick(1_000)
        await here.acknowledge("ada", alert)
    _, unseen = await raised(here, "moderate")
    _, danger = await raised(here, "high")
    listed: list[str] = []
    window = "?page_size=2"
    while True:
        page = (await here.call("ada", "GET", f"/v1/alerts{window}")).json()
        listed += [one["alert_id"] for one in page["items"]]
        if page["next_page_token"] is None:
            break
        window = f"?page_size=2&page_token={page['next_page_token']}"
    assert listed == [danger, unseen, *seen]


async def test_an_alert_does_not_end_with_danger_that_its_reader_had_not_seen(here: Town) -> None:
    session, alert = await raised(here, "imminent")
    read = await here.length(session)
    await here.say(session, "[imminent]")
    for body in (DONE, DONE | {"basis": read}):
        refused = await here.call("ada", "POST", f"/v1/alerts/{alert}/resolve", body)
        assert (refused.status_code, refused.json()["code"]) == (409, "basis_is_stale")
    await here.work()
    assert (await alerts(here), await kinds(here)) == ([alert], ["alert"])
    desk = await here.desk("ada", session)
    assert (desk["status"], desk["draft"], here.engine.prompts) == ("crisis", None, [])
    await end(here, alert, body=DONE | {"basis": desk["seq"]})
    assert (await here.desk("ada", session))["status"] == "open"


async def test_without_a_basis_what_was_acknowledged_counts_as_read(here: Town) -> None:
    session, alert = await raised(here, "high")
    await here.say(session, "[high]")
    await here.acknowledge("ada", alert)
    await here.say(session, "[high]")
    await end(here, alert)
    (newest,) = await alerts(here)
    assert newest != alert, "what came after it was seen has an alert of its own"
    assert (await here.desk("ada", session))["status"] == "crisis"


async def test_calm_words_and_pages_make_no_reading_stale(here: Town) -> None:
    session, alert = await raised(here, "imminent")
    read = await here.length(session)
    await here.say(session, "Are you there?")
    await here.work(60_000)
    await end(here, alert, body=DONE | {"basis": read})
    assert await alerts(here) == []


async def test_nobody_has_read_what_is_not_written_yet(here: Town) -> None:
    _, alert = await raised(here, "high")
    body = DONE | {"basis": 1_000}
    refused = await here.call("ada", "POST", f"/v1/alerts/{alert}/resolve", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "basis_is_stale")

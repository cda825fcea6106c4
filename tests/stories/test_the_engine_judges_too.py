"""Where a large base serves it is asked for its opinion of danger; it can only raise a level."""

from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import product

import pytest

from safety.risk import Category, Evidence, RiskLevel, RiskReport
from service.ports import Drafting
from service.session import alarms, decide, events
from service.session.duties import Policy
from service.session.evolve import fold
from tests.driving import Json, Town, town
from tests.fakes import BASE, START_MS


@pytest.fixture
async def judged() -> AsyncIterator[Town]:
    """A service whose base is asked too."""
    async with town() as here:
        here.ports = replace(here.ports, drafting=Drafting(judge=BASE))
        here.restart()
        yield here


def opinions(here: Town) -> list[str]:
    """What the engine was shown when it was asked for its opinion."""
    return [one.messages[-1].content for one in here.engine.prompts if one.template == "judge"]


async def alerts(here: Town, session: str) -> list[Json]:
    return (await here.desk("ada", session))["alerts"]


async def test_a_small_base_is_not_asked(here: Town) -> None:
    await here.drafted()
    assert here.engine.prompts
    assert opinions(here) == []


async def test_danger_that_only_the_engine_sees_calls_people_and_stops_drafting(
    judged: Town,
) -> None:
    judged.engine.judges = "high"
    session = await judged.open()
    assert (await judged.say(session, "I gave my books away.")).status_code == 202
    assert judged.engine.prompts == []
    await judged.work()
    desk = await judged.desk("ada", session)
    (alert,) = desk["alerts"]
    assert (alert["level"], alert["source"], desk["status"]) == ("high", "engine", "crisis")
    assert [one.template for one in judged.engine.prompts] == ["judge"]
    assert desk["draft"] is None
    assert [page.level for page in judged.pager.pages] == ["high"]
    items = (await judged.call("ada", "GET", "/v1/queue")).json()["items"]
    assert [one["risk"] for one in items] == ["high"]


async def test_a_moderate_opinion_calls_people_beside_the_draft(judged: Town) -> None:
    judged.engine.judges = "moderate"
    session = await judged.drafted("It would be easier not to wake up.")
    assert [one["level"] for one in await alerts(judged, session)] == ["moderate"]
    assert (await judged.desk("ada", session))["draft"]["source"] == "model"


async def test_calm_words_of_the_engine_take_no_alert_back(judged: Town) -> None:
    session = await judged.drafted("[moderate]")
    (alert,) = await alerts(judged, session)
    assert (alert["level"], alert["source"]) == ("moderate", "rules")
    assert len(opinions(judged)) == 1


async def test_a_message_is_judged_once_however_often_it_is_drafted_for(judged: Town) -> None:
    session = await judged.drafted("First.")
    await judged.decide("ada", session, "reject", reasons=["style"])
    await judged.work()
    await judged.say(session, "Second.")
    await judged.say(session, "Third.")
    await judged.work()
    newest = [told.split("<<<\n")[1].split("\n>>>")[0] for told in opinions(judged)]
    assert newest == ["First.", "Third.", "Second."]


async def test_two_dangerous_lines_at_once_are_one_alert_and_one_notice(judged: Town) -> None:
    judged.policy = replace(judged.policy, crisis_notice={"en": "Call the number on the wall."})
    judged.restart()
    judged.engine.judges = "high"
    session = await judged.open()
    await judged.say(session, "I gave my books away.")
    await judged.say(session, "And my guitar.")
    await judged.work()
    assert len(await alerts(judged, session)) == 1
    assert len(await judged.replies(session)) == 1
    assert len(judged.pager.pages) == 1


async def test_what_a_human_has_resolved_is_not_raised_again(judged: Town) -> None:
    judged.engine.judges = "imminent"
    session, alert = await judged.alarmed("high")
    await judged.claim("ada", session)
    judged.clock.tick(1_000)
    basis = (await judged.desk("ada", session))["seq"]
    body = {"outcome": "safe", "note": "Spoke by telephone.", "basis": basis}
    answer = await judged.write("ada", session, "POST", f"/v1/alerts/{alert}/resolve", body)
    assert answer.status_code == 200, answer.json()
    await judged.work(60_000)
    assert [one for one in await alerts(judged, session) if one["level"] == "imminent"] == []
    assert opinions(judged) == []


async def test_words_that_came_while_a_human_resolved_are_judged_all_the_same(
    judged: Town,
) -> None:
    judged.engine.judges = "imminent"
    session, alert = await judged.alarmed("high")
    await judged.claim("ada", session)
    basis = (await judged.desk("ada", session))["seq"]
    await judged.say(session, "I gave my books away.")
    judged.clock.tick(1_000)
    body = {"outcome": "safe", "note": "Spoke by telephone.", "basis": basis}
    answer = await judged.write("ada", session, "POST", f"/v1/alerts/{alert}/resolve", body)
    assert answer.status_code == 200, answer.json()["code"]
    await judged.work(60_000)
    assert [one["level"] for one in await alerts(judged, session)] == ["high", "imminent"]
    assert len(opinions(judged)) == 1


@pytest.mark.parametrize(
    ("basis", "clock_ms", "told"),
    [
        (None, 1, ["message_judged"]),
        (3, -60_000, ["message_judged"]),
        (2, -60_000, ["message_judged"]),
        (1, 1, ["message_judged", "alert_raised", "crisis_notice_sent"]),
        (0, 1, ["message_judged", "alert_raised", "crisis_notice_sent"]),
    ],
)
def test_a_human_who_resolves_while_the_engine_thinks_has_the_last_word_on_what_she_read(
    basis: int | None, clock_ms: int, told: list[str]
) -> None:
    def verdict(level: RiskLevel) -> RiskReport:
        return RiskReport(level, Category.SUICIDE, 0.9, (), "rules")

    policy = Policy(crisis_notice={"en": "Call the number on the wall."})
    said = decide.Message("m1", "a1", "n1", "Words.", verdict(RiskLevel.HIGH))
    begun = events.SessionOpened(client_ref="c", team="t", language="en", region="US")
    heard = [begun, *decide.receive(fold("s1", []), said, Policy())]
    ended = alarms.AlertResolved(alert_id="a1", outcome="safe", note="Spoke.", basis=basis)
    log = [events.Recorded(seq, START_MS, "app", one) for seq, one in enumerate(heard, 1)]
    log.append(events.Recorded(9, START_MS + clock_ms, "ada", ended))
    opinion = said._replace(report=verdict(RiskLevel.IMMINENT))
    late = decide.judged(fold("s1", log), [opinion], policy)
    assert [one.type for one in late] == told


def test_a_resolution_of_before_is_read_and_a_new_one_keeps_what_was_read() -> None:
    old = b'{"type":"alert_resolved","alert_id":"a1","outcome":"safe","note":"Spoke."}'
    before = events.read(old)
    assert isinstance(before, alarms.AlertResolved)
    assert before.basis is None
    assert events.write(before) == old
    after = before.model_copy(update={"basis": 7})
    assert events.read(events.write(after)) == after


def test_no_notice_goes_where_the_screen_saw_violence_mentioned() -> None:
    mention = Evidence(0, 5, Category.HARM_FROM_OTHERS, "past")
    calm = RiskReport(RiskLevel.LOW, Category.NONE, 0.3, (mention,), "rules")
    high = RiskReport(RiskLevel.HIGH, Category.SUICIDE, 0.85, (), "engine")
    policy = Policy(crisis_notice={"en": "Call the number on the wall."})
    said = decide.Message("m1", "a1", "n1", "He used to hit me.", calm)
    begun = events.SessionOpened(client_ref="c", team="t", language="en", region="US")
    log = [events.Recorded(1, START_MS, "app", begun)]
    (received,) = decide.receive(fold("s1", log), said, policy)
    state = fold("s1", [*log, events.Recorded(2, START_MS, "app", received)])
    told = decide.judged(state, [said._replace(report=high)], policy)
    assert [one.type for one in told] == ["message_judged", "alert_raised"]


@pytest.mark.parametrize("manner", ["down", "slow", "garbage"])
async def test_an_engine_without_an_opinion_delays_and_changes_nothing(
    judged: Town, manner: str
) -> None:
    judged.engine.manner = manner  # pyright: ignore[reportAttributeAccessIssue]
    session = await judged.drafted("Everything is heavy.")
    assert (await judged.desk("ada", session))["draft"]["source"] == "template"
    assert await alerts(judged, session) == []
    judged.engine.manner, judged.engine.judges = "ok", "high"
    await judged.work(60_000)
    assert [one["level"] for one in await alerts(judged, session)] == ["high"]


async def test_the_engine_is_asked_about_scrubbed_words(judged: Town) -> None:
    await judged.drafted("My brother Gregor never calls.")
    (told,) = opinions(judged)
    assert "Gregor" not in told
    assert "never calls" in told


@pytest.mark.parametrize(("screen", "engine"), list(product(RiskLevel, RiskLevel)))
def test_a_message_is_as_urgent_as_its_most_worried_judge(
    screen: RiskLevel, engine: RiskLevel
) -> None:
    def report(level: RiskLevel, source: str) -> RiskReport:
        score = 0.2 * level.rank
        return RiskReport(level, Category.SUICIDE, score, (), source)  # pyright: ignore

    def message(level: RiskLevel, source: str) -> decide.Message:
        return decide.Message("m1", f"a-{source}", "n1", "Words.", report(level, source))

    def after(*told: events.Event) -> list[events.Recorded]:
        begun = events.SessionOpened(client_ref="c", team="t", language="en", region="US")
        return [
            events.Recorded(seq, START_MS, "app", event)
            for seq, event in enumerate((begun, *told), 1)
        ]

    state = fold("s1", after())
    received = decide.receive(state, message(screen, "rules"), Policy())
    state = fold("s1", after(*received))
    told = decide.judged(state, [message(engine, "engine")], Policy())
    after_all = fold("s1", after(*received, *told))
    worst = max(screen, engine, key=lambda level: level.rank)
    assert after_all.entries[0].level is worst
    assert after_all.newest_level is worst
    open_now = [alarm.level for alarm in after_all.open_alarms]
    assert open_now[:1] == ([worst] if worst.at_least(RiskLevel.MODERATE) else [])
    assert decide.judged(after_all, [message(engine, "engine")], Policy()) == ()


async def test_violence_that_only_the_engine_names_keeps_the_crisis_notice_away() -> None:
    policy = Policy(hold_ms=0, crisis_notice={"en": "Please call 555-0100."})
    async with town(policy=policy) as here:
        here.ports = replace(here.ports, drafting=Drafting(judge=BASE))
        here.restart()
        here.engine.judges, here.engine.judged_as = "low", Category.HARM_FROM_OTHERS
        session = await here.drafted("He reads what I write.")
        await here.say(session, "[high]")
        assert await here.replies(session) == []

"""The pictures must not contradict the product: what is canned keeps the product's own rules."""

import pytest

from planner import machine
from planner.plan_rules import check_plan
from planner.vocabulary import Plan, Strategy
from safety.guard import GuardContext, check
from safety.surrogates import Surrogates
from service.schemas.workspace import Workspace
from tests.console import canned, canned_admin, canned_crisis, fake_api
from tests.console.canned_talk import HIGH, MODERATE, STEPS

WORKSPACES = [
    *(made(session) for session, made in fake_api.SESSIONS.items()),
    *(made(canned.DRAFTED) for made in fake_api.SCENES.values()),
    canned.workspace_of(canned.DRAFTED),
    canned.workspace_of(canned.DRAFTED, 40),
]


@pytest.mark.parametrize("whole", WORKSPACES)
def test_a_reply_repeats_its_step_or_takes_the_next(whole: Workspace) -> None:
    position = machine.start()
    for line in whole.transcript:
        if line.action is not None:
            position = machine.advance(position, line.action)
    assert position.cursor == whole.plan.position.action_index
    assert whole.action == position.plan.actions[position.cursor or 0]
    for candidate in whole.draft.candidates if whole.draft else ():
        assert candidate.action in machine.candidates(position)


@pytest.mark.parametrize("whole", WORKSPACES)
def test_an_alert_is_about_words_that_are_there(whole: Workspace) -> None:
    said = {line.id: line for line in whole.transcript}
    for alert in whole.alerts:
        danger = next(one for one in (HIGH, MODERATE) if one.level is alert.level)
        assert said[alert.message_id].text == danger.text
        marked = [danger.text[one.start : one.end] for one in alert.evidence]
        assert marked == [words for words, _ in danger.shown_by]
    assert sorted(whole.transcript, key=lambda line: line.at) == list(whole.transcript)


def test_every_alert_of_the_desk_is_in_its_session_and_no_dark_word_without_one() -> None:
    for alert in (canned_crisis.alert(), canned_crisis.alert(MODERATE, canned.WATCHED, seen=True)):
        here = fake_api.SESSIONS[alert.session_id](alert.session_id)
        assert [one.alert_id for one in here.alerts] == [alert.alert_id]
    for whole in WORKSPACES:
        dark = [line for line in whole.transcript if line.text in {HIGH.text, MODERATE.text}]
        assert len(dark) == len(whole.alerts)


def test_the_queue_is_in_the_products_order() -> None:
    items = canned_admin.queue(100).items
    order = [(-item.risk.rank, -int(item.score * 10), item.waiting_since) for item in items]
    assert order == sorted(order)
    assert len({item.session_id for item in items}) == len(items)
    alerts = [item for item in items if item.kind == "alert"]
    assert [item.session_id for item in alerts] == [canned.IN_CRISIS]


def test_the_proposed_plan_obeys_the_rules_and_its_row_stands_in_the_first_stage() -> None:
    whole = canned.planned_workspace(canned.PLANNED)
    assert machine.needs_plan(machine.move(machine.start(), whole.stage, 3))
    assert whole.plan.proposed is not None
    plan = Plan(Strategy.EVIDENCE_BASED_QUESTIONING, "text", "reason", STEPS)
    assert check_plan(plan) == ()
    assert whole.plan.proposed.plan.actions == STEPS
    for item in canned_admin.queue(8).items:
        steps = canned.ACTIONS if item.stage == "diagnostic" else STEPS
        assert item.action in steps


@pytest.mark.parametrize("whole", WORKSPACES)
def test_a_draft_passes_the_checks_it_says_it_passed(whole: Workspace) -> None:
    heard = " ".join(line.text for line in whole.transcript if line.kind == "client")
    context = GuardContext("en", "model", Surrogates(), heard)
    for candidate in whole.draft.candidates if whole.draft else ():
        assert {one.verdict for one in check(candidate.utterance, context)} == {"pass"}

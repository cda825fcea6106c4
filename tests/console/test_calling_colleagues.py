"""Escalate is always at hand, and gets through: with a draft or without, and under no claim too."""

import pytest

from service.schemas.workspace import Workspace
from tests.console.canned import DRAFTED, workspace_of
from tests.console.canned_crisis import crisis_workspace
from tests.console.watched import Line, errors, over
from ui import texts

BY_HAND = f"/v1/sessions/{DRAFTED}/alerts"
VERDICT = "/v1/drafts/drf_1/decisions"


def without(reason: str) -> Workspace:
    return workspace_of(DRAFTED, draft=None, no_draft_reason=reason)


@pytest.mark.parametrize(
    "shows",
    [without("drafting"), without("paused"), without("reply_is_held"),
     without("nothing_to_answer"), crisis_workspace(DRAFTED)],
    ids=["drafting", "paused", "held", "answered", "crisis"],
)  # fmt: skip
def test_people_can_be_called_where_there_is_no_draft(line: Line, shows: Workspace) -> None:
    line.shows = shows
    script = over(line, "workspace").button(key="escalate").click().run()
    script.button(key="question_go").click().run()
    assert errors(script) == []
    assert line.written == [(BY_HAND, {"level": "high", "category": "none"})]
    assert [one.value for one in script.toast] == [texts.say("en", "question.escalate_done")]


def test_people_can_be_called_to_a_session_that_a_colleague_holds(line: Line) -> None:
    script = over(line, "workspace", "therapist-taken").button(key="escalate").click().run()
    script.radio(key=f"level_{DRAFTED}").set_value("imminent")
    script.selectbox(key=f"category_{DRAFTED}").set_value("suicide")
    script.text_input(key=f"danger_{DRAFTED}").set_value("said goodbye to everybody")
    script.button(key="question_go").click().run()
    assert errors(script) == []
    told = {"level": "imminent", "category": "suicide", "note": "said goodbye to everybody"}
    assert line.written == [(BY_HAND, told)]


def test_what_was_chosen_is_said_though_a_draft_comes_meanwhile(line: Line) -> None:
    line.shows = without("drafting")
    script = over(line, "workspace").button(key="escalate").click().run()
    script.radio(key=f"level_{DRAFTED}").set_value("imminent")
    script.text_input(key=f"danger_{DRAFTED}").set_value("said goodbye to everybody").run()
    line.shows = None
    script.run()
    script.button(key="question_go").click().run()
    told = {"level": "imminent", "category": "none", "note": "said goodbye to everybody"}
    assert line.written == [(BY_HAND, told)]


def test_with_a_draft_it_is_the_verdict_on_the_draft(line: Line) -> None:
    script = over(line, "workspace").button(key="escalate").click().run()
    script.button(key="question_go").click().run()
    assert [path for path, _ in line.written] == [VERDICT]


def test_a_draft_that_is_decided_on_by_now_holds_no_call_up(line: Line) -> None:
    script = over(line, "workspace").button(key="escalate").click().run()
    line.refuses[VERDICT] = (409, "already_decided")
    script.button(key="question_go").click().run()
    assert errors(script) == []
    assert [path for path, _ in line.written] == [VERDICT, BY_HAND]


def test_a_call_that_outlives_the_claim_gets_through(line: Line) -> None:
    script = over(line, "workspace").button(key="escalate").click().run()
    line.refuses["/claim"] = (409, "claimed_by_other")
    script.session_state["desk"].claims.clear()
    script.button(key="question_go").click().run()
    assert errors(script) == []
    assert [path for path, _ in line.written] == [BY_HAND]


def test_a_call_that_the_service_cannot_take_is_not_said_to_be_made(line: Line) -> None:
    line.shows = without("drafting")
    script = over(line, "workspace").button(key="escalate").click().run()
    line.refuses[BY_HAND] = (503, "unavailable")
    script.button(key="question_go").click().run()
    assert errors(script) == [texts.say("en", "refused.unavailable")]
    assert len(script.toast) == 0

"""Where something fails the desk says so, and neither words nor the way back are lost."""

import pytest
from pydantic import ValidationError
from streamlit.testing.v1 import AppTest

from service.schemas.workspace import Held, NoteRequest, Workspace
from tests.console.canned import DRAFTED, PLANNED, ago, planned_workspace, workspace_of
from tests.console.canned_crisis import crisis_workspace
from tests.console.canned_talk import REPLY
from tests.console.test_pages import shows
from tests.console.watched import Line, errors, over
from ui import texts

NOTE = f"note_{DRAFTED}"


def say(key: str) -> str:
    return texts.say("en", key)


def asks(line: Line, panel: str) -> AppTest:
    """The workspace with one question open."""
    script = over(line, "workspace")
    return script.button(key=panel).click().run()


@pytest.mark.parametrize("text", ["x" * 4001, "Anna Kowalska\x0bcalled"])
def test_a_note_the_service_would_refuse_is_refused_here(line: Line, text: str) -> None:
    script = asks(line, "note")
    script.text_area(key=NOTE).set_value(text)
    script.button(key="question_go").click().run()
    assert errors(script) == [say("refused.invalid_request")]
    assert line.written == []
    assert (script.text_area(key=NOTE).value == text) is True


def test_a_reply_the_service_would_refuse_is_refused_here(line: Line) -> None:
    script = over(line, "workspace")
    script.session_state["desk"].editor(DRAFTED).text = "pasted\x0bwords"
    script.run()
    script.button(key="send").click().run()
    assert errors(script) == [say("refused.invalid_request")]
    assert line.written == []


def test_what_was_written_never_stands_in_an_error() -> None:
    with pytest.raises(ValidationError) as caught:
        NoteRequest(text="Anna Kowalska\x0bcalled")
    assert "Anna" not in str(caught.value)


def test_a_question_that_outlives_the_claim_says_so(line: Line) -> None:
    script = asks(line, "redraft")
    line.refuses["/claim"] = (409, "claimed_by_other")
    script.session_state["desk"].claims.clear()
    script.button(key="question_go").click().run()
    assert errors(script) == [say("refused.claim_required")]
    assert line.written == []


def test_a_note_needs_no_claim(line: Line) -> None:
    script = asks(line, "note")
    line.refuses["/claim"] = (409, "claimed_by_other")
    script.session_state["desk"].claims.clear()
    script.text_area(key=NOTE).set_value("prefers short questions")
    script.button(key="question_go").click().run()
    assert errors(script) == []
    assert [path for path, _ in line.written] == [f"/v1/sessions/{DRAFTED}/notes"]


def test_a_question_about_a_draft_that_is_gone_is_answered(line: Line) -> None:
    script = asks(line, "reject")
    line.shows = workspace_of(DRAFTED, draft=None, no_draft_reason="drafting")
    script.run()
    script.button(key="question_go").click().run()
    assert errors(script) == [say("refused.draft_is_stale")]


def test_undo_stays_until_it_is_known_to_have_worked(line: Line) -> None:
    script = over(line, "workspace").button(key="send").click().run()
    line.loses = "/decisions/dec_1"
    script.button(key="undo_dec_1").click().run()
    assert errors(script) == [say("hold.not_undone")]
    assert "undo_dec_1" in {button.key for button in script.button}
    line.loses, line.refuses = None, {"/decisions/dec_1": (409, "already_released")}
    script.button(key="undo_dec_1").click().run()
    assert errors(script) == [say("refused.already_released")]
    assert "undo_dec_1" not in {button.key for button in script.button}


def test_a_decision_can_be_taken_back_after_a_refresh(line: Line) -> None:
    held = Held(decision_id="dec_7", text=REPLY, action="ask", release_at=ago(-1))
    line.shows = workspace_of(DRAFTED, draft=None, no_draft_reason="reply_is_held", held=held)
    script = over(line, "workspace")
    line.loses = "/decisions"
    script.button(key="undo_dec_7").click().run()
    assert [path for path, _ in line.written] == ["/v1/decisions/dec_7"]


@pytest.mark.parametrize(
    ("status", "code", "kept"),
    [(503, "unavailable", True), (429, "rate_limited", True), (409, "claim_lost", False)],
)
def test_only_a_colleague_takes_a_session_away(
    line: Line, status: int, code: str, kept: bool
) -> None:
    desk = over(line, "workspace").session_state["desk"]
    line.refuses["/claim"] = (status, code)
    renewing = AppTest.from_string(f"from ui.claims import renew\nrenew('{DRAFTED}')")
    renewing.session_state["desk"] = desk
    renewing.run()
    assert len(renewing.exception) == 0
    assert ((DRAFTED in desk.claims), (DRAFTED in desk.lost)) == (kept, not kept)


def fields(script: AppTest) -> list[str]:
    """The form's fields: the browser keeps what is half-written as long as these stay."""
    return [one.id for one in (*script.text_input, *script.text_area, *script.radio)]


def test_half_written_plans_outlive_a_failed_look(line: Line) -> None:
    script = over(line, "plan").button(key="edit_proposed").click().run()
    before = fields(script)
    line.cut = True
    script.run()
    assert shows(script, "state.offline_kept", "en")
    assert fields(script) == before
    ways = {one.label: one.disabled for one in script.button}
    assert (ways[say("plan.edit_go")], ways[say("formulation.save")]) == (True, True)
    line.cut = False
    assert not script.run().button(key="approve_plan").disabled


@pytest.mark.parametrize(("status", "code"), [(503, "unavailable"), (429, "rate_limited")])
def test_a_half_written_resolution_outlives_a_failed_look(
    line: Line, status: int, code: str
) -> None:
    script = over(line, "crisis", "therapist-crisis.away").button(key="resolve").click().run()
    before = fields(script)
    line.refuses["/workspace"] = (status, code)
    script.run()
    assert errors(script) == []
    assert fields(script) == before


def loses(line: Line, script: AppTest, whole: Workspace) -> AppTest:
    """A colleague takes the session over."""
    line.shows = whole.model_copy(update={"claimed_by": "S. Supervisor"})
    desk = script.session_state["desk"]
    desk.claims.clear()
    desk.lost.add(whole.session_id)
    return script.run()


def shut(script: AppTest, *ways: str) -> list[bool]:
    """Which of these buttons cannot be pressed."""
    found = {one.label: one.disabled for one in script.button}
    return [found[say(way)] for way in ways]


def test_half_written_plans_outlive_a_lost_claim_and_can_be_sent_once_it_is_back(
    line: Line,
) -> None:
    ways = ("plan.edit_go", "formulation.save", "plan.approve")
    script = over(line, "plan").button(key="edit_proposed").click().run()
    before = fields(script)
    script = loses(line, script, planned_workspace(PLANNED))
    assert shows(script, "workspace.lost", "en")
    assert fields(script) == before
    assert shut(script, *ways) == [True, True, True]
    script.button(key="take").click().run()
    script.text_input(key=f"take_over_{PLANNED}").set_value("shift change")
    script.button(key="question_go").click().run()
    assert errors(script) == []
    assert fields(script) == before
    assert shut(script, *ways) == [False, False, False]


def test_a_half_written_resolution_outlives_a_lost_claim(line: Line) -> None:
    script = over(line, "crisis", "therapist-crisis.taken").button(key="resolve").click().run()
    before = fields(script)
    script = loses(line, script, crisis_workspace(DRAFTED))
    assert shows(script, "workspace.lost", "en")
    assert fields(script) == before
    assert shut(script, "crisis.resolve_go") == [True]


@pytest.mark.parametrize(("page", "path"), [("crisis", "/alerts"), ("workspace", "/workspace")])
@pytest.mark.parametrize(
    ("status", "code", "retried"),
    [(503, "unavailable", True), (429, "rate_limited", True), (403, "forbidden", False)],
)
def test_a_card_about_what_passes_goes_by_itself(
    line: Line, page: str, path: str, status: int, code: str, retried: bool
) -> None:
    line.refuses[path] = (status, code)
    script = over(line, page)
    assert errors(script) == []
    assert shows(script, f"refused.{code}", "en")
    assert ("failed_at" in script.session_state) is retried


def test_a_busy_service_leaves_the_crisis_desk_its_alerts(line: Line) -> None:
    script = over(line, "crisis", "therapist-crisis.busy")
    line.refuses["/alerts"] = (429, "rate_limited")
    script.run()
    assert shows(script, "crisis.old_list", "en")
    assert "open_alr_1" in {one.key for one in script.button}

"""A press decides on what stood on the screen, once, and never on what has come since."""

import pytest
from streamlit.testing.v1 import AppTest

from service.schemas.problem import CheckResult
from service.schemas.workspace import Held
from service.schemas.workspace import Line as Said
from tests.console.canned import DRAFTED, PLANNED, ago, draft, planned_workspace, workspace_of
from tests.console.canned_talk import REPLY
from tests.console.watched import Line, errors, over, press
from ui import texts

OTHER = "Let us leave that thought and look at your week."


def say(key: str, **places: object) -> str:
    return texts.say("en", key, **places)


def newer(line: Line) -> None:
    """Another draft lies on the desk from now on."""
    old = draft()
    words = old.candidates[0].model_copy(update={"utterance": OTHER})
    other = old.model_copy(update={"draft_id": "drf_2", "candidates": (words,)})
    line.shows = workspace_of(DRAFTED, draft=other, seq=99)


def text_of(script: AppTest) -> str:
    return script.session_state["desk"].editor(DRAFTED).text


def because(script: AppTest, reason: str) -> AppTest:
    """Choose a reason."""
    chips = script.button_group
    next(one for one in chips if one.proto.label == say("send.reasons")).set_value([reason])
    return script


def decisions(line: Line) -> list[tuple[str, object, object]]:
    return [(path, body.get("verdict"), body.get("basis")) for path, body in line.written]


def test_approving_approves_the_draft_that_was_read(line: Line) -> None:
    script = over(line, "workspace")
    newer(line)
    line.refuses["/decisions"] = (409, "draft_is_stale")
    script.button(key="send").click().run()
    assert decisions(line) == [("/v1/drafts/drf_1/decisions", "approve", 42)]
    assert errors(script) == [say("refused.draft_is_stale")]
    assert (text_of(script) == OTHER) is True


def test_an_edit_is_sent_as_an_edit_of_the_draft_that_was_read(line: Line) -> None:
    script = over(line, "workspace")
    script.session_state["desk"].editor(DRAFTED).text = f"{REPLY} Take your time."
    script.run()
    newer(line)
    script.button(key="send").click().run()
    assert decisions(line) == [("/v1/drafts/drf_1/decisions", "edit", 42)]
    assert line.written[0][1]["text"] == f"{REPLY} Take your time."


@pytest.mark.parametrize("verdict", ["reject", "escalate"])
def test_a_question_is_about_the_draft_that_was_read(line: Line, verdict: str) -> None:
    script = over(line, "workspace").button(key=verdict).click().run()
    if verdict == "reject":
        because(script, "clarity").run()
    newer(line)
    script.button(key="question_go").click().run()
    assert errors(script) == []
    assert decisions(line) == [("/v1/drafts/drf_1/decisions", verdict, 42)]


def test_a_plan_is_approved_as_it_was_read(line: Line) -> None:
    line.shows = planned_workspace(PLANNED)
    script = over(line, "plan")
    desk = line.shows.plan
    assert desk.proposed is not None
    other = desk.proposed.model_copy(update={"plan_id": "pln_B"})
    line.shows = line.shows.model_copy(
        update={"seq": 99, "plan": desk.model_copy(update={"proposed": other})}
    )
    line.refuses["/decisions"] = (409, "basis_is_stale")
    script.button(key="approve_plan").click().run()
    assert decisions(line) == [("/v1/plans/pln_2/decisions", "approve", 42)]
    assert errors(script) == [say("refused.basis_is_stale")]


def test_an_edited_plan_says_why(line: Line) -> None:
    script = over(line, "plan").button(key="edit_proposed").click().run()
    script.text_input[0].set_value("slower, step by step")
    script = press(script, say("plan.edit_go"))
    assert errors(script) == []
    assert line.written[0][1]["reason"] == "slower, step by step"


def test_a_plan_is_not_rejected_without_a_word_about_why(line: Line) -> None:
    script = over(line, "plan").button(key="reject_plan").click().run()
    script = press(script, say("plan.reject_go"))
    assert errors(script) == [say("question.missing_reasons")]
    assert line.written == []


@pytest.mark.parametrize(
    ("panel", "go"),
    [
        ("move", "plan.move_go"),
        ("edit_plan", "plan.edit_go"),
        ("edit_proposed", "plan.edit_go"),
        ("reject_plan", "plan.reject_go"),
    ],
)
def test_a_press_without_a_reason_is_over_and_holds_up_no_news(
    line: Line, panel: str, go: str
) -> None:
    script = over(line, "plan").button(key=panel).click().run()
    script = press(script, say(go))
    missing = "reasons" if panel == "reject_plan" else "text"
    assert errors(script) == [say(f"question.missing_{missing}")]
    line.shows = planned_workspace(PLANNED).model_copy(update={"held": held()})
    assert "undo_dec_1" in {button.key for button in script.run().button}
    assert line.written == []


def test_a_plan_is_rejected_for_the_reasons_that_were_chosen(line: Line) -> None:
    script = over(line, "plan").button(key="reject_plan").click().run()
    script = press(because(script, "clarity"), say("plan.reject_go"))
    assert errors(script) == []
    assert decisions(line) == [("/v1/plans/pln_2/decisions", "reject", 42)]
    assert line.written[0][1]["reasons"] == ["clarity"]


def test_resolving_tells_the_service_how_far_was_read(line: Line) -> None:
    script = over(line, "crisis", "therapist-crisis.basis").button(key="resolve").click().run()
    script.radio(key=f"outcome_{DRAFTED}").set_value("safe")
    script.text_area(key=f"agreed_{DRAFTED}").set_value("met a colleague")
    press(script, say("crisis.resolve_go"))
    assert [body["basis"] for path, body in line.written if path.endswith("/resolve")] == [42]


def test_a_lost_answer_is_not_called_unsent(line: Line) -> None:
    script = over(line, "workspace")
    line.loses = "/decisions"
    script.button(key="send").click().run()
    assert errors(script) == [say("state.unanswered_send")]
    line.loses, line.cut = None, True
    script.run()
    line.cut = False
    line.shows = workspace_of(DRAFTED, draft=None, no_draft_reason="reply_is_held", held=held())
    script.run()
    assert "undo_dec_1" in {button.key for button in script.button}
    assert text_of(script) == ""


@pytest.mark.parametrize("where", ["held", "sent"])
def test_the_same_words_do_not_go_out_twice(line: Line, where: str) -> None:
    said = Said(kind="reply", id="rpl_1", seq=50, at=ago(0), text=REPLY, by="R. Therapist")
    whole = workspace_of(DRAFTED, draft=None, no_draft_reason="nothing_to_answer")
    changed = {"held": held()} if where == "held" else {"transcript": (*whole.transcript, said)}
    line.shows = whole.model_copy(update=changed)
    script = over(line, "workspace")
    script.session_state["desk"].editor(DRAFTED).text = REPLY
    script.session_state["desk"].editor(DRAFTED).own = True
    script.run()
    assert say("send.blocked_twice") in [one.value for one in script.caption]
    assert script.button(key="send").disabled


def test_a_confirmed_warning_stays_confirmed_while_the_words_stay(line: Line) -> None:
    script = over(line, "workspace")
    editor = script.session_state["desk"].editor(DRAFTED)
    editor.warnings = (CheckResult(check="length", verdict="warn", detail="long"),)
    typing = AppTest.from_string(
        "from ui.desk import desk\nfrom ui.panels.writing import typed\n"
        "import streamlit as st\n"
        f"typed('{DRAFTED}', desk().editor('{DRAFTED}'), st.session_state['typed'])"
    )
    typing.session_state["desk"] = script.session_state["desk"]
    typing.session_state["typed"] = editor.text
    typing.run()
    assert len(editor.warnings) == 1
    typing.session_state["typed"] = "other words"
    typing.run()
    assert editor.warnings == ()


def test_reasons_of_one_draft_are_not_those_of_another(line: Line) -> None:
    script = over(line, "workspace").button(key="reject").click().run()
    because(script, "clarity").run()
    newer(line)
    script.run()
    script.button(key="question_go").click().run()
    assert errors(script) == [say("question.missing_reasons")]
    assert line.written == []


def held() -> Held:
    return Held(decision_id="dec_1", text=REPLY, action="ask", release_at=ago(-1))

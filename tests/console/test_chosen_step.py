"""Beside own words and edits stands which step they serve; nothing else moves the plan."""

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Radio

from service.schemas.workspace import Workspace
from tests.console.canned import ACTIONS, DRAFTED, draft, workspace_of
from tests.console.canned_talk import REPLY
from tests.console.watched import Line, over
from ui import texts

OWN = "Let us stay with that a little longer."


def choices(script: AppTest) -> list[Radio[str]]:
    label = texts.say("en", "send.serves")
    return [one for one in script.radio if one.label == label]


def writes(script: AppTest, text: str, own: bool = False) -> AppTest:
    editor = script.session_state["desk"].editor(DRAFTED)
    editor.text, editor.own = text, own
    return script.run()


def at(cursor: int | None, drafted: str | None) -> Workspace:
    """A session before a step or on it, with a draft that takes one."""
    whole = workspace_of(DRAFTED)
    first = 0 if cursor is None else cursor
    place = {"action_index": cursor,
             "candidates": ACTIONS[first : first + (1 if cursor is None else 2)]}  # fmt: skip
    position = whole.plan.position.model_copy(update=place)
    only = draft().candidates[0].model_copy(update={"action": drafted})
    lies = draft().model_copy(update={"candidates": (only,)}) if drafted else None
    plan = whole.plan.model_copy(update={"position": position})
    return whole.model_copy(update={"plan": plan, "draft": lies})


def sent(line: Line) -> object:
    (body,) = [body for path, body in line.written if path.endswith(("decisions", "replies"))]
    return body.get("action")


@pytest.mark.parametrize(
    ("text", "own", "other"),
    [(OWN, True, ACTIONS[2]), (f"{REPLY} Take your time.", False, ACTIONS[1])],
    ids=["own words", "edit"],
)
def test_own_words_stay_and_an_edit_takes_the_draft_s_step_unless_told_otherwise(
    line: Line, text: str, own: bool, other: str
) -> None:
    line.shows = at(1, ACTIONS[2])
    script = writes(over(line, "workspace"), text, own)
    (asked,) = choices(script)
    assert asked.options == [texts.say("en", "send.stays", step=ACTIONS[1]),
                             texts.say("en", "send.goes_on", step=ACTIONS[2])]  # fmt: skip
    assert asked.value == (ACTIONS[1] if own else ACTIONS[2])
    script.button(key="send").click().run()
    assert sent(line) == (ACTIONS[1] if own else ACTIONS[2])
    line.written.clear()
    script = writes(script, text, own)
    choices(script)[0].set_value(other).run()
    script.button(key="send").click().run()
    assert sent(line) == other


def test_without_a_draft_own_words_stay_too_and_may_go_on(line: Line) -> None:
    line.shows = at(1, None)
    script = writes(over(line, "workspace"), OWN)
    choices(script)[0].set_value(ACTIONS[2]).run()
    script.button(key="send").click().run()
    assert sent(line) == ACTIONS[2]


def test_before_the_first_step_own_words_may_serve_none(line: Line) -> None:
    line.shows = at(None, ACTIONS[0])
    script = writes(over(line, "workspace"), OWN, own=True)
    (asked,) = choices(script)
    assert asked.options[0] == texts.say("en", "send.stays", step=texts.say("en", "queue.no_step"))
    script.button(key="send").click().run()
    assert sent(line) is None


def test_an_approved_draft_asks_nothing(line: Line) -> None:
    line.shows = at(1, ACTIONS[2])
    script = over(line, "workspace")
    assert choices(script) == []
    script.button(key="send").click().run()
    assert sent(line) is None


def test_at_the_last_step_there_is_nothing_to_choose(line: Line) -> None:
    line.shows = at(len(ACTIONS) - 1, None)
    assert choices(writes(over(line, "workspace"), OWN)) == []


def test_what_was_chosen_for_a_draft_is_not_for_the_words_written_instead(line: Line) -> None:
    line.shows = at(1, ACTIONS[2])
    script = writes(over(line, "workspace"), f"{REPLY} Take your time.")
    choices(script)[0].set_value(ACTIONS[2]).run()
    script = writes(script.button(key="own").click().run(), OWN, own=True)
    assert choices(script)[0].value == ACTIONS[1]


def test_a_reply_that_is_taken_back_keeps_its_step(line: Line) -> None:
    line.shows = at(1, ACTIONS[2])
    script = writes(over(line, "workspace"), OWN, own=True)
    choices(script)[0].set_value(ACTIONS[2]).run()
    script.button(key="send").click().run()
    (held,) = script.session_state["desk"].held.values()
    assert held.words.action == ACTIONS[2]
    script.button(key=f"undo_{held.decision_id}").click().run()
    assert script.session_state["desk"].editor(DRAFTED).action == ACTIONS[2]

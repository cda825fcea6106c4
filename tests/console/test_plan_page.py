"""The plan page offers what the service would grant, for the session that is open and no other."""

import pytest
from streamlit.testing.v1 import AppTest

from planner.plan_rules import DIAGNOSTIC_ACTIONS
from planner.vocabulary import Stage
from service.schemas.workspace import Workspace
from tests.console.canned import DRAFTED, PLANNED, planned_workspace, proposed_plan, workspace_of
from tests.console.watched import Line, errors, over, press
from ui import texts


def intervening() -> Workspace:
    """A session whose plan was approved; its first step is carried out."""
    whole = planned_workspace(PLANNED)
    position = whole.plan.position.model_copy(
        update={"stage": Stage.INTERVENTION, "plan": proposed_plan().plan, "action_index": 0}
    )
    plan = whole.plan.model_copy(update={"position": position, "proposed": None})
    return whole.model_copy(update={"plan": plan, "stage": Stage.INTERVENTION})


def disabled(script: AppTest) -> dict[str, bool]:
    keys = ("move", "edit_plan", "ask_plan")
    return {one.key: one.disabled for one in script.button if one.key in keys}


def test_a_session_can_be_moved_back_to_the_diagnostic_stage(line: Line) -> None:
    line.shows = intervening()
    script = over(line, "plan").button(key="move").click().run()
    (places,) = script.radio
    assert len(places.options) == len(DIAGNOSTIC_ACTIONS) + len(proposed_plan().plan.actions)
    assert places.value == (Stage.INTERVENTION, 0)
    places.set_value((Stage.DIAGNOSTIC, 1))
    next(one for one in script.text_input if one.label == texts.say("en", "plan.reason")).set_value(
        "Another problem came up."
    )
    assert errors(press(script, texts.say("en", "plan.move_go"))) == []
    ((path, body),) = line.written
    assert path.endswith("/position")
    assert (body["stage"], body["action_index"]) == ("diagnostic", 1)


@pytest.mark.parametrize(
    ("whole", "early"),
    [(workspace_of(PLANNED), True), (planned_workspace(PLANNED), False), (intervening(), False)],
    ids=["underway", "last-step", "intervention"],
)
def test_a_plan_is_offered_once_it_would_not_be_refused_as_too_early(
    line: Line, whole: Workspace, early: bool
) -> None:
    line.shows = whole
    offered = disabled(over(line, "plan"))
    assert offered == {"move": False, "edit_plan": early, "ask_plan": early}


def test_an_open_form_does_not_follow_to_the_next_session(line: Line) -> None:
    script = over(line, "plan").button(key="move").click().run()
    assert len(script.radio) == 1
    line.shows = workspace_of(DRAFTED)
    script.query_params["session"] = DRAFTED
    assert len(script.run().radio) == 0

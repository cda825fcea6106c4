"""The one table: what a reply may do, what only a therapist may do."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.machine import (
    TABLE,
    adopt,
    advance,
    candidates,
    finished,
    move,
    needs_plan,
    revise,
    start,
)
from planner.plan_rules import DIAGNOSTIC_ACTIONS, NotAllowed, check_plan, readiness, step_marker
from planner.vocabulary import (
    END_SESSION,
    Action,
    Formulation,
    Plan,
    Position,
    Stage,
    Strategy,
)

KEYS = tuple(
    map(Action, ("name the hardest thought", "list what is known", "weigh both sides", "word it"))
)
PLAN = Plan(
    Strategy.REALITY_TESTING,
    "Look at facts.",
    "Facts before words.",
    (*KEYS[:3], Action("word a fairer thought"), END_SESSION),
)


def at(stage: Stage, cursor: int | None) -> Position:
    return Position(stage, PLAN if stage is Stage.INTERVENTION else start().plan, cursor)


def code_of(refused: pytest.ExceptionInfo[NotAllowed]) -> str:
    return refused.value.code


def test_a_session_starts_before_the_first_diagnostic_action():
    assert start().stage is Stage.DIAGNOSTIC
    assert candidates(start()) == DIAGNOSTIC_ACTIONS[:1]


def test_a_reply_stays_or_takes_one_step():
    here = advance(start(), DIAGNOSTIC_ACTIONS[0])
    assert candidates(here) == DIAGNOSTIC_ACTIONS[:2]
    assert advance(here, DIAGNOSTIC_ACTIONS[0]) == here
    assert advance(here, DIAGNOSTIC_ACTIONS[1]).cursor == 1


def test_a_reply_never_skips_goes_back_or_invents():
    here = move(start(), Stage.DIAGNOSTIC, 1)
    for action in (
        DIAGNOSTIC_ACTIONS[0],
        DIAGNOSTIC_ACTIONS[3],
        Action("nobody planned this action"),
    ):
        with pytest.raises(NotAllowed) as refused:
            advance(here, action)
        assert code_of(refused) == "action_not_allowed"


@given(st.lists(st.integers(0, 6)), st.sampled_from(list(Stage)))
def test_whatever_is_tried_the_cursor_moves_by_at_most_one(tries: Sequence[int], stage: Stage):
    position = at(stage, None)
    for index in tries:
        before = -1 if position.cursor is None else position.cursor
        try:
            action = position.plan.actions[index]
            position = advance(position, action)
        except (NotAllowed, IndexError):
            continue
        assert position.cursor in (before, before + 1)
        assert position.stage is stage


def test_a_plan_is_due_on_the_last_diagnostic_action_only():
    assert [needs_plan(at(Stage.DIAGNOSTIC, cursor)) for cursor in (None, 0, 1, 2, 3)] == [
        *[False] * 4,
        True,
    ]


def test_an_adopted_plan_opens_the_intervention():
    opened = adopt(at(Stage.DIAGNOSTIC, 3), PLAN)
    assert (opened.stage, opened.cursor) == (Stage.INTERVENTION, None)
    assert candidates(opened) == KEYS[:1]


def test_a_plan_cannot_be_adopted_before_the_last_diagnostic_action():
    with pytest.raises(NotAllowed) as refused:
        adopt(at(Stage.DIAGNOSTIC, 2), PLAN)
    assert code_of(refused) == "too_early"


def test_a_plan_that_breaks_a_rule_is_never_adopted():
    with pytest.raises(NotAllowed) as refused:
        adopt(at(Stage.DIAGNOSTIC, 3), replace(PLAN, actions=PLAN.actions[:-1]))
    assert code_of(refused) == "plan_breaks_rules"


def test_only_a_therapist_skips_or_goes_back():
    assert move(at(Stage.INTERVENTION, 3), Stage.INTERVENTION, 0).cursor == 0
    assert move(at(Stage.DIAGNOSTIC, 0), Stage.DIAGNOSTIC, 3).cursor == 3
    assert move(at(Stage.INTERVENTION, 3), Stage.DIAGNOSTIC, 1).plan == start().plan


def test_nobody_moves_into_an_intervention_that_was_never_planned():
    with pytest.raises(NotAllowed) as refused:
        move(at(Stage.DIAGNOSTIC, 3), Stage.INTERVENTION, 0)
    assert code_of(refused) == "move_not_allowed"


def test_nobody_moves_outside_the_plan():
    for index in (-1, 5):
        with pytest.raises(NotAllowed) as refused:
            move(at(Stage.INTERVENTION, 0), Stage.INTERVENTION, index)
        assert code_of(refused) == "no_such_action"


def test_an_inserted_action_leaves_the_cursor_on_the_same_action():
    longer = replace(PLAN, actions=(Action("slow down and breathe"), *PLAN.actions))
    assert revise(at(Stage.INTERVENTION, 1), longer).cursor == 2


def test_a_removed_action_puts_the_cursor_on_the_last_one_done():
    without = replace(
        PLAN, actions=(KEYS[0], KEYS[2], *PLAN.actions[3:4], Action("plan the week"), END_SESSION)
    )
    assert revise(at(Stage.INTERVENTION, 1), without).cursor == 0


def test_the_diagnostic_plan_is_not_revised():
    with pytest.raises(NotAllowed) as refused:
        revise(at(Stage.DIAGNOSTIC, 1), PLAN)
    assert code_of(refused) == "revise_not_allowed"


def test_a_session_is_finished_once_end_session_was_decided():
    assert finished(advance(at(Stage.INTERVENTION, 3), END_SESSION))
    assert not finished(at(Stage.DIAGNOSTIC, 3))


def test_the_marker_names_this_step_and_the_next():
    assert step_marker(start()) == "step 0 of 4 | next: Understanding surface level"
    assert step_marker(at(Stage.INTERVENTION, 0)) == (
        "step 1 of 5: name the hardest thought | next: list what is known"
    )
    assert step_marker(at(Stage.INTERVENTION, 4)) == "step 5 of 5: End session"


def test_a_reply_never_changes_the_stage():
    assert all(rule.stage is rule.to_stage for rule in TABLE if rule.by == "reply")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"strategy": None}, "names none of the twelve strategies"),
        ({"text": " "}, "has no plan text"),
        ({"reason": ""}, "gives no reason for the order"),
        ({"actions": (*KEYS[:3], END_SESSION)}, "needs 5-7 actions"),
        ({"actions": (*KEYS[:3], END_SESSION, END_SESSION)}, "has End session before its end"),
        ({"actions": (*KEYS[:3], KEYS[0], END_SESSION)}, "names an action twice"),
        (
            {"actions": (*KEYS, END_SESSION)},
            "has an action that is not 3-5 words, or 4-12 Chinese characters",
        ),
    ],
)
def test_every_broken_rule_is_named(change: dict[str, object], fault: str):
    assert fault in check_plan(replace(PLAN, **change))  # pyright: ignore[reportArgumentType]


def test_a_plan_that_obeys_every_rule_has_no_fault_also_in_chinese():
    keys = ("说出最难的想法", "找出支持的事实", "找出相反的事实", "换个公平的说法")
    assert check_plan(PLAN) == ()
    assert check_plan(replace(PLAN, actions=(*map(Action, keys), END_SESSION))) == ()


def test_readiness_names_what_is_still_unknown():
    found = readiness(Formulation("cannot sleep"))
    assert found.known == ("surface_level_problem",)
    assert found.unknown == ("triggering_situation", "automatic_thoughts")
    assert found.score == pytest.approx(1 / 3)


@pytest.mark.parametrize("said", ["Unknown", " UNKNOWN. ", "未知", "未知。", '"unknown"', ""])
def test_unknown_is_unknown_however_a_model_writes_it(said: str):
    assert readiness(Formulation(said, said, (said, said))).known == ()


def test_one_known_thought_is_enough_to_know_thoughts():
    found = readiness(Formulation(automatic_thoughts=("unknown", "I always fail.")))
    assert found.known == ("automatic_thoughts",)

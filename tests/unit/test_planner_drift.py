"""Drift is a hint that names the turns it rests on."""

from collections.abc import Sequence

import pytest

from planner.drift import drift
from planner.machine import start
from planner.vocabulary import ClientTurn, CounselorTurn, PlannedCase, Position, Stage, Turn

ACTIONS = start().plan.actions


def of(turns: Sequence[Turn], cursor: int = 0) -> tuple[float, tuple[int, ...]]:
    found = drift(
        PlannedCase("en", Position(Stage.DIAGNOSTIC, start().plan, cursor), diagnostic=turns)
    )
    return found.score, found.turns


def say(action: int, words: str = "What happened at work then?") -> CounselorTurn:
    return CounselorTurn("so", ACTIONS[action], words)


def test_an_empty_stage_has_no_drift():
    assert of(()) == (0.0, ())


def test_a_talk_along_the_plan_has_no_drift():
    turns = [say(0), ClientTurn("Work is heavy."), say(0), ClientTurn("My boss at work."), say(1)]
    assert of(turns) == (0.0, ())


def test_lingering_on_one_action_is_drift():
    assert of([say(0)] * 5)[1] == (3, 4)


def test_a_jump_is_drift():
    assert of([say(0), say(2)])[1] == (1,)


def test_a_client_who_sets_the_topic_aside_drifts():
    turns = [say(0), ClientTurn("Work. Anyway, let us talk about something else."), say(0)]
    assert of(turns)[1] == (1,)
    assert of([say(0), ClientTurn("换个话题吧")])[1] == (1,)


def test_a_client_turn_without_any_earlier_word_drifts():
    turns = [
        say(0),
        ClientTurn("Work is heavy."),
        say(0),
        ClientTurn("Bright green parrots sing loudly."),
    ]
    score, left = of(turns)
    assert left == (3,)
    assert score == 0.25


@pytest.mark.parametrize("before", ["", "我"])
def test_a_chinese_word_is_met_again_wherever_it_stands(before: str):
    turns = [
        say(0, "怎么了？"),
        ClientTurn(before + "工作压力"),
        say(0, "嗯。"),
        ClientTurn("昨夜梦里全是压力"),
    ]
    assert of(turns)[1] == ()


def test_only_a_long_enough_chinese_turn_without_any_earlier_word_drifts():
    earlier = [say(0, "怎么了？"), ClientTurn("工作压力"), say(0, "嗯。")]
    assert of([*earlier, ClientTurn("绿色鹦鹉唱歌响亮")])[1] == (3,)
    assert of([*earlier, ClientTurn("绿色鹦鹉唱歌")])[1] == ()

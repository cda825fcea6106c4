"""The card's questions: what an answer makes needless goes, what it means is told and kept."""

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from safety.crisis_card import questions
from tests.console.canned import DRAFTED, workspace_of
from tests.console.test_crisis_desk import resolves
from tests.console.watched import Line, errors, over, press
from ui import texts

TEXTS = {one.key: one.text for one in questions("en")}


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """No answer waits in this process from before."""
    st.cache_resource.clear()


def say(key: str, **values: object) -> str:
    return texts.say("en", key, **values)


def asked(script: AppTest) -> list[str]:
    """The keys of the questions that can be answered, in order."""
    shown = [one.label for one in script.button_group]
    return [key for key, text in TEXTS.items() if text in shown]


def named_next(script: AppTest) -> str:
    """The key of the question that the card names as the next one."""
    (body,) = (one.proto.body for one in script.get("html") if "ask next" in one.proto.body)
    return next(key for key, text in TEXTS.items() if text in body)


def answered(script: AppTest, **said: bool | None) -> AppTest:
    """Tell what the client answered; None takes an answer back."""
    for key, yes in said.items():
        field = script.button_group(key=f"answer_{DRAFTED}_{TEXTS[key]}")
        field.set_value(yes).run()
        assert errors(script) == []
    return script


def told(script: AppTest, level: str) -> bool:
    wanted = say("crisis.so_far", level=say(f"level.{level}"))
    return wanted in [one.value for one in script.caption]


def test_a_no_to_thoughts_takes_what_follows_from_a_yes_off_the_card(line: Line) -> None:
    script = over(line, "crisis", "therapist-crisis.asks_needless")
    assert (asked(script), named_next(script)) == ([*TEXTS], "wish")
    answered(script, wish=True, thoughts=False)
    assert asked(script) == ["wish", "thoughts", "behaviour", "behaviour_recent"]
    assert named_next(script) == "behaviour"
    assert told(script, "moderate")


def test_an_answer_that_is_taken_back_brings_the_questions_again(line: Line) -> None:
    script = over(line, "crisis", "therapist-crisis.asks_back")
    answered(script, thoughts=False, wish=False)
    assert told(script, "low")
    answered(script, thoughts=None)
    assert (asked(script), named_next(script)) == ([*TEXTS], "thoughts")


def test_a_yes_that_was_given_stays_in_sight_and_counts(line: Line) -> None:
    script = answered(
        over(line, "crisis", "therapist-crisis.asks_counts"), thoughts=True, intent=True
    )
    assert told(script, "imminent")
    answered(script, thoughts=False)
    assert "intent" in asked(script)
    assert told(script, "imminent")


def test_answers_are_kept_as_a_note_before_the_alert_is_resolved(line: Line) -> None:
    script = answered(
        over(line, "crisis", "therapist-crisis.asks_noted"), wish=True, thoughts=False
    )
    resolves(script.button(key="resolve").click().run())
    assert [path.rsplit("/", 1)[1] for path, _ in line.written] == ["notes", "resolve"]
    note = f"{TEXTS['wish']} {say('crisis.yes')}\n{TEXTS['thoughts']} {say('crisis.no')}"
    assert line.written[0][1]["text"] == note


def test_answers_outlive_the_alert_that_a_colleague_ended(line: Line) -> None:
    script = answered(over(line, "crisis", "therapist-crisis.asks_ended"), wish=True)
    line.shows = workspace_of(DRAFTED)
    script.run()
    assert asked(script) == ["wish"]
    answered(script, wish=None)
    assert (asked(script), line.written) == ([], [])


def test_kept_answers_of_an_ended_alert_are_gone_from_the_desk(line: Line) -> None:
    script = answered(over(line, "crisis", "therapist-crisis.asks_kept"), wish=True)
    line.shows = workspace_of(DRAFTED)
    script = press(script.run(), say("crisis.keep_plan"))
    assert [path.rsplit("/", 1)[1] for path, _ in line.written] == ["notes"]
    assert asked(script) == []


def test_the_answers_of_one_session_never_meet_another(line: Line) -> None:
    script = answered(over(line, "crisis", "therapist-crisis.asks_apart"), wish=True)
    script.query_params["session"] = "ses_9"
    script.run()
    assert named_next(script) == "wish"
    script.query_params["session"] = DRAFTED
    assert named_next(script.run()) == "thoughts"

"""A correction of the formulation is what was typed, and nothing that was found out meanwhile."""

from streamlit.testing.v1 import AppTest

from tests.console.canned import PLANNED, formulation, planned_workspace
from tests.console.watched import Line, errors, over, press
from ui import texts

SURFACE, TRIGGER, THOUGHTS = (
    f"formulation_{PLANNED}_{name}"
    for name in ("surface_level_problem", "triggering_situation", "automatic_thoughts")
)
TUESDAY = "The review on Tuesday."


def say(key: str) -> str:
    return texts.say("en", key)


def finds(line: Line, **parts: object) -> None:
    """From now on this is known beside what was known before."""
    whole = planned_workspace(PLANNED)
    found = formulation().model_copy(update=parts)
    plan = whole.plan.model_copy(update={"formulation": found})
    line.shows = whole.model_copy(update={"seq": 99, "plan": plan})


def saves(script: AppTest) -> AppTest:
    return press(script, say("formulation.save"))


def sent(line: Line) -> list[dict[str, object]]:
    assert all(path.endswith("/formulation") for path, _ in line.written)
    return [{key: body[key] for key in body if key != "basis"} for _, body in line.written]


def test_only_the_parts_that_were_corrected_are_sent(line: Line) -> None:
    script = saves(over(line, "plan"))
    assert line.written == []
    script.text_input(key=TRIGGER).set_value(TUESDAY)
    script.text_input(key=SURFACE).set_value(f" {formulation().surface_level_problem} ")
    assert errors(saves(script)) == []
    assert sent(line) == [{"triggering_situation": TUESDAY}]
    assert line.written[0][1]["basis"] == 42


def test_typed_words_outlive_what_is_found_out_meanwhile(line: Line) -> None:
    script = over(line, "plan")
    script.text_input(key=TRIGGER).set_value(TUESDAY).run()
    finds(line, triggering_situation="a silent review", surface_level_problem="dreading Tuesdays")
    script.run()
    assert script.text_input(key=TRIGGER).value == TUESDAY
    assert script.text_input(key=SURFACE).value == "dreading Tuesdays"
    assert errors(saves(script)) == []
    assert sent(line) == [{"triggering_situation": TUESDAY}]
    assert line.written[0][1]["basis"] == 99


def test_what_was_saved_is_not_sent_again_and_follows_what_is_known(line: Line) -> None:
    script = over(line, "plan")
    script.text_input(key=TRIGGER).set_value(TUESDAY)
    finds(line, triggering_situation=TUESDAY)
    script = saves(saves(script))
    assert len(sent(line)) == 1
    finds(line, triggering_situation="a silent review")
    assert script.run().text_input(key=TRIGGER).value == "a silent review"


def test_a_correction_of_an_older_view_is_refused_and_stays(line: Line) -> None:
    script = over(line, "plan")
    script.text_input(key=TRIGGER).set_value(TUESDAY).run()
    finds(line, triggering_situation="a silent review")
    line.refuses["/formulation"] = (409, "basis_is_stale")
    script = saves(script)
    assert errors(script) == [say("refused.basis_is_stale")]
    assert line.written[0][1]["basis"] == 42
    assert script.text_input(key=TRIGGER).value == TUESDAY


def test_a_seventh_thought_is_refused_and_not_dropped(line: Line) -> None:
    script = over(line, "plan")
    thoughts = "\n".join(f"I am the weak link, {place}" for place in range(7))
    script.text_area(key=THOUGHTS).set_value(thoughts)
    script = saves(script)
    assert errors(script) == [say("refused.invalid_request")]
    assert line.written == []
    assert script.text_area(key=THOUGHTS).value == thoughts


def test_typed_words_wait_while_another_session_is_open(line: Line) -> None:
    script = over(line, "plan")
    script.text_input(key=TRIGGER).set_value(TUESDAY).run()
    script.query_params["session"] = "ses_6"
    script.run()
    assert TRIGGER not in {one.key for one in script.text_input}
    script.query_params["session"] = PLANNED
    assert script.run().text_input(key=TRIGGER).value == TUESDAY
    saves(script)
    assert sent(line) == [{"triggering_situation": TUESDAY}]


def test_an_emptied_part_is_unknown_again(line: Line) -> None:
    script = over(line, "plan")
    script.text_input(key=TRIGGER).set_value("")
    script.text_area(key=THOUGHTS).set_value(" \n")
    saves(script)
    assert sent(line) == [{"triggering_situation": "unknown", "automatic_thoughts": []}]

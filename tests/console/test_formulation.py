"""A correction of the formulation is what was typed, and nothing that was found out meanwhile."""

import pytest
from streamlit.testing.v1 import AppTest

from service.schemas.workspace import Line as Said
from tests.console.canned import PLANNED, ago, formulation, planned_workspace
from tests.console.watched import Line, errors, over, press
from ui import texts
from ui.panels.formulation import source_of
from ui.panels.transcript import told_at

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


def lines(*told: str) -> list[Said]:
    return [
        Said(kind="client", id=f"msg_{place}", seq=place + 1, at=ago(place), text=text)
        for place, text in enumerate(told)
    ]


@pytest.mark.parametrize(
    ("phrase", "told", "found"),
    [
        ("I am bad", "I am bad, and it is my own doing.", "verbatim"),
        ("我很没用", "开会的时候，我觉得我很没用。", "verbatim"),
        ("the whole team", "Now and then THE whole -- team laughs.", "verbatim"),
        ("I am a failure", "The power failure lasted an hour.", "closest"),
        ("I am a failure", "I am not a failure.", "closest"),
        ("nobody listens to me", "At home nobody ever listens.", "closest"),
        ("没有人听我说话", "没有人想听我说。", "closest"),
        ("我很没用", "我昨天没去上班，不用担心，周末过得很好。", "nothing"),
        ("he is bad", "She is badly hurt.", "nothing"),
        ("I am not", "They are not here.", "nothing"),
    ],
)
def test_only_the_very_words_are_called_the_clients(phrase: str, told: str, found: str) -> None:
    source = source_of(phrase, lines("Good morning.", told))
    assert source is None or source.line.id == "msg_1"
    assert found == ("nothing" if source is None else "verbatim" if source.verbatim else "closest")


def test_a_moment_of_another_day_is_told_with_its_day() -> None:
    assert len(told_at(ago(0))) == len("09:30")
    assert len(told_at(ago(3 * 24 * 60))) == len("2026-01-01 09:30")

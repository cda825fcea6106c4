"""What the screen is shown of a labelled row: changed only where its label cannot change."""

from random import Random

from safety.risk import Category, Line, RiskLevel
from safety.train.screen_rows import ON_THE_CONVERSATION, Row, bend, recounted

SAID = (Line("client", "It was a long week."), Line("counselor", "What made it long?"))
CALM = [
    Row("en", "The bus.", (Line("client", "Hello."),), False, RiskLevel.NONE, Category.NONE, "")
]


def row(kind: str) -> Row:
    return Row("en", "My exam is on Monday.", SAID, False, RiskLevel.NONE, Category.NONE, kind)


def test_a_row_that_hangs_on_what_was_said_keeps_all_of_it():
    for kind in ON_THE_CONVERSATION:
        assert {recounted(row(kind), CALM, Random(seed)) for seed in range(200)} == {SAID}


def test_other_rows_are_also_shown_alone_unanswered_and_said_again_and_again():
    shown = {recounted(row("ordinary"), CALM, Random(seed)) for seed in range(400)}
    again = {(Line("client", "My exam is on Monday."),) * times for times in range(1, 6)}
    assert shown == {SAID, (), SAID[:1], *again}


def test_marks_and_slips_leave_most_of_the_words():
    text = "I walked to work and it rained all the way."
    bent = {bend(text, Random(seed)) for seed in range(400)}
    assert text in bent
    assert any(one.startswith(f"{text} ") for one in bent)
    assert all(abs(len(one) - len(text)) <= 12 for one in bent)

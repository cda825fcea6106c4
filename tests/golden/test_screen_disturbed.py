"""A plain statement stays one beside a harmless sentence, behind an opening and mistyped.

Asked of the rules alone, which promise it; the trained layer finds some of what they lose. The
floors lie a little under what they reach today; docs/safety.md has what they reached at first.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from random import Random
from statistics import mean

import pytest

from safety.evaluate_screen import read_cases
from safety.names import words
from safety.screen import RulesLayer

FIXTURES = Path(__file__).parents[1] / "fixtures"
STEP = 4
"""One statement in so many is disturbed: a second for each hundred ways."""
HARMLESS = (
    "I grew up with three brothers.",
    "My mum died years ago so I have nobody.",
    "There is a court order about the children.",
    "It has been like this for years, since we got married ten years ago.",
    "Years ago I was happy.",
    "I play chess in the evening.",
    "I spilled coffee on the carpet.",
    "My first husband was kind.",
    "I have a deadline.",
    "We had soup for dinner.",
)
OPENINGS = (
    "I've never said this out loud",
    "I haven't slept",
    "I don't know how to say this but",
    "I never thought I would write this",
    "I am not a drama queen",
    "Not sure where to begin",
)


def found(text: str) -> bool:
    return RulesLayer().look(text, (), "en").routes


@cache
def plain() -> Sequence[str]:
    """Statements that the rules find by themselves, with no line before them."""
    lines = (FIXTURES / "screen_plain.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [one for one in read_cases(lines) if one.language == "en" and one.route]
    return [one.text for one in cases if not one.history and found(one.text)]


def still_found(disturbed: Callable[[str], str], step: int = STEP) -> float:
    return mean(found(disturbed(text)) for text in plain()[::step])


@pytest.mark.parametrize("sentence", HARMLESS)
def test_a_harmless_sentence_after_it_hides_no_danger(sentence: str):
    assert still_found(lambda text: f"{text.rstrip('. ')}. {sentence}") >= 0.94


@pytest.mark.parametrize("sentence", HARMLESS)
def test_a_harmless_sentence_before_it_hides_no_danger(sentence: str):
    assert still_found(lambda text: f"{sentence} {text}") >= 0.94


@pytest.mark.parametrize("opening", OPENINGS)
def test_an_opening_without_a_comma_denies_nothing(opening: str):
    assert still_found(lambda text: f"{opening} {text[0].lower()}{text[1:]}") >= 0.94


def test_two_letters_exchanged_in_a_word_of_danger_hide_little():
    drawn, known = Random(7), words("danger_en.txt")

    def mistyped(text: str) -> str:
        said = [one for one in re.finditer(r"\b[a-z]{4,}\b", text.lower()) if one[0] in known]
        if not said:
            return text
        one = drawn.choice(said)
        at = drawn.randrange(one.start() + 1, one.end() - 1)
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]

    assert still_found(mistyped, step=1) >= 0.96

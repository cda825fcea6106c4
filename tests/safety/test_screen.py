"""The screen never raises: whatever goes wrong inside counts as the highest level."""

from collections.abc import Sequence

import pytest

from safety.risk import (
    CALM,
    WORST,
    Category,
    Evidence,
    Language,
    Line,
    RiskLevel,
    RiskReport,
)
from safety.screen import Screen


class Says:
    """A layer that always answers the same."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.seen: list[tuple[str, Sequence[Line], Language]] = []

    def look(self, text: str, history: Sequence[Line], language: Language) -> RiskReport:
        self.seen.append((text, history, language))
        return self.answer  # type: ignore[return-value]


class Breaks:
    """A layer that fails."""

    def __init__(self, how: Exception) -> None:
        self.how = how

    def look(self, text: str, history: Sequence[Line], language: Language) -> RiskReport:
        raise self.how


def found(level: RiskLevel = RiskLevel.HIGH, score: float = 0.5, *spans: Evidence) -> RiskReport:
    return RiskReport(level, Category.SUICIDE, score, spans, "rules")


@pytest.mark.parametrize(
    "how", [RuntimeError(), ValueError(), KeyError(), MemoryError(), RecursionError()]
)
def test_a_layer_that_fails_counts_as_the_highest_level(how: Exception):
    report = Screen((Says(CALM), Breaks(how))).judge("hello", (), "en")
    assert report == WORST
    assert report.cause == type(how).__name__


@pytest.mark.parametrize("nonsense", [None, "fine", 0, (), object()])
def test_a_layer_that_answers_nonsense_counts_as_the_highest_level(nonsense: object):
    assert Screen((Says(nonsense), Says(CALM))).judge("hello", (), "en") == WORST


@pytest.mark.parametrize("score", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_score_out_of_range_counts_as_the_highest_level(score: float):
    assert Screen((Says(found(RiskLevel.LOW, score)),)).judge("hello", (), "en") == WORST


@pytest.mark.parametrize("span", [(-1, 2), (3, 3), (4, 2), (0, 6)])
def test_evidence_outside_the_words_counts_as_the_highest_level(span: tuple[int, int]):
    outside = Evidence(*span, Category.SUICIDE, "words")
    assert Screen((Says(found(RiskLevel.LOW, 0.2, outside)),)).judge("hello", (), "en") == WORST


def test_evidence_may_reach_the_last_character():
    whole = Evidence(0, 5, Category.SUICIDE, "words")
    report = found(RiskLevel.HIGH, 1.0, whole)
    assert Screen((Says(report),)).judge("hello", (), "en") == report


def test_a_screen_without_layers_is_a_failure():
    assert Screen(()).judge("hello", (), "en") == WORST


def test_words_that_are_no_words_count_as_the_highest_level():
    assert (
        Screen((Says(found(RiskLevel.LOW, 0.1, Evidence(0, 1, Category.NONE, "x"))),)).judge(
            None,  # type: ignore[arg-type]
            (),
            "en",
        )
        == WORST
    )


def test_the_most_urgent_layer_decides():
    layers = (Says(found(RiskLevel.LOW, 0.9)), Says(found(RiskLevel.IMMINENT, 0.1)))
    report = Screen(layers).judge("hello", (), "en")
    assert report.level is RiskLevel.IMMINENT
    assert report.score == 0.9


def test_every_layer_sees_the_raw_words_and_what_came_before():
    layer = Says(CALM)
    before = (Line("client", "hi"), Line("counselor", "welcome"))
    assert Screen((layer,)).judge("Hello ’there’", before, "zh") == CALM
    assert layer.seen == [("Hello ’there’", before, "zh")]

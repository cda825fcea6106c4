"""Could a person be in danger? Asked of the raw words, before anything else.

Any doubt calls a human: a layer that fails, or answers nonsense, counts as the highest level.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, get_args

from safety.classifier import load_classifier
from safety.normalise import Normalised, fold, readings
from safety.risk import (
    CALM,
    WORST,
    Category,
    Evidence,
    Language,
    Line,
    RiskLevel,
    RiskReport,
    combine,
)
from safety.rules import SCORES, Rules, read_rules

_LINES = 6
"""How many earlier lines are read: for the question that a yes answers, for what is taken back, for
anything grave."""


class Layer(Protocol):
    """One way of looking at a message; layers combine by maximum."""

    def look(self, text: str, history: Sequence[Line], language: Language) -> RiskReport:
        """What this layer sees in the newest message."""
        ...


@dataclass(frozen=True, slots=True)
class RulesLayer:
    """Both languages' rules on every message: people mix them."""

    def look(self, text: str, history: Sequence[Line], language: Language) -> RiskReport:
        """What is said in plain words."""
        both = tuple(read_rules(one) for one in ("en", "zh"))
        read = readings(text)
        grave = _grave(both, history[-_LINES:])
        found = (
            report
            for one in both
            for plain in read
            for report in one.statements(plain, after_grave=grave)
        )
        return combine((CALM, *found, _answer(both, read[0], history)))


@dataclass(frozen=True, slots=True)
class Screen:
    """Judges every client message. Deterministic, in this process, without a network."""

    layers: tuple[Layer, ...]

    def judge(self, text: str, history: Sequence[Line], language: Language) -> RiskReport:
        """The danger in the newest message, read with the lines before it; never raises."""
        try:
            report = combine(layer.look(text, history, language) for layer in self.layers)
            return report if _sane(report, text) else WORST
        except Exception as error:  # noqa: BLE001 - the screen fails to the highest level, never open
            return replace(WORST, cause=type(error).__name__)


def load_screen() -> Screen:
    """The screen as shipped: every layer, read once from the files beside this module."""
    for language in get_args(Language):
        # Compiled now: the first message after a start should not wait for it.
        read_rules(language)
    return Screen(layers=(RulesLayer(), load_classifier()))


def _sane(report: RiskReport, text: str) -> bool:
    spans = all(0 <= span.start < span.end <= len(text) for span in report.evidence)
    return spans and 0.0 <= report.score <= 1.0 and report.level in RiskLevel


def _answer(both: Sequence[Rules], plain: Normalised, history: Sequence[Line]) -> RiskReport:
    """A yes to the direct question, or the taking back of what was said in plain words."""
    before = history[-_LINES:]
    if not before or not plain.text.strip():
        return CALM

    def says(answer: str, text: str) -> bool:
        return any(one.talk[answer].search(text) for one in both)

    level, since = _asked(both, before)
    if level is not None:
        if says("no", plain.text):
            return CALM
        # Who said no goes on with "I am just tired": only a yes in so many words is one then.
        denied = any(says("no", fold(line.text)) for line in since)
        if says("after_no" if denied else "yes", plain.text):
            return _spanning(plain, level, "says yes to the direct question")
    if says("retract", plain.text) and (level is not None or _said_before(both, before)):
        return _spanning(plain, RiskLevel.HIGH, "takes back an earlier statement")
    return CALM


def _asked(
    both: Sequence[Rules], before: Sequence[Line]
) -> tuple[RiskLevel | None, Sequence[Line]]:
    """What a yes to the counselor's newest words means, and what the client wrote since."""
    places = [place for place, line in enumerate(before) if line.role == "counselor"]
    if not places:
        return None, ()
    *earlier, said = (fold(before[place].text) for place in places)
    begun = any(one.asks(text, begun=True) is not None for one in both for text in earlier)
    levels = [level for one in both if (level := one.asks(said, begun=begun)) is not None]
    return max(levels, key=lambda level: level.rank, default=None), before[places[-1] + 1 :]


def _said_before(both: Sequence[Rules], before: Sequence[Line]) -> bool:
    lines = (plain for line in before if line.role == "client" for plain in readings(line.text))
    grave = _grave(both, before)
    return any(
        report.routes
        for line in lines
        for one in both
        for report in one.statements(line, after_grave=grave)
    )


def _grave(both: Sequence[Rules], before: Sequence[Line]) -> bool:
    said = [fold(line.text) for line in before]
    return any(one.grave(text) for one in both for text in said)


def _spanning(plain: Normalised, level: RiskLevel, reason: str) -> RiskReport:
    span = Evidence(*plain.span(0, len(plain.text)), Category.SUICIDE, reason)
    return RiskReport(level, Category.SUICIDE, SCORES[level], (span,), "rules")

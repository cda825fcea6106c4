"""Could a person be in danger? Asked of the raw words, before anything else.

Any doubt calls a human: a layer that fails, or answers nonsense, counts as the highest level.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, get_args

from safety.classifier import load_classifier
from safety.risk import WORST, Language, Line, RiskLevel, RiskReport, combine
from safety.rules import RulesLayer, read_rules


class Layer(Protocol):
    """One way of looking at a message; layers combine by maximum."""

    def look(self, text: str, history: Sequence[Line], language: Language) -> RiskReport:
        """What this layer sees in the newest message."""
        ...


@dataclass(frozen=True, slots=True)
class Screen:
    """Judges every client message. Deterministic, in this process, without a network."""

    layers: tuple[Layer, ...]

    def judge(self, text: str, history: Sequence[Line], language: Language) -> RiskReport:
        """The danger in the newest message, read with the lines before it; never raises."""
        try:
            report = combine(layer.look(text, history, language) for layer in self.layers)
            return report if _sane(report, text) else WORST
        except Exception:  # noqa: BLE001 - the screen fails to the highest level, never open
            return WORST


def load_screen() -> Screen:
    """The screen as shipped: every layer, read once from the files beside this module."""
    for language in get_args(Language):
        # Compiled now: the first message after a start should not wait for it.
        read_rules(language)
    return Screen(layers=(RulesLayer(), load_classifier()))


def _sane(report: RiskReport, text: str) -> bool:
    spans = all(0 <= span.start < span.end <= len(text) for span in report.evidence)
    return spans and 0.0 <= report.score <= 1.0 and report.level in RiskLevel

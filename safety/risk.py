"""What the screen answers: a level, a category, a score and the words that show it. Data only."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Language = Literal["en", "zh"]
Source = Literal["rules", "classifier", "engine", "failure", "none"]


class RiskLevel(StrEnum):
    """How urgent the danger is, in C-SSRS terms; ordered by ``rank``."""

    NONE = "none"
    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"
    IMMINENT = "imminent"

    @property
    def rank(self) -> int:
        """The place in the order, 0 (none) to 4 (imminent)."""
        return tuple(RiskLevel).index(self)

    def at_least(self, other: "RiskLevel") -> bool:
        """Whether this level is as urgent as ``other``, or more."""
        return self.rank >= other.rank


class Category(StrEnum):
    """What the danger is."""

    SUICIDE = "suicide"
    SELF_HARM = "self_harm"
    HARM_TO_OTHERS = "harm_to_others"
    HARM_FROM_OTHERS = "harm_from_others"
    CHILD_AT_RISK = "child_at_risk"
    PSYCHOSIS = "psychosis"
    MEDICAL_EMERGENCY = "medical_emergency"
    OVERDOSE_SUBSTANCE = "overdose_substance"
    EATING_DISORDER_MEDICAL = "eating_disorder_medical"
    NONE = "none"


FROM_OTHERS = frozenset({Category.HARM_FROM_OTHERS, Category.CHILD_AT_RISK})
"""Dangers in which somebody else may be reading along."""


@dataclass(frozen=True, slots=True)
class Line:
    """One earlier message of the conversation, in the client's raw words or the counselor's."""

    role: Literal["client", "counselor"]
    text: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words of the newest message that show the danger; code points, end exclusive."""

    start: int
    end: int
    category: Category
    reason: str
    """A short fixed phrase of ours, for instance ``plan or preparation``; never client words."""


@dataclass(frozen=True, slots=True)
class RiskReport:
    """One judgment of one message.

    ``score`` runs from 0 to 1 and orders the queue, also below the alert threshold.
    """

    level: RiskLevel
    category: Category
    score: float
    evidence: tuple[Evidence, ...]
    source: Source
    cause: str = field(default="", compare=False)
    """The kind of error that a failure was, ``MemoryError`` for instance; never its message."""

    @property
    def routes(self) -> bool:
        """Whether a human must be alerted: moderate and above."""
        return self.level.at_least(RiskLevel.MODERATE)

    @property
    def stops_drafting(self) -> bool:
        """Whether the model falls silent until a human resolves it: high and above."""
        return self.level.at_least(RiskLevel.HIGH)


WORST = RiskReport(RiskLevel.IMMINENT, Category.NONE, 1.0, (), "failure")
"""What any failure of the judge counts as. Fixed, so that failing cannot itself fail."""

CALM = RiskReport(RiskLevel.NONE, Category.NONE, 0.0, (), "none")
"""What nothing found looks like."""


def combine(reports: Iterable[RiskReport]) -> RiskReport:
    """The most urgent of the reports, with the evidence of all; no report can lower another.

    Ties of level go to the one that names a category, then to the higher score. No reports
    at all means that no layer judged, which counts as a failure.
    """
    found = tuple(reports)
    if not found:
        return WORST
    worst = max(
        found, key=lambda one: (one.level.rank, one.category is not Category.NONE, one.score)
    )
    seen = dict.fromkeys(span for one in found for span in one.evidence)
    return RiskReport(
        level=worst.level,
        category=worst.category,
        score=max(one.score for one in found),
        evidence=tuple(sorted(seen, key=lambda span: (span.start, span.end, span.category))),
        source=worst.source,
    )

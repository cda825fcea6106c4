"""What supervisors learn about the work: times, verdicts, habits. Never a client's words."""

from datetime import date

from pydantic import Field

from safety.risk import RiskLevel
from service.schemas.plans import Reason
from service.schemas.review import Verdict
from service.schemas.wire import Ident, When, Wire


class Times(Wire):
    """How long something took, in seconds; null where nothing happened."""

    p50_s: float | None
    p90_s: float | None


class ReviewerFigures(Wire):
    """One reviewer over the whole span."""

    reviewer: str
    team: str
    decisions: int
    verdicts: dict[Verdict, int]
    undone: int
    answering: Times
    """From the client's first unanswered message to the released reply."""
    edit_distance: float | None
    """Mean share of words changed in edited replies, 0-1."""
    streak: int
    """Approvals without any edit in a row, up to now."""
    longest_streak: int
    fast_approvals: int
    """Approvals decided in less time than reading the draft takes (rubber-stamp watch)."""
    dwell: Times


class DayFigures(Wire):
    """One day, UTC."""

    day: date
    messages: int
    replies: int
    waiting: Times
    """From a client's message to the moment a draft or an alert stood before a human."""
    answering: Times
    verdicts: dict[Verdict, int]


class Dwell(Wire):
    """One decision: how long the reviewer looked against how much there was to read."""

    reviewer: str
    verdict: Verdict
    words: int
    """Length of the draft, in words (characters for Chinese)."""
    dwell_ms: int
    distance: float
    """Share of words changed, 0-1."""


class ReasonCount(Wire):
    """How often a reason was given, and by whom."""

    reviewer: str
    reason: Reason
    count: int


class AlertFigures(Wire):
    """Alerts of one level."""

    level: RiskLevel
    raised: int
    acknowledged: int
    resolved: int
    escalated: int
    """Alerts that paged somebody more than once."""
    acknowledging: Times


class Reaction(Wire):
    """One session-reaction questionnaire. Paper: PSY-STEP §5, J."""

    session_id: Ident
    at: When
    nth: int = Field(ge=1)
    """Which of this client's questionnaires in the span, counted from 1."""
    helpful: float
    hindering: float


class Insights(Wire):
    """Everything the insights page draws, for one team and span."""

    team: str
    since: When
    until: When
    sessions: int
    truncated: bool
    """True when more sessions matched than one answer reads; narrow the span."""
    reviewers: tuple[ReviewerFigures, ...]
    days: tuple[DayFigures, ...]
    dwells: tuple[Dwell, ...]
    reasons: tuple[ReasonCount, ...]
    alerts: tuple[AlertFigures, ...]
    reactions: tuple[Reaction, ...]

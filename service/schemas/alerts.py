"""The crisis desk on the wire."""

from typing import Annotated, Literal

from pydantic import Field

from safety.risk import Category, RiskLevel
from service.schemas.wire import Ident, Label, Seq, Text, When, Wire

Outcome = Literal["safe", "safety_plan", "referred", "emergency_services", "false_alarm", "other"]


class EvidenceView(Wire):
    """Which of the client's words raised the alert; code-point offsets into the message."""

    start: int
    end: int
    category: Category
    reason: str


class Alert(Wire):
    """A person may be in danger; somebody must look."""

    alert_id: Ident
    session_id: Ident
    message_id: Ident
    level: RiskLevel
    category: Category
    score: float
    source: str
    """Which layer judged: rules, classifier, engine or failure; ``therapist`` for an escalated
    draft, ``human`` where somebody raised it without one."""
    evidence: tuple[EvidenceView, ...]
    """Empty in lists."""
    raised_at: When
    pages: int
    """How often somebody was paged so far."""
    escalates_at: When | None
    """When the next person is called; null once acknowledged."""
    acknowledged_at: When | None
    acknowledged_by: str | None
    resolved_at: When | None
    outcome: Outcome | None
    seq: Seq


class Alerts(Wire):
    """A page of alerts, most urgent first."""

    items: tuple[Alert, ...]
    next_page_token: str | None = None


class AlertRequest(Wire):
    """Call people to a session: danger that no layer saw, or that was seen elsewhere."""

    level: Literal[RiskLevel.MODERATE, RiskLevel.HIGH, RiskLevel.IMMINENT] = RiskLevel.HIGH
    """From high on the model falls silent until a human resolves it."""
    category: Category = Category.NONE
    note: Text | None = None
    """For colleagues; never part of a page, and never shown to the client or the model."""


class ResolveRequest(Wire):
    """How a crisis ended; drafting may resume."""

    outcome: Outcome
    note: Text
    basis: Seq | None = None
    """What its sender had read. Without it, an alert that grew must be acknowledged first."""


class Question(Wire):
    """One follow-up question a therapist may insert, in C-SSRS order."""

    key: Label
    text: str
    if_yes: str
    """What a yes means for the level, in words for the therapist."""
    ask_if: dict[Label, bool] = Field(default_factory=dict[Label, bool])
    """The answers after which it is asked, by the keys of other questions; always where empty."""


class Resource(Wire):
    """A verified crisis resource."""

    name: str
    contact: str
    hours: str
    languages: tuple[str, ...]
    last_verified: str


class CrisisCard(Wire):
    """What the therapist sees beside an alert."""

    questions: tuple[Question, ...]
    safety_plan: Annotated[tuple[str, ...], Field(max_length=12)]
    """The headings of the safety-plan form, in order."""
    resources: Annotated[tuple[Resource, ...], Field(max_length=3)]
    guidance: tuple[str, ...]
    """What to mind; for harm from others: is it safe to write now, ask nothing that endangers."""

"""PURE. What can happen when a person may be in danger. Events like those of `events`."""

from typing import Literal

from safety.risk import Category, RiskLevel
from service.session.parts import Evidence, Happening


class AlertRaised(Happening):
    """Written when a message is moderate or above and no unseen alert stands for it, or by hand."""

    type: Literal["alert_raised"] = "alert_raised"
    alert_id: str
    message_id: str
    level: RiskLevel
    category: Category
    score: float
    source: str
    evidence: tuple[Evidence, ...] = ()


class MessageJudged(Happening):
    """Written when the engine judged a message as well; it can raise its level, never lower it."""

    type: Literal["message_judged"] = "message_judged"
    message_id: str
    level: RiskLevel
    category: Category
    score: float
    source: str = "engine"


class AlertPaged(Happening):
    """Written after each attempt to reach a person about an alert."""

    type: Literal["alert_paged"] = "alert_paged"
    alert_id: str
    tier: int
    """0 first responder, 1 second person, 2 on-call."""
    delivered: bool


class AlertAcknowledged(Happening):
    """Written when a named human has seen the alert."""

    type: Literal["alert_acknowledged"] = "alert_acknowledged"
    alert_id: str


class AlertResolved(Happening):
    """Written when a human ends the crisis; drafting resumes when none is left."""

    type: Literal["alert_resolved"] = "alert_resolved"
    alert_id: str
    outcome: str
    note: str
    basis: int | None = None
    """How far its human had read the log; None where that was not said."""


class CrisisNoticeSent(Happening):
    """Written when the organisation's own fixed notice is sent; never model text."""

    type: Literal["crisis_notice_sent"] = "crisis_notice_sent"
    reply_id: str
    alert_id: str
    text: str

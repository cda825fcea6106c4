"""Wire objects for sessions with alerts: the same words, levels and banners on every page."""

from safety.crisis_card import crisis_card as product_card
from safety.risk import Category
from service.schemas import alerts, workspace
from tests.console.canned import IN_CRISIS, PACE, ago, transcript, workspace_of
from tests.console.canned_talk import HIGH, MODERATE, Danger


def alert(danger: Danger = HIGH, session: str = IN_CRISIS, seen: bool = False) -> alerts.Alert:
    return alerts.Alert(
        alert_id="alr_1" if danger is HIGH else "alr_2",
        session_id=session,
        message_id="msg_8" if danger is HIGH else "msg_6",
        level=danger.level,
        category=danger.category,
        score=danger.score,
        source=danger.source,
        evidence=tuple(
            alerts.EvidenceView(
                start=danger.text.index(words),
                end=danger.text.index(words) + len(words),
                category=danger.category,
                reason=reason,
            )
            for words, reason in danger.shown_by
        ),
        raised_at=ago(1.9 if danger is HIGH else 1.9 + 2 * PACE),
        pages=1,
        escalates_at=None if seen else ago(1.9 - 5),
        acknowledged_at=ago(1) if seen else None,
        acknowledged_by="R. Therapist" if seen else None,
        resolved_at=None,
        outcome=None,
        seq=41,
    )


def crisis_card() -> alerts.CrisisCard:
    """The product's own card for this danger."""
    card = product_card([Category.SUICIDE], "en", "US")
    return alerts.CrisisCard(
        questions=tuple(
            alerts.Question(key=one.key, text=one.text, if_yes=f"a yes means {one.yes or 'low'}")
            for one in card.questions
        ),
        safety_plan=card.safety_plan,
        resources=tuple(
            alerts.Resource(
                name=one.name,
                contact=one.contact,
                hours=one.hours,
                languages=one.languages,
                last_verified=one.last_verified.isoformat(),
            )
            for one in card.resources
        ),
        guidance=card.guidance,
    )


def crisis_workspace(session: str, **changes: object) -> workspace.Workspace:
    found = alert(session=session)
    crisis: dict[str, object] = {
        "status": "crisis", "draft": None, "no_draft_reason": "crisis", "alerts": (found,),
        "crisis_card": crisis_card(), "transcript": (*transcript(msg_8=HIGH.text), mark(found)),
    }  # fmt: skip
    return workspace_of(session, **(crisis | changes))


def twice_workspace(session: str) -> workspace.Workspace:
    """A crisis with an earlier, lesser alert in it that nobody has ended."""
    found = (alert(session=session), alert(MODERATE, session, seen=True))
    said = transcript(msg_6=MODERATE.text, msg_8=HIGH.text)
    lines = sorted((*said, *map(mark, found)), key=lambda line: line.at)
    return crisis_workspace(session, alerts=found, transcript=tuple(lines))


def watched_workspace(session: str, **changes: object) -> workspace.Workspace:
    """A lesser alert that a colleague has seen: drafting goes on, and the banner stays."""
    found = alert(MODERATE, session, seen=True)
    lines = sorted((*transcript(msg_6=MODERATE.text), mark(found)), key=lambda line: line.at)
    watched: dict[str, object] = {
        "alerts": (found,), "crisis_card": crisis_card(), "transcript": tuple(lines),
    }  # fmt: skip
    return workspace_of(session, **(watched | changes))


def mark(found: alerts.Alert) -> workspace.Line:
    """The line across the transcript that an alert leaves."""
    return workspace.Line(
        kind="alert", id=found.alert_id, seq=0, at=found.raised_at,
        text=f"{found.level} {found.category}",
    )  # fmt: skip

"""What lies beside an alert: questions in order, resources of the region, what to mind."""

from safety import crisis_card as safety_card
from safety.risk import RiskLevel
from service.schemas.alerts import CrisisCard, Question, Resource
from service.session.state import State

_MEANING = {
    None: "for your own judgment",
    RiskLevel.MODERATE: "a yes means moderate",
    RiskLevel.HIGH: "a yes means high",
    RiskLevel.IMMINENT: "a yes means imminent",
}


def crisis_card(state: State) -> CrisisCard | None:
    """Give one card for all open alerts and what their words point at; None when none is open."""
    if not state.open_alarms or state.opened is None:
        return None
    named = {alarm.category for alarm in state.open_alarms}
    named |= {span.category for alarm in state.open_alarms for span in alarm.evidence}
    card = safety_card.crisis_card(named, state.language, state.opened.region)
    return CrisisCard(
        questions=tuple(
            Question(key=one.key, text=one.text, if_yes=_MEANING.get(one.yes, "a yes means low"))
            for one in card.questions
        ),
        safety_plan=card.safety_plan,
        resources=tuple(
            Resource(
                name=one.name, contact=one.contact, hours=one.hours, languages=one.languages,
                last_verified=one.last_verified.isoformat(),
            )
            for one in card.resources
        ),
        guidance=card.guidance,
    )  # fmt: skip

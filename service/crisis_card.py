"""What lies beside an alert: questions in order, resources of the region, what to mind."""

from service.schemas.alerts import CrisisCard
from service.session.state import State


def crisis_card(state: State) -> CrisisCard | None:
    """Give the card of the most urgent open alert; None when there is none."""
    if not state.open_alarms:
        return None
    return CrisisCard(questions=(), safety_plan=(), resources=(), guidance=())

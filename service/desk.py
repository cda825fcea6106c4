"""Who decides, and with what: what every act at the review desk needs, and the call to come."""

from collections.abc import Sequence
from typing import NamedTuple

from service.ledger import Ledger, Under
from service.ports import Page, Ports
from service.session import decide, events
from service.session.alarms import AlertPaged, AlertRaised, CrisisNoticeSent
from service.session.duties import Waits
from service.session.state import State
from service.telemetry.log import LogEvent, log_line
from service.telemetry.metrics import Alerts, Review


class Reviewer(NamedTuple):
    """A named human under a claim. ``name`` is the actor written into the log."""

    name: str
    under: Under
    """Their claim, and what is remembered of the request with what they write."""


class Desk(NamedTuple):
    """The log and the world."""

    ledger: Ledger
    ports: Ports


def count_written(written: Sequence[events.Recorded]) -> None:
    """Count the alerts raised and the crisis notices sent by what is in the log, not by verdicts.

    A dangerous message raises none while an alert that nobody has seen stands for it.
    """
    for one in written:
        match one.event:
            case AlertRaised(level=level, category=category):
                Alerts.raised.add(level=level, category=category)
            case CrisisNoticeSent():
                Review.released.add(kind="crisis_notice")
            case _:
                pass


async def page_due(session_id: str, alert_id: str, desk: Desk, waits: Waits) -> bool:
    """Reach a person, and write down whether that worked; False is tried again.

    Where nobody has been reached for long, only the wait until then is kept, in ``waits``.
    """
    state = await desk.ledger.load(session_id)
    # Whoever acknowledged it since the duty was found need not be called any more.
    alarm = state.unseen(alert_id)
    if alarm is None:
        return True
    page = Page(alert_id, session_id, state.team, alarm.level, alarm.category, alarm.pages)
    delivered = await desk.ports.pager.page(page)
    outcome = AlertPaged(alert_id=alert_id, tier=page.tier, delivered=delivered)

    def write(now: State) -> Sequence[events.Event]:
        return decide.paged(now, outcome, desk.ledger.policy)

    await desk.ledger.append(session_id, write, events.SERVICE)
    if not delivered:
        waits.begin(state, "page", desk.ports.clock.now_ms(), alert_id)
    Alerts.pages.add(outcome="delivered" if delivered else "failed")
    if delivered and page.tier:
        Alerts.escalated.add(level=alarm.level)
    told = LogEvent.PAGE_SENT if delivered else LogEvent.PAGE_FAILED
    log_line(told, alert_id=alert_id, level=alarm.level)
    return delivered

"""The crisis desk: who may be in danger, who has seen it, how it ended."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from service.auth import Caller
from service.desk import count_written
from service.house import House, InHouse, Therapist, read_by, session_for, session_of_part
from service.idempotency import OnceIfKeyed, Stamp, stamp_of
from service.ids import within
from service.schemas.alerts import Alert, AlertRequest, Alerts, ResolveRequest
from service.schemas.wire import Ident, PageToken, Wire
from service.session import alarms, decide_review, events
from service.session.refusals import Refused
from service.session.state import State
from service.stores.port import RowQuery, StoreUnavailable
from service.telemetry.log import LogEvent, log_line, outliving
from service.telemetry.metrics import Alerts as Counted
from service.views import alert_view

router = APIRouter(prefix="/v1", tags=["crisis desk"])


class AlertWindow(Wire):
    """Which alerts to give."""

    page_size: Annotated[int, Field(ge=1, le=100)] = 50
    page_token: PageToken = None


@router.get("/alerts")
async def read_alerts(
    house: InHouse, caller: Therapist, window: Annotated[AlertWindow, Query()]
) -> Alerts:
    """Give every unresolved alert of the team, also acknowledged ones and those of closed sessions.

    What still asks for a human comes first, and of that the most urgent session. One that cannot be
    opened is left to the queue, which reads no more than its row.
    """
    query = RowQuery("alerts", caller.team, after=window.page_token, limit=window.page_size)
    page = await house.ports.store.rows(query)
    found: list[Alert] = []
    for stored in page.items:
        found += await _listed(house, stored.row.session_id)
    return Alerts(items=tuple(found), next_page_token=page.next_after)


@router.post("/sessions/{session_id}/alerts", status_code=201)
async def raise_alert(session_id: Ident, asked: AlertRequest, once: OnceIfKeyed) -> Alert:
    """Call people to a session: danger that no layer saw, or that was seen elsewhere.

    Danger waits for nobody: it needs no draft, no claim and no open session. Asked again, it gives
    the same alert while nobody has acknowledged it, and ever after under the same key. From high on
    the model falls silent and a reply that is still held is taken back; no notice is sent to the
    client.
    """
    house, caller = once.house, once.caller
    state, ids = await session_for(house, caller, session_id), house.ports.ids
    alert_id = within(ids.new("alr"), session_id)
    raised = alarms.AlertRaised(
        alert_id=alert_id, message_id=state.last_said or alert_id, level=asked.level,
        category=asked.category, score=1.0, source="human",
    )  # fmt: skip
    note = events.NoteAdded(note_id=ids.new("not"), text=asked.note) if asked.note else None

    def stamp(after: State) -> Stamp:
        alarm = after.standing(asked.level, asked.category)
        assert alarm is not None  # noqa: S101  (raised just now, if it did not stand there before)
        return stamp_of(alarm.alert_id, after)

    async def write() -> Stamp:
        done = await house.ledger.append(
            session_id, lambda now: decide_review.raise_alert(now, raised, note), caller.name,
            once.under(stamp),
        )  # fmt: skip
        count_written(done.events)
        return stamp(done.state)

    answered = await once.do(write)
    return await _shown(house, caller, await session_for(house, caller, session_id), answered.id)


@router.post("/alerts/{alert_id}/acknowledge")
async def acknowledge(alert_id: Ident, house: InHouse, caller: Therapist) -> Alert:
    """Say that you have seen it; stops the pager. Saying it again changes nothing."""
    state = await session_of_part(house, caller, alert_id)
    done = await house.ledger.append(
        state.session_id, lambda now: decide_review.acknowledge(now, alert_id), caller.name
    )
    alarm = done.state.alarm(alert_id)
    if done.events and alarm.acknowledged_at_ms is not None:
        waited = max(0, alarm.acknowledged_at_ms - alarm.raised_at_ms) / 1000
        Counted.acknowledged_seconds.observe(waited, level=alarm.level)
        log_line(LogEvent.ALERT_ACKNOWLEDGED, alert_id=alert_id, wait_s=waited)
    return await _shown(house, caller, done.state, alert_id)


@router.post("/alerts/{alert_id}/resolve")
async def resolve(
    alert_id: Ident, asked: ResolveRequest, house: InHouse, caller: Therapist
) -> Alert:
    """Say how it ended; drafting resumes when no alert of high or above is left.

    Refused as stale when the client wrote of danger after what the caller has read, and as decided
    when a colleague has said otherwise. The same again changes nothing.
    """
    state = await session_of_part(house, caller, alert_id)
    resolved = alarms.AlertResolved(alert_id=alert_id, outcome=asked.outcome, note=asked.note)
    done = await house.ledger.append(
        state.session_id, lambda now: decide_review.resolve(now, resolved, asked.basis), caller.name
    )
    return await _shown(house, caller, done.state, alert_id)


async def _listed(house: House, session_id: str) -> Sequence[Alert]:
    """A session's alerts; none of one that nobody can read, which must not hide all others."""
    # Refused: erased since its row was read.
    with outliving(StoreUnavailable, session_id=session_id), suppress(Refused):
        state = await house.ledger.load(session_id)
        views = [alert_view(state, one, house.ledger.policy) for one in state.open_alarms]
        return [view.model_copy(update={"evidence": ()}) for view in views]
    return ()


async def _shown(house: House, caller: Caller, state: State, alert_id: str) -> Alert:
    """Give the alert with its evidence; that a supervisor is shown it is written down."""
    after = await read_by(house, caller, state, "alert")
    return alert_view(after, after.alarm(alert_id), house.ledger.policy)

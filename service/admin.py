"""Supervisors and ops: rows, envelopes, proof, erasure."""

import json
from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from service.house import InHouse, Ops, Supervisor, read_by, session_for, session_or_its_proof
from service.ids import maybe, moment
from service.schemas.admin import AuditVerdict, Events, EventView, SessionRow, SessionRows
from service.schemas.wire import Ident, Label, PageToken, SeqAsked, Wire
from service.sealing import GENESIS, first_broken
from service.session.events import Recorded
from service.session.refusals import Refused
from service.stores import paging
from service.stores.port import Envelope, RowQuery, StoredRow
from service.telemetry.log import LogEvent, log_line

router = APIRouter(prefix="/v1", tags=["supervisor and ops"])


class RowWindow(Wire):
    """Which sessions to list."""

    status: Literal["open", "crisis", "closed", "erased"] | None = None
    team: Label | None = None
    """Ops only; supervisors see their own team."""
    page_size: Annotated[int, Field(ge=1, le=200)] = 50
    page_token: PageToken = None


class EventWindow(Wire):
    """Which envelopes to give."""

    payload: bool = False
    """The words inside; the reading is itself recorded."""
    after: SeqAsked = 0
    page_size: Annotated[int, Field(ge=1, le=500)] = 200
    page_token: PageToken = None


@router.get("/sessions")
async def list_sessions(
    house: InHouse, caller: Ops, window: Annotated[RowWindow, Query()]
) -> SessionRows:
    """List sessions without words, newest first."""
    team = window.team if caller.role == "ops" else caller.team
    if caller.role != "ops" and window.team not in {None, caller.team}:
        return SessionRows(items=())
    query = RowQuery(
        "newest", team, status=window.status, now_ms=house.ports.clock.now_ms(),
        after=window.page_token, limit=window.page_size, counted=False,
    )  # fmt: skip
    page = await house.ports.store.rows(query)
    return SessionRows(
        items=tuple(_row(one) for one in page.items), next_page_token=page.next_after
    )


@router.get("/sessions/{session_id}/events")
async def read_events(
    session_id: Ident, house: InHouse, caller: Supervisor,
    window: Annotated[EventWindow, Query()],
) -> Events:  # fmt: skip
    """Give envelopes, oldest first; with words only on demand, and that is written down."""
    state = await session_for(house, caller, session_id)
    after = window.after
    if window.page_token is not None:
        after = max(0, int(paging.key(window.page_token, (int,))[0]))
    if window.payload:
        state = await read_by(house, caller, state, "events", 0)
    found = await house.ports.store.read(session_id, after)
    page, rest = found[: window.page_size], found[window.page_size :]
    # To read on is an event too: where nothing else is left, pages would never end.
    left = any(not window.payload or one.type != "words_read" for one in rest)
    more = paging.token(page[-1].seq) if left else None
    opened: Mapping[int, Recorded] = {}
    if window.payload:
        opened = await house.ledger.opened(session_id, page)
    items = tuple(_event(one, opened.get(one.seq)) for one in page)
    return Events(items=items, next_page_token=more, seq=state.seq)


@router.delete("/sessions/{session_id}", status_code=202, response_class=Response)
async def erase_session(session_id: Ident, house: InHouse, caller: Supervisor) -> Response:
    """Destroy a session's words and keep the proof of what happened; twice is no error."""
    # Whoever had no answer asks again, and only then may the line below be written.
    await session_or_its_proof(house, caller, session_id)
    await house.ledger.erase(session_id, caller.name)
    # Whoever restores a backup reads these to erase again: written at nearly every log level.
    log_line(LogEvent.SESSION_ERASED, "warning", session_id=session_id, actor=caller.name)
    return Response(status_code=202)


@router.get("/audit/verify")
async def verify_chain(
    session_id: Annotated[Ident, Query()], house: InHouse, caller: Supervisor
) -> AuditVerdict:
    """Say whether a session's chain holds; works on erased sessions too."""
    stored = await house.ports.store.row(session_id)
    if stored is None or stored.row.team != caller.team:
        raise Refused("not_found", "No such session.")
    envelopes = await house.ports.store.read(session_id)
    after = await house.ports.store.row(session_id) or stored
    broken = first_broken(envelopes)
    # Somebody may append between these looks: the log is as long as the row said before or after.
    if broken is None and not stored.row.seq <= len(envelopes) <= after.row.seq:
        broken = min(len(envelopes), after.row.seq) + 1
    head = envelopes[-1].hash if envelopes else GENESIS
    return AuditVerdict(
        session_id=session_id, intact=broken is None, events=len(envelopes),
        first_broken_seq=broken, head=head.hex(),
    )  # fmt: skip


def _event(envelope: Envelope, opened: Recorded | None) -> EventView:
    payload = json.loads(opened.event.model_dump_json()) if opened else None
    return EventView(
        seq=envelope.seq, type=envelope.type, at=moment(envelope.at_ms), actor=envelope.actor,
        hash=envelope.hash.hex(), prev_hash=envelope.prev_hash.hex(),
        schema_version=envelope.schema_version, payload=payload,
    )  # fmt: skip


def _row(stored: StoredRow) -> SessionRow:
    row = stored.row
    return SessionRow(
        session_id=row.session_id, team=row.team, status=row.status, stage=row.stage,
        action=row.action, risk=row.risk, kind=row.kind,
        waiting_since=maybe(row.waiting_since_ms),
        claimed_by=stored.claim.holder if stored.claim else None, assigned_to=row.assigned_to,
        language=row.language, simulated=row.simulated, created_at=moment(row.created_at_ms),
        updated_at=moment(row.updated_at_ms), seq=row.seq,
    )  # fmt: skip

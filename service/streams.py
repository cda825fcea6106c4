"""Server-sent events: a client app hears replies, a console hears that something changed."""

import json
from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import APIRouter, Header
from sse_starlette import EventSourceResponse, ServerSentEvent

from service.house import ClientApp, House, InHouse, Therapist, session_for
from service.schemas.wire import Ident
from service.session.refusals import Refused
from service.sessions import released
from service.stores.port import RowQuery
from service.telemetry.metrics import Http

router = APIRouter(prefix="/v1", tags=["streams"])
_STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}
_HEARTBEAT_S = 15
_LOOK_S = 10.0
"""Looks again after this even if nobody was woken."""
_SHOWN = 200
"""Queue rows a console is told about."""

LastSeen = Annotated[str | None, Header(alias="Last-Event-ID", max_length=64)]


@router.get("/sessions/{session_id}/stream", response_class=EventSourceResponse, responses=_STREAM)
async def stream_session(
    session_id: Ident, house: InHouse, caller: ClientApp, last_event_id: LastSeen = None
) -> EventSourceResponse:
    """Send each reply as it leaves, and each change of status; resumes after `Last-Event-ID`."""
    state = await session_for(house, caller, session_id)
    seen = _place(last_event_id, state.seq)
    told = _replies(house, state.session_id, seen)
    return EventSourceResponse(_counted(told, "client"), ping=_HEARTBEAT_S)


@router.get("/stream", response_class=EventSourceResponse, responses=_STREAM)
async def stream_desk(house: InHouse, caller: Therapist) -> EventSourceResponse:
    """Tell a console that the queue or an alert changed: ids only, never words."""
    return EventSourceResponse(_counted(_queue(house, caller.team), "console"), ping=_HEARTBEAT_S)


async def _replies(house: House, session_id: str, seen: int) -> AsyncGenerator[ServerSentEvent]:
    mark, status = 0, ""
    while True:
        state = await house.ledger.load(session_id)
        for reply in released(state, seen):
            seen = reply.seq
            yield ServerSentEvent(reply.model_dump_json(), event="reply", id=str(reply.seq))
        if state.status != status:
            status = state.status
            body = json.dumps({"status": status, "seq": state.seq})
            yield ServerSentEvent(body, event="status", id=str(max(seen, 0)))
        if status == "erased":
            return
        mark = await house.ports.store.changed(mark, _LOOK_S)


async def _queue(house: House, team: str) -> AsyncGenerator[ServerSentEvent]:
    mark, before = 0, dict[str, str]()
    while True:
        now = house.ports.clock.now_ms()
        page = await house.ports.store.rows(RowQuery("queue", team, now_ms=now, limit=_SHOWN))
        after: dict[str, str] = {}
        for row, claim in page.items:
            body = {
                "session_id": row.session_id, "kind": row.kind, "risk": row.risk,
                "seq": row.seq, "alert_id": row.alert_id,
                "claimed_by": claim.holder if claim else None,
            }  # fmt: skip
            after[row.session_id] = json.dumps(body)
            if before.get(row.session_id) != after[row.session_id]:
                kind = "alert" if row.kind == "alert" else "queue"
                yield ServerSentEvent(after[row.session_id], event=kind)
        for gone in before.keys() - after.keys():
            yield ServerSentEvent(json.dumps({"session_id": gone, "kind": None}), event="queue")
        before = after
        mark = await house.ports.store.changed(mark, _LOOK_S)


async def _counted(
    told: AsyncGenerator[ServerSentEvent], audience: str
) -> AsyncGenerator[ServerSentEvent]:
    Http.streams.add(1, audience=audience)
    try:
        async for one in told:
            yield one
    finally:
        Http.streams.add(-1, audience=audience)


def _place(last_event_id: str | None, newest: int) -> int:
    if last_event_id is None:
        return 0
    known = last_event_id.isascii() and last_event_id.isdecimal() and int(last_event_id) <= newest
    if not known:
        # Taken at its word, one from the future would keep every reply until then from the client.
        raise Refused("invalid_request", "Last-Event-ID must be one that this stream sent.")
    return int(last_event_id)

"""Server-sent events: a client app hears replies, a console hears that something changed."""

import asyncio
import json
from collections.abc import AsyncGenerator, Collection, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from service.house import (
    KNOWN_FOR_WORDS_MS,
    Anybody,
    ClientApp,
    InHouse,
    Listening,
    Therapist,
    session_for,
)
from service.ports import IssuerUnavailable, Ports
from service.schemas.wire import Ident
from service.session.refusals import Refused
from service.sessions import released
from service.stores import paging
from service.stores.port import ALERTS, Order, RowQuery, StoredRow, StoreUnavailable
from service.telemetry.log import LogEvent, log_line
from service.telemetry.metrics import Http

router = APIRouter(prefix="/v1", tags=["streams"])
_STREAM: dict[int | str, dict[str, Any]] = {200: {"content": {"text/event-stream": {}}}}
_HEARTBEAT_S = 15
_LOOK_S = 10.0
"""Looks again after this even if nobody was woken."""
_REST_S = 0.2
"""Rests this long after a look."""
_CALM_S = 1.0
"""A console rests this long, unless an alert comes: any session's change wakes every console."""
_LONGEST_MS = 600_000
"""A stream ends after this; its client comes back with `Last-Event-ID` and misses nothing."""
_KNOWN_MS = 15_000
"""Asks again who is listening after this. With `_LOOK_S` a revoked key hears 30 s more at most."""
_SHOWN = 200
"""First rows of each list, the queue and the alerts, that a console is told about; whoever it was
told of is followed until nothing waits there any more, also behind so many others."""

LastSeen = Annotated[str | None, Header(alias="Last-Event-ID", max_length=64)]


@dataclass(slots=True)
class Listener(Listening):
    """Who hears a stream. Nobody has to ask for the next words, so it is asked again who hears."""

    opened_ms: int

    async def stays(self) -> bool:
        """Whether the stream goes on. Raises: as `recognised`."""
        # A clock that was set back ends it too, instead of making it longer.
        if not 0 <= self.house.ports.clock.now_ms() - self.opened_ms < _LONGEST_MS:
            return False
        await self.recognised(_KNOWN_MS)
        return True


async def _seated(request: Request, house: InHouse, caller: Anybody) -> AsyncGenerator[Listener]:
    """Give a listener a seat until the answer has ended, however it ends."""
    app = caller.role == "client_app"
    audience, most = ("client", house.seats.apps) if app else ("console", house.seats.people)
    now_ms = house.ports.clock.now_ms()
    with house.seats.taken(caller.account, most):
        Http.streams.add(1, audience=audience)
        try:
            header = request.headers.get("Authorization")
            yield Listener(house, caller, header, now_ms, now_ms)
        finally:
            Http.streams.add(-1, audience=audience)


Seated = Annotated[Listener, Depends(_seated, scope="request")]


@router.get("/sessions/{session_id}/stream", response_class=EventSourceResponse, responses=_STREAM)
async def stream_session(
    session_id: Ident, caller: ClientApp, listener: Seated, last_event_id: LastSeen = None
) -> EventSourceResponse:
    """Send each reply as it leaves, and each change of status; resumes after `Last-Event-ID`."""
    state = await session_for(listener.house, caller, session_id)
    seen = _place(last_event_id, state.seq)
    told = _replies(listener, state.session_id, seen)
    return EventSourceResponse(_while_possible(told), ping=_HEARTBEAT_S)


@router.get("/stream", response_class=EventSourceResponse, responses=_STREAM)
async def stream_desk(_: Therapist, listener: Seated) -> EventSourceResponse:
    """Tell a console that the queue or an alert changed: ids only, never words."""
    return EventSourceResponse(_while_possible(_queue(listener)), ping=_HEARTBEAT_S)


async def _replies(
    listener: Listener, session_id: str, seen: int
) -> AsyncGenerator[ServerSentEvent]:
    house, mark, seq, status = listener.house, 0, -1, ""
    while await listener.stays():
        stored = await house.ports.store.row(session_id)
        if stored is None or stored.row.seq != seq:
            state = await house.ledger.load(session_id)
            if state.seq < seen:
                # A failover cut the log: what is said from here on would pass for told already.
                # Whoever comes back with that place is refused, and begins again.
                return
            seq = state.seq
            for reply in released(state, seen):
                await listener.recognised(KNOWN_FOR_WORDS_MS)
                seen = reply.seq
                # In ASCII: readers of lines end one also at U+2028, which words may hold.
                body = json.dumps(reply.model_dump(mode="json"))
                yield ServerSentEvent(body, event="reply", id=str(reply.seq))
            if state.status != status:
                status = state.status
                body = json.dumps({"status": status, "seq": state.seq})
                yield ServerSentEvent(body, event="status", id=str(max(seen, 0)))
            if status == "erased":
                return
        await asyncio.sleep(_REST_S)
        mark = await house.ports.store.changed(mark, _LOOK_S, session_id)


async def _queue(listener: Listener) -> AsyncGenerator[ServerSentEvent]:
    ports, mark, before = listener.house.ports, 0, dict[str, str]()
    while await listener.stays():
        after: dict[str, str] = {}
        for row, claim in await _listed(ports, listener.caller.team, before):
            body = {
                "session_id": row.session_id, "kind": row.kind, "risk": row.risk,
                "seq": row.seq, "alert_id": row.alert_id,
                "claimed_by": claim.holder if claim else None,
            }  # fmt: skip
            after[row.session_id] = json.dumps(body)
            if before.get(row.session_id) != after[row.session_id]:
                kind = "queue" if row.alert_id is None else "alert"
                yield ServerSentEvent(after[row.session_id], event=kind)
        for gone in before.keys() - after.keys():
            yield ServerSentEvent(json.dumps({"session_id": gone, "kind": None}), event="queue")
        before = after
        await asyncio.sleep(_REST_S)
        await ports.store.changed(mark, _CALM_S - _REST_S, ALERTS)
        mark = await ports.store.changed(mark, _LOOK_S)


async def _listed(ports: Ports, team: str, told: Collection[str]) -> Iterable[StoredRow]:
    """Rows of both lists: an alert that was seen may wait in no queue and still be open."""
    orders: tuple[Order, ...] = ("queue", "alerts")
    now_ms = ports.clock.now_ms()
    queries = [RowQuery(one, team, now_ms=now_ms, limit=_SHOWN, counted=False) for one in orders]
    pages = [await ports.store.rows(query) for query in queries]
    found = {one.row.session_id: one for page in pages for one in page.items}
    for session_id in [one for one in told if one not in found]:
        # Gone, or only pushed behind the rows that a list shows: its own row knows.
        stored = await ports.store.row(session_id)
        if stored is not None and any(paging.listed(order, stored.row) for order in orders):
            found[session_id] = stored._replace(claim=stored.held(now_ms))
    return found.values()


async def _while_possible(
    told: AsyncGenerator[ServerSentEvent],
) -> AsyncGenerator[ServerSentEvent]:
    """End quietly what cannot go on: the answer has begun, and whoever comes back is told why."""
    try:
        async with aclosing(told):
            async for one in told:
                yield one
    except (Refused, IssuerUnavailable):
        return
    except StoreUnavailable:
        log_line(LogEvent.STORE_UNAVAILABLE, "error")


def _place(last_event_id: str | None, newest: int) -> int:
    if last_event_id is None:
        return 0
    known = last_event_id.isascii() and last_event_id.isdecimal() and int(last_event_id) <= newest
    if not known:
        # Taken at its word, one from the future would keep every reply until then from the client.
        raise Refused("invalid_request", "Last-Event-ID must be one that this stream sent.")
    return int(last_event_id)

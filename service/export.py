"""What may leave: scrubbed, at a supervisor's request, each reading written down.

One session in the PSY-STEP form; and, of clients who agreed, preference rows for training: what a
therapist sent against what the model had drafted. Paper: PSY-STEP §3.2, §4; PsychoCounsel §3.2.
"""

import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, JsonValue

from planner.vocabulary import CounselorTurn, Plan, Stage, Turn
from service.house import House, InHouse, Supervisor, session_for
from service.schemas.wire import Ident
from service.session import case
from service.session.events import Event, WordsRead
from service.session.refusals import Refused
from service.session.row import Row
from service.session.state import Entry, State
from service.stores.port import RowQuery

router = APIRouter(prefix="/v1", tags=["supervisor and ops"])
CONSENT = "research_consent"
"""Profile field that must be true before a session's rows are exported as preferences."""
_PAGE = 200


@router.get("/sessions/{session_id}/export")
async def export_session(
    session_id: Ident, house: InHouse, caller: Supervisor
) -> dict[str, JsonValue]:
    """Give a session in the PSY-STEP JSON form, scrubbed; the reading is written down."""
    state = await session_for(house, caller, session_id)
    if case.unscrubbed(state):
        raise Refused("not_scrubbed_yet", "Some lines are not scrubbed yet; try again.", state.seq)
    await house.ledger.append(session_id, _read, caller.name)
    return psy_step(state)


@router.get(
    "/preferences/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/x-ndjson": {}}}},
)
async def export_preferences(
    house: InHouse,
    caller: Supervisor,
    since: Annotated[AwareDatetime | None, Query()] = None,
) -> StreamingResponse:
    """Give preference rows of consenting clients as JSON lines, newest session first."""
    since_ms = int(since.timestamp() * 1000) if since else 0

    async def lines() -> AsyncGenerator[str]:
        async for row in _rows(house, caller.team):
            if row.updated_at_ms < since_ms:
                continue
            for one in await _taken(house, row.session_id, since_ms, caller.name):
                yield json.dumps(one, ensure_ascii=False) + "\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")


def psy_step(state: State) -> dict[str, JsonValue]:
    """Give the session in the corpus's form; no profile, because a profile names a person."""
    seen = case.case_of(state)
    position = seen.position
    stages: dict[str, JsonValue] = {"id": state.session_id, "language": state.language}
    stages["formulation"] = {
        "surface_level_problem": seen.formulation.surface_level_problem,
        "triggering_situation": seen.formulation.triggering_situation,
        "automatic_thoughts": list(seen.formulation.automatic_thoughts),
    }
    stages["diagnosis"] = {"turns": [_turn(one) for one in seen.diagnostic]}
    if position.stage is Stage.INTERVENTION:
        stages["intervention"] = {
            **_plan(position.plan), "turns": [_turn(one) for one in seen.intervention]
        }  # fmt: skip
    return stages


def preferences(state: State, since_ms: int) -> Iterator[dict[str, JsonValue]]:
    """Give one row per edited draft of a client who agreed: sent against drafted, scrubbed."""
    if state.profile.get(CONSENT) is not True or case.unscrubbed(state):
        return
    for entry in state.entries:
        edited = entry.verdict == "edit" and entry.drafted is not None
        if edited and entry.released_seq and entry.at_ms >= since_ms:
            yield {
                "session_id": state.session_id,
                "stage": entry.stage,
                "action": entry.action,
                "chosen": _scrubbed(state, entry),
                "rejected": entry.drafted,
                "reasoning": entry.reasoning,
            }


def _read(_: State) -> tuple[Event, ...]:
    return (WordsRead(what="export"),)


async def _taken(
    house: House, session_id: str, since_ms: int, reader: str
) -> Sequence[dict[str, JsonValue]]:
    """One session's preference rows, written down as read; none if it is erased meanwhile."""
    found = [*preferences(await house.ledger.load(session_id), since_ms)]
    try:
        if found:
            await house.ledger.append(session_id, _read, reader)
    except Refused:
        return ()
    return found


async def _rows(house: House, team: str) -> AsyncGenerator[Row]:
    """The team's sessions that have words of a client's, newest first."""
    after: str | None = None
    while True:
        query = RowQuery("newest", team, after=after, limit=_PAGE)
        page = await house.ports.store.rows(query)
        for stored in page.items:
            if stored.row.status != "erased" and not stored.row.simulated:
                yield stored.row
        after = page.next_after
        if after is None:
            return


def _scrubbed(state: State, entry: Entry) -> str:
    changed = state.scrubbed[entry.id]
    return entry.text if changed is None else changed


def _turn(turn: Turn) -> JsonValue:
    if isinstance(turn, CounselorTurn):
        return {
            "role": "counselor", "action_reasoning": turn.action_reasoning,
            "action": turn.action, "utterance": turn.utterance,
        }  # fmt: skip
    return {"role": "client", "utterance": turn.utterance}


def _plan(plan: Plan) -> dict[str, JsonValue]:
    return {
        "strategy": plan.strategy,
        "plan": plan.text,
        "reason_for_these_order": plan.reason,
        "action_order": list(plan.actions),
    }

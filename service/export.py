"""What may leave: scrubbed, at a supervisor's request, each reading written down.

One session in the PSY-STEP form; and, of clients who agreed, preference rows for training: what a
therapist sent against what the model had drafted. Paper: PSY-STEP §3.2, §4; PsychoCounsel §3.3.
"""

import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse
from msgspec.structs import replace
from pydantic import AwareDatetime, JsonValue

from planner.vocabulary import CounselorTurn, Plan, Stage, Turn
from service.auth import Caller
from service.house import (
    KNOWN_FOR_WORDS_MS,
    House,
    InHouse,
    Listening,
    Supervisor,
    read_by,
    session_for,
)
from service.schemas.wire import Ident
from service.scrubbing import ScrubFailed, apart, scrub_lines, scrub_words
from service.session import case
from service.session.events import SERVICE, Event
from service.session.refusals import Refused, erased
from service.session.row import Row
from service.session.state import Entry, State
from service.stores.port import RowQuery, StoreUnavailable
from service.telemetry.log import outliving

router = APIRouter(prefix="/v1", tags=["supervisor and ops"])
CONSENT = "research_consent"
"""Profile field that must be true before a session's rows are exported as preferences."""
_PAGE = 200


@router.get("/sessions/{session_id}/export")
async def export_session(
    session_id: Ident, house: InHouse, caller: Supervisor
) -> dict[str, JsonValue]:
    """Give a session in the PSY-STEP JSON form, scrubbed; the reading is written down."""
    state = await _all_scrubbed(house, await session_for(house, caller, session_id))
    await read_by(house, caller, state, "export", 0)
    return psy_step(state)


@router.get(
    "/preferences/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/x-ndjson": {}}}},
)
async def export_preferences(
    request: Request,
    house: InHouse,
    caller: Supervisor,
    since: Annotated[AwareDatetime | None, Query()] = None,
) -> StreamingResponse:
    """Give preference rows of consenting clients as JSON lines, newest session first.

    A row that cannot be scrubbed is left out; while nothing can be, the whole export is refused.
    It breaks off when the caller's key is revoked meanwhile: the rest must not pass for nothing.
    """
    since_ms = int(since.timestamp() * 1000) if since else 0
    reader = Listening(
        house, caller, request.headers.get("Authorization"), house.ports.clock.now_ms()
    )
    # Once the first row has left, there is no status to refuse with.
    await scrub_words(State("probe"), ("All is well.",), house.ports)

    async def lines() -> AsyncGenerator[str]:
        async for row in _rows(house, caller.team):
            if row.updated_at_ms < since_ms:
                continue
            await reader.recognised(KNOWN_FOR_WORDS_MS)
            for one in await _taken(house, row.session_id, since_ms, caller):
                # In ASCII: readers of lines end one also at U+2028, which words may hold.
                yield json.dumps(one) + "\n"

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
    """Give one row per edited draft of a client who agreed: sent against drafted, scrubbed.

    Both are turns in the corpus's form, since a therapist may have changed the step as well.
    `stage` and `turn` are where the reply stands in the session's own export. Paper: PsychoCounsel
    §3.2 (`reasons`).
    """
    talks = {Stage.DIAGNOSTIC: "diagnosis", Stage.INTERVENTION: "intervention"}
    for entry in _preferred(state, since_ms):
        if entry.drafted and entry.id in state.scrubbed:
            yield {
                "session_id": state.session_id,
                "stage": talks[entry.stage],
                "turn": case.turn_of(state, entry),
                "reasons": list(entry.reasons),
                "chosen": _answer(entry.reasoning, entry.action, case.as_seen(state, entry)),
                "rejected": _answer(
                    entry.drafted.action_reasoning, entry.drafted.action, entry.drafted.utterance
                ),
            }


async def _taken(
    house: House, session_id: str, since_ms: int, caller: Caller
) -> Sequence[dict[str, JsonValue]]:
    """One session's preference rows, written down as read; none if it is erased meanwhile.

    None either of a session that nobody can open: it must not end the export of all older ones.
    """
    # Refused: erased since its row was read.
    with outliving(StoreUnavailable, session_id=session_id), suppress(Refused):
        state = await house.ledger.load(session_id)
        if _preferred(state, since_ms):
            with suppress(Refused, ScrubFailed):
                state = await _all_scrubbed(house, state)
        if found := [*preferences(state, since_ms)]:
            await read_by(house, caller, state, "export", 0)
        return found
    return ()


async def _all_scrubbed(house: House, state: State) -> State:
    """Give a session without a line that is not scrubbed.

    Turns scrub what a model is to read; what a therapist wrote last no turn may ever come for.
    Raises: ScrubFailed: what is not scrubbed does not leave; Refused session_erased.
    """
    lines = case.unscrubbed(state)
    if not lines:
        return state
    texts = await scrub_lines(state, lines, house.ports)

    def keep(now: State) -> tuple[Event, ...]:
        if now.status == "erased":
            raise erased(now.seq)
        return apart(now, state, texts)

    await house.ledger.append(state.session_id, keep, SERVICE)
    # As it was seen: what was said since then is not scrubbed.
    return replace(state, scrubbed={**state.scrubbed, **{one.entry_id: one.text for one in texts}})


def _preferred(state: State, since_ms: int) -> tuple[Entry, ...]:
    """The replies that a therapist made of drafts, if the client agreed to show them."""
    if state.profile.get(CONSENT) is not True:
        return ()
    return tuple(
        entry
        for entry in state.entries
        if entry.verdict == "edit" and entry.drafted is not None
        # By when it left: one that was held while the last rows were taken is new.
        if entry.released_seq and entry.sent_at_ms >= since_ms
    )


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


def _turn(turn: Turn) -> JsonValue:
    if isinstance(turn, CounselorTurn):
        answer = _answer(turn.action_reasoning, turn.action, turn.utterance)
        return {"role": "counselor", **answer}
    return {"role": "client", "utterance": turn.utterance}


def _answer(reasoning: str, action: str, utterance: str) -> dict[str, JsonValue]:
    return {"action_reasoning": reasoning, "action": action, "utterance": utterance}


def _plan(plan: Plan) -> dict[str, JsonValue]:
    return {
        "strategy": plan.strategy,
        "plan": plan.text,
        "reason_for_these_order": plan.reason,
        "action_order": list(plan.actions),
    }

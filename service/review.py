"""The therapist's desk: what waits, whose it is, and what is decided on it."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from safety.risk import RiskLevel
from service.house import (
    ClaimHeader,
    InHouse,
    Therapist,
    number_of,
    read_by,
    reviewer,
    session_for,
    session_of_part,
)
from service.ids import maybe, moment
from service.ledger import Appended, Under
from service.release import decide_on_draft, reply_without_draft, undo
from service.schemas.review import (
    Claim,
    ClaimRequest,
    Decided,
    DecisionRequest,
    Draft,
    DraftRequest,
    Kind,
    Queue,
    QueueItem,
    ReplyRequest,
)
from service.schemas.wire import Ident, Wire
from service.schemas.workspace import Written
from service.scrubbing import apart, scrub_words
from service.session import decide_review, events
from service.session.refusals import Refused
from service.session.state import State
from service.stores.port import ClaimedByOther, ClaimLost, ClaimWish, Fence, RowQuery, StoredRow
from service.telemetry.metrics import Review
from service.views import draft_view

router = APIRouter(prefix="/v1", tags=["therapist"])


class QueueWindow(Wire):
    """Which part of the queue to give."""

    kind: Kind | None = None
    risk: Literal["none", "low", "moderate", "high", "imminent"] | None = None
    """At least this level."""
    language: Literal["en", "zh"] | None = None
    mine: bool = False
    page_size: Annotated[int, Field(ge=1, le=200)] = 50
    page_token: Annotated[str | None, Field(max_length=300)] = None


@router.get("/queue")
async def read_queue(
    house: InHouse, caller: Therapist, window: Annotated[QueueWindow, Query()]
) -> Queue:
    """Give what needs a human, most urgent first: level, then score, then waiting time."""
    query = RowQuery(
        "queue", caller.team, kind=window.kind,
        risk=RiskLevel(window.risk) if window.risk else None,
        person=caller.name if window.mine else None, now_ms=house.ports.clock.now_ms(),
        after=window.page_token, limit=window.page_size, language=window.language,
    )  # fmt: skip
    page = await house.ports.store.rows(query)
    items = tuple(_item(one) for one in page.items)
    return Queue(items=items, next_page_token=page.next_after, total=page.total)


@router.post("/sessions/{session_id}/claim")
async def claim_session(
    session_id: Ident,
    asked: ClaimRequest,
    house: InHouse,
    caller: Therapist,
    x_claim: ClaimHeader = None,
) -> Claim:
    """Take a session, or renew a claim by sending it along."""
    await session_for(house, caller, session_id)
    if asked.take_over and asked.note is None:
        raise Refused("note_required", "Taking over needs a note for your colleague.")
    now = house.ports.clock.now_ms()
    wish = ClaimWish(
        session_id, caller.name, now, now + house.claim_ms, asked.take_over,
        number_of(x_claim) if x_claim is not None else None,
    )  # fmt: skip
    try:
        claim = await house.ports.store.claim(wish)
    except ClaimedByOther:
        Review.claims.add(outcome="refused")
        raise
    except ClaimLost:
        Review.claims.add(outcome="lost")
        raise
    kind = "granted" if wish.renew is None else "renewed"
    Review.claims.add(outcome="taken_over" if asked.take_over else kind)
    if asked.take_over and asked.note is not None:
        note = events.NoteAdded(note_id=house.ports.ids.new("not"), text=asked.note)
        await house.ledger.append(session_id, lambda _: (note,), caller.name)
    return Claim(claim=f"clm_{claim.number}", expires_at=moment(claim.until_ms))


@router.delete("/sessions/{session_id}/claim", status_code=204)
async def release_session(
    session_id: Ident, house: InHouse, caller: Therapist, x_claim: ClaimHeader = None
) -> Response:
    """Give a session back; a claim that was lost before is no error."""
    await session_for(house, caller, session_id)
    if x_claim is None:
        raise Refused("claim_required", "Send the claim as X-Claim.")
    fence = Fence(caller.name, number_of(x_claim))
    await house.ports.store.release_claim(session_id, fence)
    return Response(status_code=204)


@router.get("/drafts/{draft_id}")
async def read_draft(draft_id: Ident, house: InHouse, caller: Therapist) -> Draft:
    """Give the newest draft of a session by its id; earlier ones stand in the log."""
    state = await session_of_part(house, caller, draft_id)
    if draft_id not in state.drafts:
        raise Refused("not_found", "No such draft.")
    if state.draft is None or state.draft.prepared.draft_id != draft_id:
        raise Refused("draft_is_stale", "The session has a newer draft.", state.seq)
    return draft_view(await read_by(house, caller, state, "draft"), state.draft)


@router.post("/drafts/{draft_id}/decisions", status_code=201)
async def decide_draft(
    draft_id: Ident, asked: DecisionRequest, house: InHouse, caller: Therapist,
    x_claim: ClaimHeader = None,
) -> Decided:  # fmt: skip
    """Approve, edit, reject, answer otherwise, or escalate. One decision per draft."""
    state = await session_of_part(house, caller, draft_id)
    if draft_id not in state.drafts:
        raise Refused("not_found", "No such draft.")
    by = await reviewer(house, caller, state, x_claim)
    if asked.hint is not None:
        decide_review.decidable(state, draft_id, asked.basis)
        hint, added = await _scrubbed(state, asked.hint, house)
        if added:

            def keep(now: State) -> Sequence[events.Event]:
                return apart(now, state, added)

            await house.ledger.append(state.session_id, keep, "service")
        asked = asked.model_copy(update={"hint": hint})
    decision_id, done = await decide_on_draft(draft_id, state, asked, by, house.desk)
    return _decided(decision_id, done)


@router.post("/sessions/{session_id}/replies", status_code=201)
async def write_reply(
    session_id: Ident, asked: ReplyRequest, house: InHouse, caller: Therapist,
    x_claim: ClaimHeader = None,
) -> Decided:  # fmt: skip
    """Write to the client without a draft."""
    state = await session_for(house, caller, session_id)
    by = await reviewer(house, caller, state, x_claim)
    return _decided(*await reply_without_draft(state, asked, by, house.desk))


@router.delete("/decisions/{decision_id}")
async def undo_decision(
    decision_id: Ident, house: InHouse, caller: Therapist, x_claim: ClaimHeader = None
) -> Written:
    """Take a decided reply back while it is held."""
    state = await session_of_part(house, caller, decision_id)
    by = await reviewer(house, caller, state, x_claim)
    return Written(seq=(await undo(state.session_id, decision_id, by, house.desk)).seq)


@router.post("/sessions/{session_id}/drafts", status_code=202)
async def ask_draft(
    session_id: Ident, asked: DraftRequest, house: InHouse, caller: Therapist,
    x_claim: ClaimHeader = None,
) -> Written:  # fmt: skip
    """Ask for a new draft, with a hint if there is one; the old draft becomes stale."""
    state = await session_for(house, caller, session_id)
    by = await reviewer(house, caller, state, x_claim)
    hint, added = None, ()
    if asked.hint is not None:
        hint, added = await _scrubbed(state, asked.hint, house)

    def write(now: State) -> Sequence[events.Event]:
        return (*apart(now, state, added), *decide_review.ask_draft(now, hint))

    done = await house.ledger.append(session_id, write, by.name, Under(by.fence))
    return Written(seq=done.state.seq)


async def _scrubbed(
    state: State, hint: str, house: InHouse
) -> tuple[str, tuple[events.TextScrubbed, ...]]:
    """A hint goes to the model, so it is scrubbed like everything that does."""
    (words,), added = await scrub_words(state, (hint,), house.ports)
    return words, added


def _decided(decision_id: str, done: Appended) -> Decided:
    made = next(
        (one.event for one in done.events if isinstance(one.event, events.ReplyDecided)), None
    )
    release_at = maybe(made.release_at_ms) if made else None
    return Decided(decision_id=decision_id, release_at=release_at, seq=done.state.seq)


def _item(stored: StoredRow) -> QueueItem:
    row = stored.row
    assert row.kind is not None  # noqa: S101  (the queue only holds rows with a kind)
    return QueueItem(
        session_id=row.session_id, kind=row.kind, risk=row.risk, score=row.score,
        waiting_since=moment(row.waiting_since_ms or row.updated_at_ms), stage=row.stage,
        action=row.action, claimed_by=stored.claim.holder if stored.claim else None,
        draft_id=row.draft_id, plan_id=row.plan_id, alert_id=row.alert_id,
        language=row.language, assigned_to=row.assigned_to, seq=row.seq,
    )  # fmt: skip

"""The therapist's desk: what waits, whose it is, and what is decided on it."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from planner.vocabulary import Language
from safety.risk import RiskLevel
from service.house import (
    ClaimHeader,
    House,
    InHouse,
    Therapist,
    number_of,
    read_by,
    reviewer,
    session_for,
    session_of_part,
)
from service.idempotency import OnceIfKeyed, Stamp, stamp_of
from service.ids import maybe, moment
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
from service.schemas.wire import Ident, PageToken, Wire
from service.schemas.workspace import Written
from service.scrubbing import apart, scrub_words
from service.session import decide_review, events
from service.session.refusals import Refused
from service.session.state import State
from service.stores.port import Claim as StoredClaim
from service.stores.port import ClaimedByOther, ClaimLost, ClaimWish, Fence, RowQuery, StoredRow
from service.telemetry.metrics import Review
from service.views import draft_view

router = APIRouter(prefix="/v1", tags=["therapist"])
_TAKE, _ANOTHER = ClaimRequest(), DraftRequest()
"""What a request without a body asks for."""


class QueueWindow(Wire):
    """Which part of the queue to give."""

    kind: Kind | None = None
    risk: Literal["none", "low", "moderate", "high", "imminent"] | None = None
    """At least this level."""
    language: Language | None = None
    mine: bool = False
    page_size: Annotated[int, Field(ge=1, le=200)] = 50
    page_token: PageToken = None


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
    once: OnceIfKeyed,
    asked: ClaimRequest = _TAKE,
    x_claim: ClaimHeader = None,
) -> Claim:
    """Take a session, or renew a claim by sending it along; a note is left for colleagues."""
    house, caller = once.house, once.caller
    await session_for(house, caller, session_id)
    if asked.take_over and asked.note is None:
        raise Refused("note_required", "Taking over needs a note for your colleague.")
    # Asked again, it takes nothing over again: a colleague may have the session by now.
    before, now = await once.given(), house.ports.clock.now_ms()
    wish = ClaimWish(
        session_id, caller.name, now, now + house.claim_ms, asked.take_over and before is None,
        number_of(x_claim) if x_claim is not None else None,
    )  # fmt: skip
    claim = await _claimed(wish, house)
    if asked.note is not None and before is None:
        note = events.NoteAdded(note_id=house.ports.ids.new("not"), text=asked.note)
        await once.do(lambda: once.append(session_id, lambda _: (note,)))
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
    draft_id: Ident, asked: DecisionRequest, once: OnceIfKeyed, x_claim: ClaimHeader = None
) -> Decided:
    """Approve, edit, reject, answer otherwise, or escalate. One decision per draft."""
    house = once.house
    state = await session_of_part(house, once.caller, draft_id)
    if draft_id not in state.drafts:
        raise Refused("not_found", "No such draft.")

    async def write() -> Stamp:
        by = await once.reviewer(state, x_claim, _stamp)
        ruled = asked
        if asked.hint is not None:
            decide_review.decidable(state, draft_id, asked.basis)
            hint, added = await _scrubbed(state, asked.hint, house)
            if added:
                await house.ledger.append(
                    state.session_id, lambda now: apart(now, state, added), events.SERVICE
                )
            ruled = asked.model_copy(update={"hint": hint})
        return _stamp((await decide_on_draft(draft_id, state, ruled, by, house.desk)).state)

    return _decided(await once.do(write))


@router.post("/sessions/{session_id}/replies", status_code=201)
async def write_reply(
    session_id: Ident, asked: ReplyRequest, once: OnceIfKeyed, x_claim: ClaimHeader = None
) -> Decided:
    """Write to the client without a draft."""
    state = await session_for(once.house, once.caller, session_id)

    async def write() -> Stamp:
        by = await once.reviewer(state, x_claim, _stamp)
        return _stamp((await reply_without_draft(state, asked, by, once.house.desk)).state)

    return _decided(await once.do(write))


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
    session_id: Ident,
    once: OnceIfKeyed,
    asked: DraftRequest = _ANOTHER,
    x_claim: ClaimHeader = None,
) -> Written:
    """Ask for a new draft, with a hint if there is one; the old draft becomes stale."""
    house = once.house
    state = await session_for(house, once.caller, session_id)
    stamp = partial(stamp_of, session_id)

    async def write() -> Stamp:
        by = await once.reviewer(state, x_claim, stamp)
        hint, added = None, ()
        if asked.hint is not None:
            hint, added = await _scrubbed(state, asked.hint, house)

        def ask(now: State) -> Sequence[events.Event]:
            return (*apart(now, state, added), *decide_review.ask_draft(now, hint))

        return stamp((await house.ledger.append(session_id, ask, by.name, by.under)).state)

    return Written(seq=(await once.do(write)).seq)


async def _claimed(wish: ClaimWish, house: House) -> StoredClaim:
    """Take or renew, and count how that went. Raises: ClaimedByOther, ClaimLost."""
    try:
        claim = await house.ports.store.claim(wish)
    except ClaimedByOther:
        Review.claims.add(outcome="refused")
        raise
    except ClaimLost:
        Review.claims.add(outcome="lost")
        raise
    kind = "granted" if wish.renew is None else "renewed"
    Review.claims.add(outcome="taken_over" if wish.take_over else kind)
    return claim


async def _scrubbed(
    state: State, hint: str, house: House
) -> tuple[str, tuple[events.TextScrubbed, ...]]:
    """A hint goes to the model, so it is scrubbed like everything that does."""
    (words,), added = await scrub_words(state, (hint,), house.ports)
    return words, added


def _stamp(after: State) -> Stamp:
    """What is remembered of a decision: the newest of the session as it was just after."""
    decision_id = [*after.decisions][-1]
    sent = next((one.sent_at_ms for one in after.entries if one.id == decision_id), None)
    leaves = after.held.decision.release_at_ms if after.held else sent
    return stamp_of(decision_id, after).model_copy(update={"release_at_ms": leaves})


def _decided(stamp: Stamp) -> Decided:
    return Decided(decision_id=stamp.id, release_at=maybe(stamp.release_at_ms), seq=stamp.seq)


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

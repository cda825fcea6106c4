"""One session on one screen, and the small things colleagues leave there."""

import json
from contextlib import suppress
from functools import partial

from fastapi import APIRouter, Response

from service.house import (
    Anybody,
    ClaimHeader,
    House,
    InHouse,
    Therapist,
    read_by,
    session_for,
)
from service.idempotency import OnceIfKeyed, Stamp, stamp_of
from service.ids import maybe
from service.schemas.admin import Me
from service.schemas.wire import Ident
from service.schemas.workspace import AssignRequest, NoteRequest, UnsentText, Workspace, Written
from service.sealing import KeyUnreadable
from service.session import events
from service.session.decide import still_open
from service.session.refusals import erased
from service.session.state import State
from service.stores.port import SIDE_KINDS, Conflict, Document
from service.telemetry.metrics import Review
from service.views import (
    alert_view,
    card_view,
    draft_view,
    held_view,
    no_draft_reason,
    plan_view,
    readiness_view,
    transcript,
)

router = APIRouter(prefix="/v1", tags=["therapist"])
_VIEWING_MS = 15_000
"""Somebody who read the workspace this recently counts as looking."""
_VIEWER, _UNSENT = SIDE_KINDS
_ORIGIN = "\x1f"
"""Between the draft, its candidate and the words typed over it; no words hold such a character."""


@router.get("/me")
async def read_me(caller: Anybody) -> Me:
    """Say who the caller is."""
    return Me(name=caller.name, role=caller.role, team=caller.team)


@router.get("/sessions/{session_id}/workspace")
async def read_workspace(session_id: Ident, house: InHouse, caller: Therapist) -> Workspace:
    """Give all that one review screen needs; being read counts as being looked at."""
    found = await session_for(house, caller, session_id)
    state = await read_by(house, caller, found, "workspace")
    stored = await house.ports.store.row(session_id)
    now = house.ports.clock.now_ms()
    claim = stored.held(now) if stored else None
    unsent = await _unsent(house, session_id, caller.name)
    policy, opened = house.ledger.policy, state.opened
    assert opened is not None  # noqa: S101  (checked when the session was found)
    draft = draft_view(state, state.draft) if state.draft and state.draft_is_fresh else None
    position = state.position
    return Workspace(
        session_id=session_id, client_ref=opened.client_ref, status=state.status,
        language=opened.language,
        region=opened.region, simulated=opened.simulated, profile=opened.profile,
        transcript=transcript(state), plan=plan_view(state), draft=draft,
        no_draft_reason=no_draft_reason(state, policy.drafting), held=held_view(state),
        alerts=tuple(alert_view(state, one, policy) for one in state.alarms),
        crisis_card=card_view(state), readiness=readiness_view(state),
        claimed_by=claim.holder if claim else None,
        claim_expires_at=maybe(claim.until_ms) if claim else None,
        viewers=await _viewers(house, session_id, caller.name),
        unsent_text=unsent and unsent.text, unsent_draft_id=unsent and unsent.draft_id,
        unsent_candidate=unsent.candidate if unsent else 0,
        assigned_to=state.assigned_to, stage=position.stage,
        action=None if position.cursor is None else position.plan.actions[position.cursor],
        seq=state.seq,
    )  # fmt: skip


@router.put("/sessions/{session_id}/unsent", status_code=204)
async def keep_unsent(
    session_id: Ident, asked: UnsentText, house: InHouse, caller: Therapist
) -> Response:
    """Keep what a therapist has typed and not sent, sealed, hers alone; or say that it was not."""
    await session_for(house, caller, session_id)
    key = f"{session_id}:{caller.name}"
    if not asked.text:
        await house.ports.store.drop_document(_UNSENT, key)
        return Response(status_code=204)
    words = f"{asked.draft_id or ''}{_ORIGIN}{asked.candidate}{_ORIGIN}{asked.text}"
    sealed = await house.ledger.seal_side(session_id, _UNSENT, words)
    for _ in range(3):
        old = await house.ports.store.document(_UNSENT, key)
        try:
            version = old.version + 1 if old else 1
            await _keep(house, session_id, _UNSENT, Document(key, version, sealed))
            break
        except Conflict:
            continue
    else:
        raise Conflict
    return Response(status_code=204)


@router.post("/sessions/{session_id}/notes", status_code=201)
async def add_note(session_id: Ident, asked: NoteRequest, once: OnceIfKeyed) -> Written:
    """Leave a note for colleagues; neither client nor model sees it."""
    await session_for(once.house, once.caller, session_id)
    note = events.NoteAdded(note_id=once.house.ports.ids.new("not"), text=asked.text)
    stamp = await once.do(lambda: once.append(session_id, lambda _: (note,)))
    return Written(seq=stamp.seq)


@router.post("/sessions/{session_id}/assign")
async def assign(
    session_id: Ident, asked: AssignRequest, once: OnceIfKeyed, x_claim: ClaimHeader = None
) -> Written:
    """Hand the session to a colleague. Needs the claim; a supervisor may without."""
    house, caller = once.house, once.caller
    state = await session_for(house, caller, session_id)
    handed = events.SessionAssigned(to=asked.to, note=asked.note)
    stamp = partial(stamp_of, session_id)

    def hand(now: State) -> tuple[events.Event, ...]:
        still_open(now)
        return (handed,)

    async def write() -> Stamp:
        under = once.under(stamp)
        if x_claim is not None or caller.role != "supervisor":
            under = (await once.reviewer(state, x_claim, stamp)).under
        done = await house.ledger.append(session_id, hand, caller.name, under)
        Review.claims.add(outcome="handed_over")
        return stamp(done.state)

    return Written(seq=(await once.do(write)).seq)


async def _keep(house: House, session_id: str, kind: str, document: Document) -> None:
    """Write a side document, and take it away again where an erasure came before it.

    One that comes after it takes it away itself. Raises: Conflict; Refused session_erased.
    """
    await house.ports.store.put_document(kind, document)
    state = await house.ledger.load(session_id)
    if state.status == "erased":
        await house.ports.store.drop_document(kind, document.key)
        raise erased(state.seq)


async def _unsent(house: House, session_id: str, name: str) -> UnsentText | None:
    kept = await house.ports.store.document(_UNSENT, f"{session_id}:{name}")
    if kept is None:
        return None
    try:
        words = await house.ledger.open_side(session_id, _UNSENT, kept.body)
    except KeyUnreadable:
        return None
    *origin, text = words.split(_ORIGIN)
    # Earlier builds kept the words alone.
    draft_id, candidate = origin or ("", "0")
    return UnsentText(text=text, draft_id=draft_id or None, candidate=int(candidate))


async def _viewers(house: House, session_id: str, name: str) -> tuple[str, ...]:
    """Give who else is looking, and remember that ``name`` is; one small document a session."""
    now = house.ports.clock.now_ms()
    kept = await house.ports.store.document(_VIEWER, session_id)
    seen: dict[str, int] = json.loads(kept.body) if kept else {}
    live = {who: at for who, at in seen.items() if at > now - _VIEWING_MS}
    if live.get(name, 0) < now - _VIEWING_MS // 3:
        body = json.dumps({**live, name: now}).encode()
        document = Document(session_id, kept.version + 1 if kept else 1, body)
        # Somebody else may be written down at the same moment; the next look tells.
        with suppress(Conflict):
            await _keep(house, session_id, _VIEWER, document)
    return tuple(sorted(who for who in live if who != name))

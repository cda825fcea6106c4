"""The therapist's hand on the plan: decide, write, move, correct."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

from fastapi import APIRouter

from service.auth import Caller
from service.desk import Reviewer
from service.house import (
    ClaimHeader,
    House,
    InHouse,
    Therapist,
    read_by,
    reviewer,
    session_for,
    session_of_part,
)
from service.idempotency import OnceIfKeyed, OnceOnly, Stamp, stamp_of
from service.ids import within
from service.ledger import Decide
from service.schemas.plans import (
    FormulationPatch,
    PlanBody,
    PlanDecisionRequest,
    PlanDesk,
    PlanRequest,
    PositionRequest,
)
from service.schemas.wire import Ident
from service.scrubbing import apart, scrub_words
from service.session import decide_review, events
from service.session.parts import PlanText, formulation_text
from service.session.plans import PlanDecided, PlanProposed, PositionMoved
from service.session.refusals import Refused
from service.session.state import State
from service.telemetry.metrics import Review
from service.views import plan_view

router = APIRouter(prefix="/v1", tags=["therapist"])


@router.get("/sessions/{session_id}/plan")
async def read_plan(session_id: Ident, house: InHouse, caller: Therapist) -> PlanDesk:
    """Give the running plan, what is proposed, and the history."""
    return await _shown(await session_for(house, caller, session_id), house, caller)


@router.post("/plans/{plan_id}/decisions", status_code=201)
async def decide_plan(
    plan_id: Ident, asked: PlanDecisionRequest, once: OnceIfKeyed, x_claim: ClaimHeader = None
) -> PlanDesk:
    """Approve, edit or reject a proposed plan; approved or edited it begins the intervention."""
    state = await session_of_part(once.house, once.caller, plan_id)
    return await _once(state, x_claim, once, partial(_decide, plan_id, asked))


@router.post("/sessions/{session_id}/plans", status_code=201)
async def new_plan(
    session_id: Ident, asked: PlanRequest, once: OnceIfKeyed, x_claim: ClaimHeader = None
) -> PlanDesk:
    """Run one's own plan (skip, insert, reorder in the running one), or ask the planner."""
    state = await session_for(once.house, once.caller, session_id)
    return await _once(state, x_claim, once, partial(_own_or_asked, asked))


@router.put("/sessions/{session_id}/position")
async def move_position(
    session_id: Ident, asked: PositionRequest, house: InHouse, caller: Therapist,
    x_claim: ClaimHeader = None,
) -> PlanDesk:  # fmt: skip
    """Move the cursor by hand, always with a reason."""
    state = await session_for(house, caller, session_id)
    by = await reviewer(house, caller, state, x_claim)
    moved = PositionMoved(
        stage=asked.stage.value, action_index=asked.action_index, reason=asked.reason
    )
    after = await _write(state, lambda now: decide_review.move(now, moved, asked.basis), by, house)
    return await _shown(after, house, caller)


@router.patch("/sessions/{session_id}/formulation")
async def correct_formulation(
    session_id: Ident, asked: FormulationPatch, house: InHouse, caller: Therapist,
    x_claim: ClaimHeader = None,
) -> PlanDesk:  # fmt: skip
    """Correct what the model understood: the planner and the intervention's drafts go by it."""
    state = await session_for(house, caller, session_id)
    by = await reviewer(house, caller, state, x_claim)
    sent, added = await _scrubbed_parts(state, asked, house)

    def write(now: State) -> Sequence[events.Event]:
        return (*apart(now, state, added), *decide_review.correct(now, sent, asked.basis))

    return await _shown(await _write(state, write, by, house), house, caller)


async def _decide(
    plan_id: str, asked: PlanDecisionRequest, state: State, by: Reviewer, house: House
) -> State:
    if asked.verdict == "edit" and asked.plan is None:
        raise Refused("plan_required", "An edit needs the plan as it should be.")
    if asked.verdict == "reject" and not asked.reasons:
        raise Refused("reasons_required", "Say why, in one or more of the listed reasons.")
    plan, added = None, ()
    if asked.verdict == "edit" and asked.plan is not None:
        plan, added = await _scrubbed_plan(state, asked.plan, house)
    elif asked.verdict == "approve":
        plan = state.proposed.plan if state.proposed else None
    decided = PlanDecided(plan_id=plan_id, verdict=asked.verdict, plan=plan, reasons=asked.reasons)
    notes = _notes(asked.reason, house)

    def write(now: State) -> Sequence[events.Event]:
        done = decide_review.plan(now, decided, asked.basis)
        return (*apart(now, state, added), *done, *notes)

    after = await _write(state, write, by, house)
    Review.decided.add(verdict=asked.verdict, subject="plan")
    return after


async def _own_or_asked(asked: PlanRequest, state: State, by: Reviewer, house: House) -> State:
    notes = _notes(asked.reason, house)
    if asked.plan is None:
        return await _write(
            state, lambda now: (*decide_review.ask_plan(now, asked.basis), *notes), by, house
        )
    if asked.reason is None:
        raise Refused("reason_required", "Say why the plan changes.")
    plan, added = await _scrubbed_plan(state, asked.plan, house)
    proposal = PlanProposed(
        plan_id=within(house.ports.ids.new("pln"), state.session_id), plan=plan,
        source="therapist", formulation=formulation_text(state.formulation),
    )  # fmt: skip

    def write(now: State) -> Sequence[events.Event]:
        own = decide_review.own_plan(now, proposal, asked.basis)
        return (*apart(now, state, added), *own, *notes)

    return await _write(state, write, by, house)


async def _once(
    state: State,
    claim: str | None,
    once: OnceOnly,
    act: Callable[[State, Reviewer, House], Awaitable[State]],
) -> PlanDesk:
    """Act once; the answer to a repetition is the desk as it is by then."""
    stamp = partial(stamp_of, state.session_id)

    async def write() -> Stamp:
        by = await once.reviewer(state, claim, stamp)
        return stamp(await act(state, by, once.house))

    await once.do(write)
    after = await session_for(once.house, once.caller, state.session_id)
    return await _shown(after, once.house, once.caller)


async def _shown(state: State, house: House, caller: Caller) -> PlanDesk:
    """Give the plan's desk; what a supervisor is shown of it is written down."""
    return plan_view(await read_by(house, caller, state, "plan"))


def _notes(reason: str | None, house: House) -> tuple[events.NoteAdded, ...]:
    if reason is None:
        return ()
    return (events.NoteAdded(note_id=house.ports.ids.new("not"), text=reason),)


async def _write(state: State, write: Decide, by: Reviewer, house: House) -> State:
    return (await house.ledger.append(state.session_id, write, by.name, by.under)).state


async def _scrubbed_plan(
    state: State, plan: PlanBody, house: House
) -> tuple[PlanText, tuple[events.TextScrubbed, ...]]:
    """Plans and formulations go to the model, so a therapist's words in them are scrubbed."""
    words, added = await scrub_words(state, (plan.text, plan.reason, *plan.actions), house.ports)
    if words[2:] != plan.actions:
        raise Refused("plan_breaks_rules", "An action key must not name anybody or any place.")
    strategy = str(plan.strategy) if plan.strategy else None
    text = PlanText(strategy=strategy, text=words[0], reason=words[1], actions=plan.actions)
    return text, added


async def _scrubbed_parts(
    state: State, asked: FormulationPatch, house: House
) -> tuple[Mapping[str, str | tuple[str, ...]], tuple[events.TextScrubbed, ...]]:
    """Only what was sent: the other parts are scrubbed already, and may have changed since."""
    lines = asked.model_dump(exclude_none=True, exclude={"basis", "automatic_thoughts"})
    thoughts = asked.automatic_thoughts
    sent = (*lines.values(), *(thoughts or ()))
    words, added = await scrub_words(state, sent, house.ports)
    parts: dict[str, str | tuple[str, ...]] = dict(zip(lines, words, strict=False))
    if thoughts is not None:
        parts["automatic_thoughts"] = words[len(lines) :]
    return parts, added

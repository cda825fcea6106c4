"""PURE. What a human at the review desk may decide. Each function gives events, or refuses."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from planner import machine
from planner.vocabulary import Stage
from safety.risk import Category, RiskLevel
from service.session import alarms, events, parts, plans
from service.session.decide import still_open
from service.session.entries import called_to
from service.session.evolve_plans import planned
from service.session.refusals import Refused, erased
from service.session.state import Alarm, Draft, State


@dataclass(frozen=True, slots=True)
class Choice:
    """What a therapist decided on a draft, or wrote without one; words already guarded."""

    decision_id: str
    verdict: Literal["approve", "edit", "respond"]
    text: str
    basis: int
    release_at_ms: int
    draft_id: str | None = None
    candidate: int = 0
    action: str | None = None
    """What the words carry out; None leaves it to `reply`."""
    reasons: tuple[str, ...] = ()
    confirmed: tuple[str, ...] = ()
    dwell_ms: int | None = None


def decidable(state: State, draft_id: str, basis: int) -> Draft:
    """Give the draft if it may still be decided on; a draft stands or falls with its basis.

    Raises: Refused already_decided, draft_is_stale, basis_is_stale, session_closed, session_erased.
    """
    still_open(state)
    became = state.drafts.get(draft_id)
    if became == "decided":
        raise Refused("already_decided", "Somebody has decided on this draft.", state.seq)
    stale = not state.draft_is_fresh or basis < state.moved_seq or basis > state.seq
    if became != "open" or state.draft is None or stale:
        raise Refused("draft_is_stale", "The session has moved on; see its new draft.", state.seq)
    _current(state, basis)
    return state.draft


def _current(state: State, basis: int) -> None:
    """Refuse a write made on an older view of the session, or in ignorance of grave danger.

    Raises: Refused basis_is_stale.
    """
    still_open(state)
    if not max(state.moved_seq, state.alarmed_seq) <= basis <= state.seq:
        raise Refused("basis_is_stale", "The session has moved on; read it again.", state.seq)


def reply(state: State, choice: Choice) -> tuple[events.Event, ...]:
    """Decide what is said. One sender per session: a held reply must leave or be undone first.

    Raises: Refused reply_is_held, action_not_allowed, no_such_candidate, and `decidable`'s.
    """
    drafted = _answered(state, choice)
    _nothing_held(state)
    action = choice.action or _served(state, choice, drafted)
    if action and action not in machine.candidates(state.position):
        raise Refused("action_not_allowed", "Only the current or the next action can be chosen.")
    # It tells why the draft took its own step, which says nothing of another.
    reasoning = drafted.action_reasoning if drafted and drafted.action == action else ""
    decided = events.ReplyDecided(
        decision_id=choice.decision_id, draft_id=choice.draft_id, verdict=choice.verdict,
        text=choice.text, action=action, reasoning=reasoning,
        candidate=choice.candidate if choice.draft_id else None,
        reasons=choice.reasons, confirmed=choice.confirmed, dwell_ms=choice.dwell_ms,
        basis=choice.basis, release_at_ms=choice.release_at_ms,
    )  # fmt: skip
    return (decided,)


def _answered(state: State, choice: Choice) -> parts.CandidateText | None:
    """Give the candidate that was decided on, if it was on one. Raises: Refused as `reply`."""
    if choice.draft_id is None:
        _current(state, choice.basis)
        return None
    drafted = decidable(state, choice.draft_id, choice.basis).prepared.candidates
    if choice.candidate >= len(drafted):
        raise Refused("no_such_candidate", f"The draft has {len(drafted)} candidates.")
    return drafted[choice.candidate]


def _served(state: State, choice: Choice, drafted: parts.CandidateText | None) -> str:
    """Give the action of words whose human named none.

    A draft's words, edited or not, carry out its own. Words of one's own repeat the current action,
    for whoever puts a draft aside may well want to stay; before the first one they take none.
    """
    if drafted is not None and choice.verdict != "respond":
        return drafted.action
    cursor = state.position.cursor
    return "" if cursor is None else state.position.plan.actions[cursor]


def reject(state: State, rejected: events.DraftRejected, basis: int) -> tuple[events.Event, ...]:
    """Refuse a draft; another one is prepared. Raises: Refused as `decidable`."""
    decidable(state, rejected.draft_id, basis)
    return (rejected,)


def escalate(
    state: State, escalated: events.DraftEscalated, alert_id: str, basis: int
) -> tuple[events.Event, ...]:
    """Hand a session up: an alert of the therapist's own. Raises: Refused as `decidable`."""
    decidable(state, escalated.draft_id, basis)
    raised = alarms.AlertRaised(
        alert_id=alert_id, message_id=state.last_said or alert_id, level=RiskLevel.HIGH,
        category=Category.NONE, score=1.0, source="therapist",
    )  # fmt: skip
    return (escalated, *called_to(state, raised))


def undo(state: State, decision_id: str) -> tuple[events.Event, ...]:
    """Take a held reply back. Raises: Refused already_released, already_undone, not_found."""
    match state.decisions.get(decision_id):
        case "held":
            return (events.DecisionUndone(decision_id=decision_id),)
        case "released":
            raise Refused("already_released", "The reply has left.", state.seq)
        case "undone":
            raise Refused("already_undone", "The decision was undone before.", state.seq)
        case "final":
            raise Refused("decision_is_final", "Only a held reply can be undone.", state.seq)
        case None:
            raise Refused("not_found", "No such decision.")


def ask_draft(state: State, hint: str | None) -> tuple[events.Event, ...]:
    """Ask for a new draft. Raises: Refused reply_is_held, in_crisis."""
    still_open(state)
    if state.status == "crisis":
        raise Refused("in_crisis", "Drafting is stopped until the crisis is resolved.", state.seq)
    _nothing_held(state)
    return (events.DraftRequested(hint=hint),)


def plan(state: State, decided: plans.PlanDecided, basis: int) -> tuple[events.Event, ...]:
    """Decide on the proposed plan; beside a plan of the therapist's own the way to intervene.

    Raises: Refused already_decided, basis_is_stale, reply_is_held; planner NotAllowed.
    """
    if decided.plan_id not in {one.proposed.plan_id for one in state.plans}:
        raise Refused("not_found", "No such plan.")
    still_open(state)
    if state.proposed is None or state.proposed.plan_id != decided.plan_id:
        raise Refused("already_decided", "This plan is not up for decision.", state.seq)
    _current(state, basis)
    if decided.plan is not None:
        _nothing_held(state)
        planned(state, decided)
    return (decided,)


def _nothing_held(state: State) -> None:
    """An undo gives the position back as it was before the reply. Raises: Refused reply_is_held."""
    if state.held is not None:
        raise Refused("reply_is_held", "A decided reply is still being held.", state.seq)


def own_plan(state: State, proposal: plans.PlanProposed, basis: int) -> tuple[events.Event, ...]:
    """Run a therapist's own plan at once; an edited running plan keeps its cursor.

    Raises: Refused basis_is_stale, reply_is_held, too_early; planner NotAllowed for a plan that
    breaks a rule.
    """
    _current(state, basis)
    _nothing_held(state)
    _not_too_early(state)
    decided = plans.PlanDecided(plan_id=proposal.plan_id, verdict="approve", plan=proposal.plan)
    planned(state, decided, proposal)
    return (proposal, decided)


def ask_plan(state: State, basis: int) -> tuple[events.Event, ...]:
    """Ask the planner for a new plan. Raises: Refused basis_is_stale, too_early, in_crisis."""
    _current(state, basis)
    if state.status == "crisis":
        raise Refused("in_crisis", "Drafting is stopped until the crisis is resolved.", state.seq)
    _not_too_early(state)
    return (plans.PlanRequested(),)


def _not_too_early(state: State) -> None:
    """A plan rests on what the first stage found out, whoever writes it. Raises: Refused."""
    if state.position.stage is Stage.DIAGNOSTIC and not machine.needs_plan(state.position):
        raise Refused("too_early", "A plan needs the whole diagnostic stage first.", state.seq)


def move(state: State, moved: plans.PositionMoved, basis: int) -> tuple[events.Event, ...]:
    """Move the cursor by hand. Raises: Refused basis_is_stale; planner NotAllowed."""
    _current(state, basis)
    _nothing_held(state)
    machine.move(state.position, Stage(moved.stage), moved.action_index)
    return (moved,)


def correct(
    state: State, sent: Mapping[str, str | tuple[str, ...]], basis: int
) -> tuple[events.Event, ...]:
    """Correct parts of the formulation; the others stay as they are by now. None write nothing.

    Raises: Refused basis_is_stale, also where the planner has understood more since.
    """
    _current(state, basis)
    if basis < state.understood_seq:
        raise Refused("basis_is_stale", "The session has moved on; read it again.", state.seq)
    if not sent:
        return ()
    merged = parts.formulation_text(state.formulation).model_copy(update=sent)
    return (plans.FormulationCorrected(formulation=merged),)


def raise_alert(
    state: State, raised: alarms.AlertRaised, note: events.NoteAdded | None
) -> tuple[events.Event, ...]:
    """Call people to a session by hand: with a draft or without, under a claim or not, also late.

    While nobody has seen an alert that stands for it, another one would call nobody else: then
    only a note that is not there yet is added, and a reply decided since is taken back. Raises:
    Refused session_erased.
    """
    if state.status == "erased":
        raise erased(state.seq)
    known = state.standing(raised.level, raised.category)
    since = state.seq if known is None else known.seq
    told = (entry.text for entry in state.entries if entry.kind == "note" and entry.seq > since)
    notes = () if note is None or note.text in told else (note,)
    return (*called_to(state, raised), *notes)


def acknowledge(state: State, alert_id: str) -> tuple[events.Event, ...]:
    """Say that a human has seen an alert; saying it twice writes nothing.

    Raises: Refused not_found.
    """
    alarm = _alarm(state, alert_id)
    if alarm.acknowledged_at_ms is not None or alarm.resolved_at_ms is not None:
        return ()
    return (alarms.AlertAcknowledged(alert_id=alert_id),)


def resolve(
    state: State, resolved: alarms.AlertResolved, basis: int | None
) -> tuple[events.Event, ...]:
    """End a crisis, as far as the human who ends it has read; the same twice writes nothing.

    Without a basis, danger written before anybody acknowledged the alert counts as unread.
    Raises: Refused not_found, already_decided, basis_is_stale.
    """
    seen = acknowledge(state, resolved.alert_id)
    alarm = _alarm(state, resolved.alert_id)
    if alarm.resolved_at_ms is not None:
        if _ended_so(state, resolved):
            return ()
        # Whoever called an ambulance must not believe that the log says so.
        told = "The alert was resolved before; what you sent was not kept. Leave it as a note."
        raise Refused("already_decided", told, state.seq)
    if alarm.grew if basis is None else not _newest_danger(state) <= basis <= state.seq:
        raise Refused("basis_is_stale", "The session has moved on; read it again.", state.seq)
    return (*seen, resolved.model_copy(update={"basis": basis}))


def _alarm(state: State, alert_id: str) -> Alarm:
    try:
        return state.alarm(alert_id)
    except KeyError:
        raise Refused("not_found", "No such alert.") from None


def _ended_so(state: State, resolved: alarms.AlertResolved) -> bool:
    """Whether an alert was resolved with just this outcome and note."""
    notes = [one.text for one in state.entries if one.id == resolved.alert_id]
    return state.alarm(resolved.alert_id).outcome == resolved.outcome and resolved.note in notes


def _newest_danger(state: State) -> int:
    """Where the newest message stands that a human must be alerted to; 0 without any."""
    told = (entry for entry in state.entries if entry.kind == "client")
    return max((one.seq for one in told if one.level.at_least(RiskLevel.MODERATE)), default=0)

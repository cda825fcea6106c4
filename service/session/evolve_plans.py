"""PURE. How plans, moves and corrections change a session."""

import dataclasses
from collections.abc import Mapping
from typing import Literal, assert_never

from msgspec.structs import replace

from planner import machine
from planner.vocabulary import Action, Formulation, Plan, Position, Stage, Strategy
from service.session import events, parts, plans
from service.session.entries import moved, said, without
from service.session.state import PlanVersion, State

_BECAME: Mapping[str, Literal["approved", "edited", "rejected"]] = {
    "approve": "approved", "edit": "edited", "reject": "rejected",
}  # fmt: skip


def on_plan(state: State, at: events.Recorded, event: events.PlanEvent) -> State:
    """Give the state after an event on plan, position or formulation."""
    match event:
        case plans.PlanProposed():
            earlier = _learnt(_superseded(state), _understood(state, event))
            return replace(
                earlier,
                plans=(*earlier.plans, PlanVersion(event, at.at_ms)),
                proposed=event,
                plan_wanted=False,
                failing=without(state, "plan"),
            )
        case plans.PlanDecided():
            return _plan_decided(state, at, event)
        case plans.PlanRequested():
            asked = replace(_superseded(state), plan_wanted=True)
            return replace(asked, failing=without(state, "plan"))
        case plans.PositionMoved():
            return _position_moved(state, at, event)
        case plans.FormulationCorrected():
            return _corrected(state, formulation_of(event.formulation))
        case _:
            assert_never(event)


def planned(
    state: State, event: plans.PlanDecided, proposal: plans.PlanProposed | None = None
) -> Position:
    """Give the position under a decided plan; a therapist's edit of a running one keeps its cursor.

    Raises: planner.plan_rules.NotAllowed, before anything is written.
    """
    assert event.plan is not None  # noqa: S101  (callers checked: rejected plans do not run)
    plan = plan_of(event.plan)
    proposal = proposal or state.proposed
    ours = proposal is not None and proposal.source == "therapist"
    if state.position.stage is Stage.INTERVENTION and ours:
        return machine.revise(state.position, plan)
    return machine.adopt(state.position, plan)


def plan_of(text: parts.PlanText) -> Plan:
    """Give the planner's value for a plan as written down."""
    strategy = Strategy(text.strategy) if text.strategy else None
    return Plan(strategy, text.text, text.reason, tuple(Action(key) for key in text.actions))


def _plan_decided(state: State, at: events.Recorded, event: plans.PlanDecided) -> State:
    became = _BECAME[event.verdict]
    versions = tuple(
        replace(old, status=became, decided_by=at.actor, reasons=event.reasons)
        if old.proposed.plan_id == event.plan_id else old
        for old in state.plans
    )  # fmt: skip
    decided = replace(moved(state), plans=versions, proposed=None, plan_wanted=False)
    if event.plan is None:
        return decided
    position = planned(state, event)
    entry = replace(said(state, at, event.plan_id, event.plan.text), kind="plan")
    return replace(
        decided, position=position, entries=(*state.entries, replace(entry, stage=position.stage))
    )


def _position_moved(state: State, at: events.Recorded, event: plans.PositionMoved) -> State:
    to = machine.move(state.position, Stage(event.stage), event.action_index)
    line = said(state, at, f"move-{at.seq}", event.reason)
    entry = replace(line, kind="stage", action=to.plan.actions[event.action_index])
    # In the intervention somebody had asked for it; the diagnostic stage's end asks by itself.
    asked = state.plan_wanted or state.proposed is not None
    return replace(
        moved(_superseded(state)),
        position=to,
        entries=(*state.entries, entry),
        plan_wanted=asked and to.stage is Stage.INTERVENTION,
    )


def _superseded(state: State) -> State:
    """Take back what is put up for decision: things are no longer as they were for it."""
    versions = tuple(
        replace(old, status="superseded") if old.status == "proposed" else old
        for old in state.plans
    )
    return replace(state, plans=versions, proposed=None)


def _understood(state: State, event: plans.PlanProposed) -> Formulation:
    """What the planner understood, except for what a human knows better."""
    if event.source != "model":
        return state.formulation
    kept = {part: getattr(state.formulation, part) for part in state.corrected}
    return dataclasses.replace(formulation_of(event.formulation), **kept)


def _learnt(state: State, found: Formulation) -> State:
    if found == state.formulation:
        return state
    return replace(state, formulation=found, understood_seq=state.seq)


def _corrected(state: State, found: Formulation) -> State:
    before = state.formulation
    names = (field.name for field in dataclasses.fields(found))
    changed = {part for part in names if getattr(found, part) != getattr(before, part)}
    return replace(_learnt(moved(state), found), corrected=state.corrected | changed)


def formulation_of(text: parts.FormulationText) -> Formulation:
    """Give a formulation from what the log keeps of it."""
    return Formulation(
        text.surface_level_problem, text.triggering_situation, text.automatic_thoughts
    )

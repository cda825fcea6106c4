"""Where a session stands and where a reply or a therapist may take it. Paper: PSY-STEP §3.2."""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Literal, NamedTuple

from planner.plan_rules import DIAGNOSTIC_PLAN, NotAllowed, check_plan
from planner.vocabulary import Action, Plan, Position, Stage


class Place(StrEnum):
    """Where the cursor is within the stage's plan."""

    OPENING = "opening"
    UNDERWAY = "underway"
    LAST = "last"


class Change(StrEnum):
    """The five ways a position changes."""

    REPEAT = "repeat"
    NEXT = "next"
    MOVE = "move"
    ADOPT = "adopt"
    REVISE = "revise"


class Rule(NamedTuple):
    """From any of these places of a stage, this change leads to any of those places."""

    stage: Stage
    places: Sequence[Place]
    change: Change
    by: Literal["reply", "therapist"]
    to_stage: Stage
    to_places: Sequence[Place]


_DIAGNOSTIC, _INTERVENTION = Stage.DIAGNOSTIC, Stage.INTERVENTION
_OPENING, _UNDERWAY, _LAST = (Place.OPENING,), (Place.UNDERWAY,), (Place.LAST,)
_ON, _ANY = (Place.UNDERWAY, Place.LAST), tuple(Place)
TABLE: tuple[Rule, ...] = (
    Rule(_DIAGNOSTIC, _OPENING, Change.NEXT, "reply", _DIAGNOSTIC, _UNDERWAY),
    Rule(_DIAGNOSTIC, _UNDERWAY, Change.REPEAT, "reply", _DIAGNOSTIC, _UNDERWAY),
    Rule(_DIAGNOSTIC, _UNDERWAY, Change.NEXT, "reply", _DIAGNOSTIC, _ON),
    Rule(_DIAGNOSTIC, _LAST, Change.REPEAT, "reply", _DIAGNOSTIC, _LAST),
    Rule(_DIAGNOSTIC, _ANY, Change.MOVE, "therapist", _DIAGNOSTIC, _ON),
    Rule(_DIAGNOSTIC, _LAST, Change.ADOPT, "therapist", _INTERVENTION, _OPENING),
    Rule(_INTERVENTION, _OPENING, Change.NEXT, "reply", _INTERVENTION, _UNDERWAY),
    Rule(_INTERVENTION, _UNDERWAY, Change.REPEAT, "reply", _INTERVENTION, _UNDERWAY),
    Rule(_INTERVENTION, _UNDERWAY, Change.NEXT, "reply", _INTERVENTION, _ON),
    Rule(_INTERVENTION, _LAST, Change.REPEAT, "reply", _INTERVENTION, _LAST),
    Rule(_INTERVENTION, _ANY, Change.MOVE, "therapist", _INTERVENTION, _ON),
    Rule(_INTERVENTION, _ANY, Change.MOVE, "therapist", _DIAGNOSTIC, _ON),
    Rule(_INTERVENTION, _ANY, Change.ADOPT, "therapist", _INTERVENTION, _OPENING),
    Rule(_INTERVENTION, _ANY, Change.REVISE, "therapist", _INTERVENTION, _ANY),
)


def start() -> Position:
    """Every session begins before the first action of the diagnostic plan."""
    return Position(Stage.DIAGNOSTIC, DIAGNOSTIC_PLAN)


def candidates(position: Position) -> tuple[Action, ...]:
    """The only actions the next reply may have: the current one and the next, in that order."""
    if position.cursor is None:
        return position.plan.actions[:1]
    return position.plan.actions[position.cursor : position.cursor + 2]


def advance(position: Position, action: Action) -> Position:
    """The position once a reply with this action was decided.

    Raises: NotAllowed when the action is neither the current nor the next one.
    """
    if action not in candidates(position):
        raise NotAllowed("action_not_allowed", "a reply repeats the action or takes one step")
    index = position.plan.actions.index(action)
    change = Change.REPEAT if index == position.cursor else Change.NEXT
    return _allowed(position, change, replace(position, cursor=index))


def move(position: Position, stage: Stage, index: int) -> Position:
    """The position a therapist sets by hand; going back to the diagnostic stage drops the plan.

    Raises: NotAllowed for an index outside the plan, or an intervention nobody planned yet.
    """
    plan = DIAGNOSTIC_PLAN if stage is Stage.DIAGNOSTIC else position.plan
    if not 0 <= index < len(plan.actions):
        raise NotAllowed("no_such_action", f"the plan's actions are 0 to {len(plan.actions) - 1}")
    return _allowed(position, Change.MOVE, Position(stage, plan, index))


def adopt(position: Position, plan: Plan) -> Position:
    """The intervention's opening, under a plan that a therapist decided on.

    Raises: NotAllowed too_early before the last diagnostic action, or plan_breaks_rules.
    """
    return _allowed(position, Change.ADOPT, Position(Stage.INTERVENTION, _obeying(plan)))


def revise(position: Position, plan: Plan) -> Position:
    """The same session under an edited plan; the cursor stays on the last action that survives.

    Raises: NotAllowed outside the intervention, or for a plan that breaks a rule.
    """
    done = () if position.cursor is None else position.plan.actions[: position.cursor + 1]
    last = next((action for action in reversed(done) if action in plan.actions), None)
    cursor = None if last is None else plan.actions.index(last)
    return _allowed(position, Change.REVISE, Position(position.stage, _obeying(plan), cursor))


def needs_plan(position: Position) -> bool:
    """Whether the diagnostic stage is done, so that a plan is due."""
    return position.stage is Stage.DIAGNOSTIC and _place(position) is Place.LAST


def finished(position: Position) -> bool:
    """Whether ``End session`` was decided."""
    return position.stage is Stage.INTERVENTION and _place(position) is Place.LAST


def _obeying(plan: Plan) -> Plan:
    if faults := check_plan(plan):
        raise NotAllowed("plan_breaks_rules", "; ".join(faults))
    return plan


def _place(position: Position) -> Place:
    if position.cursor is None:
        return Place.OPENING
    return Place.LAST if position.cursor == len(position.plan.actions) - 1 else Place.UNDERWAY


def _allowed(before: Position, change: Change, after: Position) -> Position:
    for rule in TABLE:
        leaves = rule.stage is before.stage and _place(before) in rule.places
        reaches = rule.to_stage is after.stage and _place(after) in rule.to_places
        if leaves and rule.change is change and reaches:
            return after
    code = "too_early" if change is Change.ADOPT else f"{change}_not_allowed"
    raise NotAllowed(code, f"{before.stage} {_place(before)} has no such change")

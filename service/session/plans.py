"""PURE. What can happen to a plan, a position or a formulation. Events like those of `events`."""

from typing import Literal

from service.session.parts import FormulationText, Happening, PlanText, Usage


class PlanProposed(Happening):
    """Written when the planner (or a therapist) puts a plan up for decision."""

    type: Literal["plan_proposed"] = "plan_proposed"
    plan_id: str
    plan: PlanText
    formulation: FormulationText
    source: Literal["model", "template", "therapist"]
    adapter: str | None = None
    template: str | None = None
    usage: Usage = Usage()


class PlanDecided(Happening):
    """Written when a named human decides on a plan; only this enters the intervention."""

    type: Literal["plan_decided"] = "plan_decided"
    plan_id: str
    verdict: Literal["approve", "edit", "reject"]
    plan: PlanText | None = None
    """The plan that now runs; None when rejected."""
    reasons: tuple[str, ...] = ()


class PlanRequested(Happening):
    """Written when a therapist asks the planner for a new plan."""

    type: Literal["plan_requested"] = "plan_requested"


class PositionMoved(Happening):
    """Written when a therapist moves the cursor by hand."""

    type: Literal["position_moved"] = "position_moved"
    stage: Literal["diagnostic", "intervention"]
    action_index: int
    reason: str


class FormulationCorrected(Happening):
    """Written when a therapist corrects the formulation."""

    type: Literal["formulation_corrected"] = "formulation_corrected"
    formulation: FormulationText

"""Plans, positions and formulations on the wire. Paper: PSY-STEP §3.1-3.2."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from planner.vocabulary import Stage, Strategy
from service.schemas.wire import Ident, Label, Seq, Text, When, Wire

Reason = Literal[
    "empathy", "relevance", "clarity", "harmful_language", "self_exploration", "autonomy",
    "stage_of_change", "wrong_step", "factual_error", "too_long", "style", "unsafe", "other",
]  # fmt: skip
"""Why a human changed a draft or a plan; the first seven are PsychoCounsel §3.2's principles."""


class PlanBody(Wire):
    """A plan as people read and edit it."""

    strategy: Strategy | None
    text: Text
    reason: Text
    actions: Annotated[tuple[Label, ...], Field(min_length=1, max_length=12)]


class FormulationBody(Wire):
    """The three parts of the cognitive formulation, kept apart."""

    surface_level_problem: Text
    triggering_situation: Text
    automatic_thoughts: Annotated[tuple[Text, ...], Field(max_length=6)]


class PlanVersion(Wire):
    """One version of the plan, proposed or decided."""

    plan_id: Ident
    plan: PlanBody
    formulation: FormulationBody
    status: Literal["proposed", "approved", "edited", "rejected", "superseded"]
    source: Literal["model", "template", "therapist"]
    adapter: str | None
    created_at: When
    decided_by: str | None = None


class PositionView(Wire):
    """Where the session stands."""

    stage: Stage
    plan: PlanBody
    action_index: int | None
    """Index of the last decided action; null before the stage's first decided reply."""
    candidates: tuple[str, ...]
    """The current and the next action: all that a model may choose from."""
    finished: bool


class PlanDesk(Wire):
    """The running plan, what is proposed, and every earlier version."""

    session_id: Ident
    position: PositionView
    formulation: FormulationBody
    proposed: PlanVersion | None
    history: tuple[PlanVersion, ...]
    seq: Seq


class PlanDecisionRequest(Wire):
    """A therapist's verdict on a proposed plan."""

    verdict: Literal["approve", "edit", "reject"]
    plan: PlanBody | None = None
    """Required with ``edit``, refused with anything else."""
    reasons: Annotated[tuple[Reason, ...], Field(max_length=8)] = ()
    """Required with ``reject``."""
    reason: Text | None = None
    """Why, in the therapist's own words; kept as a note beside the decision."""
    basis: Seq

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        """Refuse what the verdict would leave unused: its sender believes that it runs."""
        if self.plan is not None and self.verdict != "edit":
            raise ValueError("plan goes with edit only")
        return self


class PlanRequest(Wire):
    """A new plan: the therapist's own, or none to ask the planner for one."""

    plan: PlanBody | None = None
    reason: Text | None = None
    """Required with a plan; kept as a note beside the request."""
    basis: Seq


class PositionRequest(Wire):
    """Move the cursor: skip, go back, change the stage. Only therapists, always with a reason."""

    stage: Stage
    action_index: Annotated[int, Field(ge=0, le=20, strict=True)]
    reason: Text
    basis: Seq


class FormulationPatch(Wire):
    """Correct parts of the formulation; parts left out stay."""

    surface_level_problem: Text | None = None
    triggering_situation: Text | None = None
    automatic_thoughts: Annotated[tuple[Text, ...], Field(max_length=6)] | None = None
    basis: Seq

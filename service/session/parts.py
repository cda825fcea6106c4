"""PURE. What events are made of: frozen values that only ever appear inside a payload."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from planner.vocabulary import Formulation, Plan
from safety.risk import Category


class Happening(BaseModel):
    """The base of every event: immutable, no unknown fields."""

    # What was sealed never stands in an error: errors end in logs.
    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True
    )


class Evidence(Happening):
    """Code-point offsets of the words that raised a level, and why."""

    start: int
    end: int
    category: Category
    reason: str


class PlanText(Happening):
    """A plan as written down; see `planner.vocabulary.Plan`."""

    strategy: str | None
    text: str
    reason: str
    actions: tuple[str, ...]


class FormulationText(Happening):
    """The formulation as written down; see `planner.vocabulary.Formulation`."""

    surface_level_problem: str = "unknown"
    triggering_situation: str = "unknown"
    automatic_thoughts: tuple[str, ...] = ()


class CheckMade(Happening):
    """One guard check of a text."""

    check: str
    verdict: Literal["pass", "warn", "fail"]
    detail: str = ""


class CandidateText(Happening):
    """One drafted reply, scrubbed as the model wrote it."""

    action_reasoning: str
    action: str
    utterance: str
    score: float | None = None
    """None in every log: nobody rates candidates yet."""
    checks: tuple[CheckMade, ...] = ()
    """Only what did not pass; passing is the default."""


class Usage(Happening):
    """What an answer of the engine cost."""

    latency_ms: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0


def plan_text(plan: Plan) -> PlanText:
    """Give a plan as the log keeps it."""
    strategy = str(plan.strategy) if plan.strategy else None
    return PlanText(strategy=strategy, text=plan.text, reason=plan.reason, actions=plan.actions)


def formulation_text(found: Formulation) -> FormulationText:
    """Give a formulation as the log keeps it."""
    return FormulationText(
        surface_level_problem=found.surface_level_problem,
        triggering_situation=found.triggering_situation,
        automatic_thoughts=found.automatic_thoughts,
    )

"""The papers' words as frozen types. Data only, no behaviour beyond reading itself.

Paper: PSY-STEP §3.1 (profile, formulation), §3.2 (stages, plan, actions), Table 11, Table 12.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NewType

Action = NewType("Action", str)
"""One observable counselor action, the key of a plan step, for instance ``weigh both sides``."""

Language = Literal["en", "zh"]
UNKNOWN = "unknown"
"""What stands for a part of the formulation that nobody has learnt yet; never guessed."""

END_SESSION = Action("End session")
"""The last key of every intervention plan. Appended by us, never by a model."""


class Stage(StrEnum):
    """The two stages of a session. Internal words: a client is never told a diagnosis."""

    DIAGNOSTIC = "diagnostic"
    INTERVENTION = "intervention"


class Role(StrEnum):
    """Which of the two adapters is asked. Paper: PSY-STEP §4."""

    UTTERANCE = "utterance"
    PLANNER = "planner"


class Strategy(StrEnum):
    """The twelve CBT strategies a plan may follow. Paper: PSY-STEP Table 12."""

    EFFICIENCY_EVALUATION = "Efficiency Evaluation"
    PIE_CHART = "Pie Chart Technique"
    ALTERNATIVE_PERSPECTIVE = "Alternative Perspective"
    DECATASTROPHIZING = "Decatastrophizing"
    PROS_AND_CONS = "Pros and Cons Analysis"
    EVIDENCE_BASED_QUESTIONING = "Evidence-Based Questioning"
    REALITY_TESTING = "Reality Testing"
    CONTINUUM = "Continuum Technique"
    CHANGING_RULES_TO_WISHES = "Changing Rules to Wishes"
    BEHAVIOR_EXPERIMENT = "Behavior Experiment"
    PROBLEM_SOLVING = "Problem-Solving Skills Training"
    SYSTEMATIC_EXPOSURE = "Systematic Exposure"


class InteractionStyle(StrEnum):
    """How a client engages. Paper: PSY-STEP Table 11."""

    HESITANT = "Hesitant"
    GUARDED = "Guarded"
    AVOIDANT = "Avoidant"
    DEFENSIVE = "Defensive"
    SKEPTICAL = "Skeptical"
    OVER_COMPLIANT = "Over-compliant"
    OVERWHELMED = "Overwhelmed"
    OPEN = "Open to Counseling"


@dataclass(frozen=True, slots=True)
class Formulation:
    """The cognitive formulation, its three parts kept apart. Paper: PSY-STEP §3.1."""

    surface_level_problem: str = UNKNOWN
    """What the client reports."""
    triggering_situation: str = UNKNOWN
    """Where and when it is felt."""
    automatic_thoughts: tuple[str, ...] = ()
    """The involuntary interpretations, first person; empty while unknown."""

    def parts(self) -> dict[str, str]:
        """Each part by its name, in one text."""
        return {
            "surface_level_problem": self.surface_level_problem or UNKNOWN,
            "triggering_situation": self.triggering_situation or UNKNOWN,
            "automatic_thoughts": " / ".join(self.automatic_thoughts) or UNKNOWN,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """A strategy and the ordered actions that carry it out; 5-7 actions in the intervention."""

    strategy: Strategy | None
    """None only for the predefined diagnostic plan."""
    text: str
    """What the plan aims for, 2-4 sentences."""
    reason: str
    """Why the actions stand in this order, 1-3 sentences."""
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class PlanAnswer:
    """What the planner adapter answers and a human decides on. Paper: PSY-STEP §4."""

    plan: Plan
    formulation: Formulation


@dataclass(frozen=True, slots=True)
class Position:
    """Where a session stands: its stage, that stage's plan, and the cursor into the plan."""

    stage: Stage
    plan: Plan
    cursor: int | None = None
    """Index of the last decided action; None before the stage's first decided reply."""


@dataclass(frozen=True, slots=True)
class CounselorTurn:
    """What the utterance adapter answers and a human decides on. Paper: PSY-STEP §3.2."""

    action_reasoning: str
    action: Action
    utterance: str


@dataclass(frozen=True, slots=True)
class ClientTurn:
    """One message of the client, scrubbed."""

    utterance: str


Turn = CounselorTurn | ClientTurn


@dataclass(frozen=True, slots=True)
class PlannedCase:
    """Everything the planner sees of a session; words are scrubbed before they get here."""

    language: Language
    position: Position
    formulation: Formulation = field(default_factory=Formulation)
    diagnostic: Sequence[Turn] = ()
    """Turns of the diagnostic stage, oldest first."""
    intervention: Sequence[Turn] = ()
    """Turns of the intervention stage, oldest first."""
    corrected: Collection[str] = ()
    """Names of the formulation's parts that a therapist corrected."""

"""What is said and drafted in the canned scenes: fictional, non-graphic, and true to the product.

Steps are the product's own and follow its rule (repeat or next); what the screen marks in the two
dark messages is what the screen marked when it was asked. ``test_canned`` holds all of it to that.
"""

from typing import NamedTuple

from planner.plan_rules import DIAGNOSTIC_ACTIONS
from planner.vocabulary import END_SESSION
from safety.risk import Category, RiskLevel


class Said(NamedTuple):
    """One line; a reply has its step, and its draft where a therapist changed it."""

    text: str
    step: int | None = None
    drafted: str | None = None


class Danger(NamedTuple):
    """A message that raises an alert: what the screen says of it."""

    text: str
    level: RiskLevel
    score: float
    source: str
    shown_by: tuple[tuple[str, str], ...]
    """Words and the reason they give."""
    category: Category = Category.SUICIDE


TALK = (
    Said("Hello. I have been dreading our team meetings lately."),
    Said(
        "I am glad you wrote. What is it about the meetings that you dread most?",
        0,
        "I am glad you wrote. What has been weighing on you?",
    ),
    Said("Having to speak. I go quiet, and afterwards I am angry with myself for hours."),
    Said("Quiet first, then hours of anger. When did you last feel this, and what happened?", 1),
    Said("On Tuesday, in the review. I presented my part and nobody said anything about it."),
    Said(
        "That silence sounds uncomfortable. What did you notice in yourself just then?",
        1,
        "What did you feel when nobody spoke?",
    ),
    Said("My face got hot. I looked at my notes until it was over."),
    Said("You looked for shelter in your notes. What went through your mind in that moment?", 2),
)
"""What is said, client first; long transcripts say it again."""

MESSAGE = "That the whole team sees me as the weak link. I keep thinking it ever since the review."
REPLY = "Being the weak link in everyone's eyes: a heavy thought. Shall we look at it together?"
OTHER_REPLY = "The weak link. When that thought comes, what does it tell you about yourself?"
AGAIN = "One more thing: my manager has just asked me to present again on Friday."
READY = "Yes. Perhaps it is not the whole story."
HIGH = Danger(
    "Since the review I go to bed early, and most nights I wish I would not wake up.",
    RiskLevel.HIGH, 0.96, "rules",
    (
        (
            "Since the review I go to bed early, and most nights I wish I would not wake up.",
            "these words as a whole",
        ),
        ("wish I would not wake", "wish to be dead, said outright"),
        ("not wake up", "passive wish"),
    ),
)  # fmt: skip
MODERATE = Danger(
    "Some days I think my family would be better off without me.",
    RiskLevel.MODERATE, 0.96, "classifier",
    (("family would be better off without me", "passive wish"),),
)  # fmt: skip
ACTIONS = DIAGNOSTIC_ACTIONS
STEPS = (
    "name the harsh verdict",
    "weigh both sides",
    "find fairer wording",
    "plan one small trial",
    "review what helped",
    END_SESSION,
)

"""What a plan must look like, the one predefined plan, and how a place in it is told in words.

Paper: PSY-STEP §3.1 (formulation), §3.2 (plans and actions).
"""

import re
from dataclasses import dataclass

from planner.vocabulary import END_SESSION, UNKNOWN, Action, Formulation, Plan, Position

DIAGNOSTIC_ACTIONS: tuple[Action, ...] = (
    Action("Understanding surface level"),
    Action("Understanding trigger situation"),
    Action("Understanding automatic thoughts"),
    Action("Ready to cognitive reframing"),
)
DIAGNOSTIC_PLAN = Plan(
    strategy=None,
    text="Understand what the client reports, when it is felt, and the thoughts behind it.",
    reason="What is reported opens the talk, the moment gives it ground, the thoughts come last.",
    actions=DIAGNOSTIC_ACTIONS,
)
ACTIONS = (5, 7)
"""Fewest and most actions of an intervention plan, its end counted."""
KEY_WORDS = (3, 5)
"""Fewest and most words of an action key."""
KEY_SIGNS = (4, 12)
"""Fewest and most characters of one that is written in Chinese."""
CHINESE = r"\u4e00-\u9fff"
"""Those characters, inside the brackets of a pattern."""
_WORDS = re.compile(rf"\S+( \S+){{{KEY_WORDS[0] - 1},{KEY_WORDS[1] - 1}}}")
_CHINESE = re.compile(rf"[{CHINESE}]{{{KEY_SIGNS[0]},{KEY_SIGNS[1]}}}")
_NOTHING_KNOWN = frozenset({"", UNKNOWN, "未知"})


class NotAllowed(Exception):
    """A change of position that the rules do not have; nothing happened.

    `code` is stable and for programs, `detail` is for people.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Readiness:
    """How much of the formulation is known."""

    known: tuple[str, ...]
    """Names of the parts that somebody has learnt."""
    unknown: tuple[str, ...]
    """Names of the parts still to be learnt."""
    score: float
    """Share of known parts, 0-1."""


def check_plan(plan: Plan) -> tuple[str, ...]:
    """Every rule that an intervention plan breaks, in words; empty when it obeys them all.

    A key is 3-5 words, or 4-12 characters where it is written in Chinese.
    """
    fewest, most = ACTIONS
    keys = plan.actions[:-1] if plan.actions[-1:] == (END_SESSION,) else plan.actions
    rules = (
        (plan.strategy is not None, "names none of the twelve strategies"),
        (bool(plan.text.strip()), "has no plan text"),
        (bool(plan.reason.strip()), "gives no reason for the order"),
        (fewest <= len(plan.actions) <= most, f"needs {fewest}-{most} actions"),
        (len(keys) < len(plan.actions), "must end with End session"),
        (END_SESSION not in keys, "has End session before its end"),
        (len({key.casefold() for key in keys}) == len(keys), "names an action twice"),
        (
            all(map(_well_formed, keys)),
            f"has an action that is not {KEY_WORDS[0]}-{KEY_WORDS[1]} words, or "
            f"{KEY_SIGNS[0]}-{KEY_SIGNS[1]} Chinese characters",
        ),
    )
    return tuple(fault for obeyed, fault in rules if not obeyed)


def readiness(formulation: Formulation) -> Readiness:
    """Which parts of the formulation are known, and what share of them."""
    parts = {
        "surface_level_problem": (formulation.surface_level_problem,),
        "triggering_situation": (formulation.triggering_situation,),
        "automatic_thoughts": formulation.automatic_thoughts,
    }
    unknown = tuple(name for name, texts in parts.items() if all(map(_says_unknown, texts)))
    known = tuple(name for name in parts if name not in unknown)
    return Readiness(known, unknown, len(known) / len(parts))


def step_marker(position: Position) -> str:
    """The step of the plan in one short line: the current action and the next, if any.

    For instance ``step 2 of 6: list what is known | next: name what is guessed``.
    """
    actions, cursor = position.plan.actions, position.cursor
    if cursor is None:
        return f"step 0 of {len(actions)} | next: {actions[0]}"
    line = f"step {cursor + 1} of {len(actions)}: {actions[cursor]}"
    return f"{line} | next: {actions[cursor + 1]}" if cursor + 1 < len(actions) else line


def _says_unknown(text: str) -> bool:
    """However a model writes it: `Unknown.` and its Chinese are no knowledge either."""
    return text.strip(" \t\n.,;\"'。，“”").casefold() in _NOTHING_KNOWN


def _well_formed(key: str) -> bool:
    return bool(_WORDS.fullmatch(key) or _CHINESE.fullmatch(key))

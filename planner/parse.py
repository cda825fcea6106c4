"""Reads a model's answer: any text gives a value or an `Unreadable`, never an exception.

One repair is tried: what stands around the JSON object is cut off, and an object that broke off
is closed. What is still unreadable is the caller's to replace by a labelled fallback.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from planner.plan_rules import check_plan
from planner.vocabulary import (
    END_SESSION,
    UNKNOWN,
    Action,
    CounselorTurn,
    Formulation,
    Plan,
    PlanAnswer,
    Strategy,
)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a model's text gives no answer, without any of its words."""

    why: str
    where: int
    """Code point at which reading stopped; 0 where the whole is meant."""


def parse_utterance(text: str, candidates: Sequence[Action]) -> CounselorTurn | Unreadable:
    """The counselor turn that this text holds; its action is one of `candidates`."""
    found = _read_object(text)
    if isinstance(found, Unreadable):
        return found
    utterance = _text(found, "utterance")
    if not utterance:
        return Unreadable("no utterance", 0)
    named = _text(found, "action").casefold()
    for action in candidates:
        if action.casefold() == named:
            return CounselorTurn(_text(found, "action_reasoning"), action, utterance)
    return Unreadable("action is not a candidate", 0)


def parse_plan(text: str) -> PlanAnswer | Unreadable:
    """The plan and formulation that this text holds; the plan obeys every rule.

    An action named twice is kept once, and `End session` is appended where it is missing.
    """
    found = _read_object(text)
    if isinstance(found, Unreadable):
        return found
    names = {strategy.casefold(): strategy for strategy in Strategy}
    steps = dict.fromkeys(key for key in _texts(found, "action_order") if key != END_SESSION)
    plan = Plan(
        strategy=names.get(_text(found, "strategy").casefold()),
        text=_text(found, "plan"),
        reason=_text(found, "reason_for_these_order"),
        actions=(*(Action(key) for key in steps), END_SESSION),
    )
    if faults := check_plan(plan):
        return Unreadable("plan " + "; ".join(faults), 0)
    formulation = Formulation(
        surface_level_problem=_text(found, "surface_level_problem") or UNKNOWN,
        triggering_situation=_text(found, "triggering_situation") or UNKNOWN,
        automatic_thoughts=_texts(found, "automatic_thoughts"),
    )
    return PlanAnswer(plan, formulation)


def _read_object(text: str) -> Mapping[str, object] | Unreadable:
    first = _load(text)
    if not isinstance(first, Unreadable):
        return first
    repaired = _load(_repair(text))
    return first if isinstance(repaired, Unreadable) else repaired


def _load(text: str) -> Mapping[str, object] | Unreadable:
    try:
        found: object = json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        return Unreadable("not JSON", error.pos)
    except (RecursionError, ValueError):
        return Unreadable("not JSON", 0)
    if not isinstance(found, dict):
        return Unreadable("not an object", 0)
    return {str(key): value for key, value in found.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _repair(text: str) -> str:
    """The text from its first brace, cut after its last brace or closed where it broke off."""
    body = text[text.find("{") :] if "{" in text else ""
    end = body.rfind("}")
    return body[: end + 1] if end >= 0 else body + _closing(body)


def _closing(body: str) -> str:
    """The quotes and brackets that a broken-off JSON text still owes."""
    owed: list[str] = []
    quoted = escaped = False
    for character in body:
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            quoted = True
        elif character in "{[":
            owed.append("}" if character == "{" else "]")
        elif character in "}]" and owed:
            owed.pop()
    return ("\\" if escaped else "") + ('"' if quoted else "") + "".join(reversed(owed))


def _text(found: Mapping[str, object], name: str) -> str:
    return _one_line(found.get(name))


def _texts(found: Mapping[str, object], name: str) -> tuple[str, ...]:
    values = found.get(name)
    if not isinstance(values, list):
        return ()
    lines = map(_one_line, values)  # pyright: ignore[reportUnknownArgumentType] - JSON
    return tuple(line for line in lines if line)


def _one_line(value: object) -> str:
    """The value's words on one line if it is a string of real characters, else nothing."""
    if not isinstance(value, str):
        return ""
    sound = value.encode("utf-8", "ignore").decode()
    return " ".join(sound.replace("\0", "").split())

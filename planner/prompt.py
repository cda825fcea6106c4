"""The prompt of either role, rendered by one function for training and for serving.

Append-only: a stage's system text stays, each turn adds the client's words with a step marker
and the counselor's decided answer. So turn t+1 begins with turn t's messages, and the engine's
prefix cache carries the session. A therapist's move or revision starts a new prefix once.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Literal, NamedTuple

from planner.answer_schema import JsonSchema, answer_schema
from planner.machine import candidates, step_marker
from planner.vocabulary import (
    UNKNOWN,
    ClientTurn,
    CounselorTurn,
    Language,
    PlanAnswer,
    PlannedCase,
    Position,
    Role,
    Stage,
    Strategy,
    Turn,
)

_MOST_TOKENS: Mapping[Role, int] = {Role.UTTERANCE: 320, Role.PLANNER: 800}
_MOST_CHARACTERS = 9000
"""Words of a stage that a prompt carries; older turns are left out, eight at a time."""
_LEFT_OUT = 8
_LONGEST_MESSAGE = 2000
_VARIABLE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Message:
    """One chat message of a prompt."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """Everything an engine needs to answer for a role."""

    messages: tuple[Message, ...]
    role: Role
    schema: JsonSchema
    """JSON schema of the answer; its `action` offers the cursor's candidates only."""
    template: str
    """First 12 hex digits of the SHA-256 of the template files used."""
    max_tokens: int


def render(role: Role, case: PlannedCase, hint: str | None = None) -> Prompt:
    """The prompt for this role and case; `hint` is a therapist's wish for another draft."""
    if role is Role.PLANNER:
        template, messages = _planner_messages(case)
    else:
        template, messages = _utterance_messages(case)
    names = [template]
    if hint is not None:
        names.append(f"hint.{case.language}")
        line = fill(_template(names[-1]), {"hint": _plain(hint)})
        messages[-1] = replace(messages[-1], content=f"{messages[-1].content}\n{line}")
    schema = answer_schema(role, candidates(case.position), case.language)
    digest = sha256("\0".join(map(_template, names)).encode()).hexdigest()[:12]
    return Prompt(tuple(messages), role, schema, digest, _MOST_TOKENS[role])


def answer_text(answer: CounselorTurn | PlanAnswer) -> str:
    """The exact JSON that a model is trained to emit and that history replays."""
    if isinstance(answer, CounselorTurn):
        fields: dict[str, str | Sequence[str]] = {
            "action_reasoning": answer.action_reasoning,
            "action": answer.action,
            "utterance": answer.utterance,
        }
    else:
        fields = {
            "surface_level_problem": answer.formulation.surface_level_problem,
            "triggering_situation": answer.formulation.triggering_situation,
            "automatic_thoughts": answer.formulation.automatic_thoughts,
            "strategy": answer.plan.strategy or "",
            "plan": answer.plan.text,
            "reason_for_these_order": answer.plan.reason,
            "action_order": answer.plan.actions[:-1],
        }
    return _plain(json.dumps(fields, ensure_ascii=False, separators=(",", ":")))


def fill(template: str, variables: Mapping[str, str]) -> str:
    """The template with every variable replaced once; values are never read as templates.

    Raises: ValueError unless the template's variables and the given ones are the same set.
    """
    asked = set(_VARIABLE.findall(template))
    if asked != set(variables):
        raise ValueError(f"template and variables differ in {sorted(asked ^ set(variables))}")
    return _VARIABLE.sub(lambda found: variables[found[1]], template)


class _Exchange(NamedTuple):
    asked: str
    answered: str


def _planner_messages(case: PlannedCase) -> tuple[str, list[Message]]:
    name = f"planner.{case.language}"
    system = fill(_template(name), {"strategies": ", ".join(Strategy)})
    lines = [_spoken(turn, case.language) for turn in case.diagnostic]
    while len(lines) > _LEFT_OUT and sum(map(len, lines)) > _MOST_CHARACTERS:
        lines = lines[_LEFT_OUT:]
    return name, [Message("system", system), Message("user", "\n".join(lines))]


def _spoken(turn: Turn, language: Language) -> str:
    names = ("Client: ", "Counselor: ") if language == "en" else ("来访者：", "咨询师：")
    return names[isinstance(turn, CounselorTurn)] + _words(turn)


def _utterance_messages(case: PlannedCase) -> tuple[str, list[Message]]:
    name = f"utterance.{case.position.stage}.{case.language}"
    exchanges, last = _replay(case)
    while len(exchanges) >= _LEFT_OUT and sum(len(a) + len(b) for a, b in exchanges) > (
        _MOST_CHARACTERS
    ):
        exchanges = exchanges[_LEFT_OUT:]
    messages = [Message("system", fill(_template(name), _case_variables(case)))]
    for asked, answered in exchanges:
        messages += [Message("user", asked), Message("assistant", answered)]
    return name, [*messages, Message("user", last)]


def _case_variables(case: PlannedCase) -> dict[str, str]:
    actions = case.position.plan.actions
    steps = "\n".join(f"{number}. {action}" for number, action in enumerate(actions, 1))
    if case.position.stage is Stage.DIAGNOSTIC:
        return {"steps": _plain(steps)}
    formulation = case.formulation
    known = {
        "steps": steps,
        "strategy": case.position.plan.strategy or UNKNOWN,
        "surface_level_problem": formulation.surface_level_problem or UNKNOWN,
        "triggering_situation": formulation.triggering_situation or UNKNOWN,
        "automatic_thoughts": " / ".join(formulation.automatic_thoughts) or UNKNOWN,
    }
    return {key: _plain(text) for key, text in known.items()}


def _replay(case: PlannedCase) -> tuple[list[_Exchange], str]:
    """The stage's exchanges so far, each as it was asked, and the newest user message."""
    diagnostic = case.position.stage is Stage.DIAGNOSTIC
    position, here, words = replace(case.position, cursor=None), 0, list[str]()
    exchanges: list[_Exchange] = []
    for turn in case.diagnostic if diagnostic else case.intervention:
        if isinstance(turn, ClientTurn):
            words.append(_words(turn))
            continue
        known = turn.action in position.plan.actions
        cursor = position.plan.actions.index(turn.action) if known else position.cursor
        if known and turn.action not in candidates(position):
            position, here = replace(position, cursor=cursor), 0
        asked = _asked(words, position, len(exchanges) + 1, here)
        exchanges.append(_Exchange(asked, answer_text(turn)))
        here = here + 1 if cursor == position.cursor else 1
        position, words = replace(position, cursor=cursor), []
    here = here if case.position.cursor == position.cursor else 0
    return exchanges, _asked(words, case.position, len(exchanges) + 1, here)


def _asked(words: Sequence[str], position: Position, turn: int, here: int) -> str:
    marker = _plain(f"[turn {turn} | here {here} | {step_marker(position)}]")
    return "\n".join([*words, marker])


def _words(turn: Turn) -> str:
    return _plain(turn.utterance)[:_LONGEST_MESSAGE]


def _plain(text: str) -> str:
    """Keeps anyone's words from being read as the chat template's own control marks."""
    return text.replace("<|", "< |").replace("|>", "| >")


@cache
def _template(name: str) -> str:
    return files("planner").joinpath("prompts", f"{name}.md").read_text("utf-8").strip()

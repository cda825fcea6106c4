"""The prompt of either role, rendered by one function for training and for serving.

Append-only: a stage's system text stays, each turn adds the client's words with a step marker
and the counselor's decided answer. So turn t+1 begins with turn t's messages, and the engine's
prefix cache carries the session. A therapist's move or revision starts a new prefix once, and so
does a stage that outgrows the prompt: half of it is left out at a time, never the newest turns.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import accumulate
from typing import Literal, NamedTuple

from planner.answer_schema import JsonSchema, answer_schema
from planner.machine import candidates
from planner.plan_rules import step_marker
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
_MOST_LETTERS = 9000
"""What a prompt carries of a talk: some 2,700 tokens, which leaves the smallest engine of 4,096
room for its instructions and its answer."""
_GAP = " … "
"""Stands for the middle of a text that was too long."""
_DENSE = re.compile(r"[\u0370-\u1fff\u2e80-\U0010ffff]+")
_DENSE_LETTERS = 6
"""What a character of such a script weighs: a Chinese one is 1.8 tokens, a letter 0.3."""
_FEWEST_KEPT = 4
"""Exchanges that are never left out, however long they are."""
_LONGEST_MESSAGE = 2000
_LONGEST_ASKED = 3600
"""Letters of all that a client wrote before one reply."""
_LONGEST_HINT = 1200
_SHORTENED = 300
"""Letters of a reply that had to be shortened, and of its reasoning; a client keeps twice that."""
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


class Refused(NamedTuple):
    """A plan that the therapist did not want."""

    steps: Sequence[str]
    reasons: Sequence[str]


def render(
    role: Role, case: PlannedCase, hint: str | None = None, refused: Sequence[Refused] = ()
) -> Prompt:
    """The prompt for this role and case.

    `hint` is a therapist's wish for another draft; `refused` are plans not to be proposed again.
    The planner is told which parts of the formulation a therapist corrected.
    """
    if role is Role.PLANNER:
        template, messages = _planner_messages(case)
    else:
        template, messages = _utterance_messages(case)
    names = [template]
    if hint is not None:
        names.append(f"hint.{case.language}")
        _add_line(messages, names[-1], {"hint": hint})
    if role is Role.PLANNER and case.corrected:
        names.append(f"corrected.{case.language}")
        known = case.formulation.parts()
        told = "; ".join(f"{part}: {known[part]}" for part in known if part in case.corrected)
        _add_line(messages, names[-1], {"parts": told})
    if refused:
        names.append(f"refused.{case.language}")
    for steps, reasons in refused:
        known = {"steps": "; ".join(steps), "reasons": ", ".join(reasons).replace("_", " ")}
        _add_line(messages, names[-1], known)
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


def _add_line(messages: list[Message], template: str, variables: Mapping[str, str]) -> None:
    """Ends the last message with what the therapist says; nothing before it changes."""
    said = {key: _shortened(_plain(text), _LONGEST_HINT) for key, text in variables.items()}
    line = fill(_template(template), said)
    messages[-1] = replace(messages[-1], content=f"{messages[-1].content}\n{line}")


class _Exchange(NamedTuple):
    words: str
    """What the client wrote; empty where the counselor opens."""
    marker: str
    answer: CounselorTurn | None
    """None for the newest: it is to be answered."""

    @property
    def asked(self) -> str:
        return f"{self.words}\n{self.marker}" if self.words else self.marker

    @property
    def letters(self) -> int:
        return _letters(self.asked) + (_letters(answer_text(self.answer)) if self.answer else 0)

    def shortened(self) -> "_Exchange":
        answer = self.answer
        if answer is not None:
            answer = replace(
                answer,
                action_reasoning=_shortened(answer.action_reasoning, _SHORTENED),
                utterance=_shortened(answer.utterance, _SHORTENED),
            )
        return _Exchange(_shortened(self.words, 2 * _SHORTENED), self.marker, answer)


def _planner_messages(case: PlannedCase) -> tuple[str, list[Message]]:
    name = f"planner.{case.language}"
    system = fill(_template(name), {"strategies": ", ".join(Strategy)})
    later = case.intervention if case.position.stage is Stage.INTERVENTION else ()
    lines = [_spoken(turn, case.language) for turn in (*case.diagnostic, *later)]
    return name, [Message("system", system), Message("user", "\n".join(_fitting(lines)))]


def _fitting(lines: Sequence[str]) -> Sequence[str]:
    """Long lines are shortened before any is left out: the trigger is often told early."""
    longest = _MOST_LETTERS
    while sum(map(_letters, lines)) > _MOST_LETTERS and longest > _SHORTENED:
        longest //= 2
        lines = [_shortened(line, longest) for line in lines]
    weights = accumulate(map(_letters, reversed(lines)))
    return lines[-sum(weight <= _MOST_LETTERS for weight in weights) :]


def _spoken(turn: Turn, language: Language) -> str:
    names = ("Client: ", "Counselor: ") if language == "en" else ("来访者：", "咨询师：")
    return names[isinstance(turn, CounselorTurn)] + _words(turn)


def _utterance_messages(case: PlannedCase) -> tuple[str, list[Message]]:
    name = f"utterance.{case.position.stage}.{case.language}"
    messages = [Message("system", fill(_template(name), _case_variables(case)))]
    for exchange in _recent(_replay(case)):
        messages.append(Message("user", exchange.asked))
        if exchange.answer is not None:
            messages.append(Message("assistant", answer_text(exchange.answer)))
    return name, messages


def _recent(exchanges: Sequence[_Exchange]) -> Sequence[_Exchange]:
    """What a prompt carries of a stage.

    Told from the first exchange on: so every turn leaves out what the turn before left out, and
    begins as it did until the talk has outgrown the prompt once more.
    """
    kept: list[_Exchange] = []
    weight = 0
    for exchange in exchanges:
        if weight + _letters(exchange.asked) > _MOST_LETTERS:
            kept = [*_newest(kept, _MOST_LETTERS - _letters(exchange.asked))]
            weight = sum(one.letters for one in kept)
        kept.append(exchange)
        weight += exchange.letters
    return kept


def _newest(exchanges: Sequence[_Exchange], room: int) -> Sequence[_Exchange]:
    """Half a prompt's worth, so that the next turns fit too; the newest four in any case."""
    kept = exchanges[-_FEWEST_KEPT:]
    if sum(one.letters for one in kept) > room:
        return [one.shortened() for one in kept]
    weights = accumulate(one.letters for one in reversed(exchanges))
    fitting = sum(weight <= _MOST_LETTERS // 2 for weight in weights)
    return exchanges[-max(fitting, _FEWEST_KEPT) :]


def _case_variables(case: PlannedCase) -> dict[str, str]:
    actions = case.position.plan.actions
    steps = "\n".join(f"{number}. {action}" for number, action in enumerate(actions, 1))
    if case.position.stage is Stage.DIAGNOSTIC:
        return {"steps": _plain(steps)}
    strategy = case.position.plan.strategy or UNKNOWN
    known = {"steps": steps, "strategy": strategy, **case.formulation.parts()}
    return {key: _plain(text) for key, text in known.items()}


def _replay(case: PlannedCase) -> Sequence[_Exchange]:
    """The stage's exchanges, each as it was asked; the newest waits for its answer."""
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
        asked = _exchange(words, position, len(exchanges) + 1, here)
        exchanges.append(asked._replace(answer=turn))
        here = here + 1 if cursor == position.cursor else 1
        position, words = replace(position, cursor=cursor), []
    here = here if case.position.cursor == position.cursor else 0
    return [*exchanges, _exchange(words, case.position, len(exchanges) + 1, here)]


def _exchange(words: Sequence[str], position: Position, turn: int, here: int) -> _Exchange:
    marker = _plain(f"[turn {turn} | here {here} | {step_marker(position)}]")
    return _Exchange(_shortened("\n".join(words), _LONGEST_ASKED), marker, None)


def _shortened(text: str, most: int) -> str:
    """Its beginning and its end, where it weighs more than so many letters."""
    if _letters(text) <= most:
        return text
    room = (most - len(_GAP)) * len(text) // _letters(text) // 2
    return f"{text[:room]}{_GAP}{text[-room:]}"


def _letters(text: str) -> int:
    dense = 0 if text.isascii() else sum(map(len, _DENSE.findall(text)))
    return len(text) + (_DENSE_LETTERS - 1) * dense


def _words(turn: Turn) -> str:
    return _plain(turn.utterance)[:_LONGEST_MESSAGE]


def _plain(text: str) -> str:
    """Keeps anyone's words from being read as the chat template's own control marks."""
    return text.replace("<|", "< |").replace("|>", "| >")


@cache
def _template(name: str) -> str:
    return files("planner").joinpath("prompts", f"{name}.md").read_text("utf-8").strip()

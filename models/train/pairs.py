"""Corpus sessions become training sequences through `planner.prompt`, the function that serves.

One sequence per stage for the utterance role, one per session for the planner; the loss is on the
counselor's (or planner's) own tokens only. Paper: PSY-STEP §4, D.1; Psy-Insight (masked prompts).
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal, get_args

from planner.machine import adopt, advance, start
from planner.plan_rules import NotAllowed
from planner.prompt import Message, Prompt, answer_text, render
from planner.vocabulary import (
    Action,
    ClientTurn,
    CounselorTurn,
    Formulation,
    Language,
    Plan,
    PlanAnswer,
    PlannedCase,
    Position,
    Role,
    Stage,
    Strategy,
    Turn,
)

CORPUS = tuple(sorted((Path(__file__).parents[1] / "corpus").glob("sessions*.jsonl")))
"""All files of sessions that are here; the first has the held-back ones."""
IGNORED = -100
"""The label of a token that carries no loss."""
TRAINED_ON = "trained_on"
"""The note of a manifest that holds the digests of the sessions that were learnt."""
_NAMING = re.compile(r'"action":"[^"]*$|"action_order":\[[^\]]*$')
"""An answer so far that has begun and not ended the name of an action, or the list of them."""


class BrokenSession(ValueError):
    """A line of a corpus file that is no session; says where and why, never what was said."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One counselor turn of a session: what was known before it and what was said."""

    session: str
    case: PlannedCase
    chosen: CounselorTurn


@dataclass(frozen=True, slots=True)
class CorpusSession:
    """A whole session in the corpus format, in the planner's words."""

    id: str
    formulation: Formulation
    plan: Plan
    diagnostic: tuple[Turn, ...]
    intervention: tuple[Turn, ...]
    row: dict
    """The corpus row as it was read."""
    language: Language = "en"

    @property
    def digest(self) -> str:
        """Names the session by what was said in its first stage, whatever its id."""
        said = json.dumps([turn.utterance for turn in self.diagnostic])
        return sha256(said.encode()).hexdigest()[:12]

    @property
    def answer(self) -> PlanAnswer:
        """What the planner should have answered."""
        return PlanAnswer(self.plan, self.formulation)


@dataclass(frozen=True, slots=True)
class Sample:
    """A chat whose assistant messages are to be learnt."""

    session: str
    messages: tuple[Message, ...]


def read_sessions(*files: Path) -> list[CorpusSession]:
    """Every session of JSONL files in the corpus format, each replayed through the planner.

    Raises: BrokenSession, naming the line, where one breaks the format or skips an action.
    """
    found: list[CorpusSession] = []
    for path in files:
        # Not splitlines(): it also splits at separators that may stand inside a JSON text.
        for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
            if line.strip():
                try:
                    found.append(_replayed(json.loads(line)))
                except (ValueError, KeyError, TypeError, AttributeError, NotAllowed) as error:
                    raise BrokenSession(f"{path.name}, line {number}: {_why(error)}") from None
    return found


def part_of(session_id: str) -> Literal["train", "validation"]:
    """Where a client belongs; depends on the id alone, so it never changes as the corpus grows."""
    bucket = int(sha256(session_id.encode()).hexdigest()[:8], 16) % 100
    return "validation" if bucket < 10 else "train"


def decisions(session: CorpusSession) -> Iterable[Decision]:
    """Every counselor turn, with the case as it stood before."""
    position = start()
    for stage in Stage:
        if stage is Stage.INTERVENTION:
            position = adopt(position, session.plan)
        turns = session.diagnostic if stage is Stage.DIAGNOSTIC else session.intervention
        for index, turn in enumerate(turns):
            if isinstance(turn, CounselorTurn):
                yield Decision(session.id, _case(session, position, turns[:index]), turn)
                position = advance(position, turn.action)


def utterance_samples(session: CorpusSession) -> list[Sample]:
    """One sequence per stage: the last turn's prompt begins with every earlier one."""
    last: dict[Stage, Decision] = {d.case.position.stage: d for d in decisions(session)}
    return [
        Sample(
            session.id,
            (
                *render(Role.UTTERANCE, decision.case).messages,
                Message("assistant", answer_text(decision.chosen)),
            ),
        )
        for decision in last.values()
    ]


def _planner_samples(session: CorpusSession) -> list[Sample]:
    """The diagnostic dialogue, then formulation and plan."""
    prompt = planner_prompt(session)
    answer = Message("assistant", answer_text(session.answer))
    return [Sample(session.id, (*prompt.messages, answer))]


def samples(sessions: Iterable[CorpusSession], role: Role) -> list[Sample]:
    """All training sequences of a role."""
    of_one = utterance_samples if role is Role.UTTERANCE else _planner_samples
    return [sample for session in sessions for sample in of_one(session)]


def planner_prompt(session: CorpusSession) -> Prompt:
    """The planner's prompt at the end of a session's diagnostic stage."""
    position = start()
    for turn in session.diagnostic:
        if isinstance(turn, CounselorTurn):
            position = advance(position, turn.action)
    return render(Role.PLANNER, _case(session, position, session.diagnostic))


def tokens(sample: Sample, tokenizer, action_weight: float = 1.0) -> dict[str, list]:
    """`input_ids`, `labels` and `weights` of a sequence, all of the same length.

    Each assistant message is learnt up to and including the token that ends it.
    """
    ids: list[int] = []
    labels: list[int] = []
    weights: list[float] = []
    for turn in range(len(sample.messages)):
        chat = [{"role": m.role, "content": m.content} for m in sample.messages[: turn + 1]]
        spoken = sample.messages[turn].role == "assistant"
        before = _ids(tokenizer, chat[:-1], prompt=True) if spoken else ids
        after = _ids(tokenizer, chat, prompt=False)
        assert after[: len(before)] == before, "the chat template is not append-only"
        for new, learnt in ((before[len(ids) :], False), (after[len(before) :], spoken)):
            ids += new
            labels += new if learnt else [IGNORED] * len(new)
            weights += _weights(tokenizer, new, action_weight) if learnt else [0.0] * len(new)
    return _without_tail(ids, labels, weights, tokenizer.eos_token_id)


def _replayed(row: dict) -> CorpusSession:
    session = _session(row)
    stages = set[Stage]()
    for decision in decisions(session):
        stages.add(decision.case.position.stage)
        render(Role.UTTERANCE, decision.case)
    if stages != set(Stage):
        raise BrokenSession("a stage has no counselor turn")
    planner_prompt(session)
    return session


def _why(error: Exception) -> str:
    """Names the fault by its kind and by field names; a value may hold a client's words."""
    match error:
        case BrokenSession():
            return str(error)
        case NotAllowed():
            return f"its turns or its plan break the planner's rules ({error.code})"
        case json.JSONDecodeError():
            return f"no JSON at character {error.pos}"
        case UnicodeDecodeError():
            return "not UTF-8"
        case KeyError():
            return f"the field {error} is missing"
        case TypeError() | AttributeError():
            return "a field is of the wrong type"
    return "a field has a value the format does not know"


def _session(row: dict) -> CorpusSession:
    # The service's own export has no profile, because a profile names a person.
    known = row["formulation"] if "formulation" in row and "profile" not in row else row["profile"]
    language = row.get("language", "en")
    if language not in get_args(Language):
        raise BrokenSession("its language is none that the prompts know")
    return CorpusSession(
        id=_text(row, "id"),
        formulation=Formulation(
            _text(known, "surface_level_problem"),
            _text(known, "triggering_situation"),
            _texts(known, "automatic_thoughts"),
        ),
        plan=plan_of(row["intervention"]),
        diagnostic=tuple(map(_turn, row["diagnosis"]["turns"])),
        intervention=tuple(map(_turn, row["intervention"]["turns"])),
        row=row,
        language=language,
    )


def _text(row: dict, field: str) -> str:
    if not isinstance(row[field], str):
        raise BrokenSession(f"the field '{field}' is not text")
    row[field].encode()  # Half a character is no text either, for any tokenizer.
    return row[field]


def _texts(row: dict, field: str) -> tuple[str, ...]:
    """A list of texts; a single one, as the paper writes its thoughts, is a list of one."""
    found = [row[field]] if isinstance(row[field], str) else row[field]
    return tuple(_text({field: each}, field) for each in found)


def plan_of(row: dict) -> Plan:
    """The plan of a row, or of a rejected answer. Raises: what a broken row raises."""
    actions = tuple(map(Action, _texts(row, "action_order")))
    told = _text(row, "plan"), _text(row, "reason_for_these_order")
    return Plan(Strategy(row["strategy"]), *told, actions)


def _turn(row: dict) -> Turn:
    return ClientTurn(_text(row, "utterance")) if row["role"] == "client" else counselor_turn(row)


def counselor_turn(row: dict) -> CounselorTurn:
    """The counselor's turn of a row, or of a rejected answer. Raises: as `plan_of`."""
    said = _text(row, "utterance")
    return CounselorTurn(_text(row, "action_reasoning"), Action(_text(row, "action")), said)


def _case(session: CorpusSession, position: Position, turns: Sequence[Turn]) -> PlannedCase:
    if position.stage is Stage.DIAGNOSTIC:
        return PlannedCase(session.language, position, diagnostic=tuple(turns))
    known = session.formulation, session.diagnostic
    return PlannedCase(session.language, position, *known, intervention=tuple(turns))


def _ids(tokenizer, chat: list[dict[str, str]], *, prompt: bool) -> list[int]:
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=prompt)
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def _weights(tokenizer, answer: list[int], action_weight: float) -> list[float]:
    """1 for every token, `action_weight` for those that spell an action's name."""
    weights, text = [1.0] * len(answer), ""
    for index, token in enumerate(answer):
        if _NAMING.search(text):
            weights[index] = action_weight
        text += tokenizer.decode([token])
    return weights


def _without_tail(
    ids: list[int], labels: list[int], weights: list[float], end: int
) -> dict[str, list]:
    """Takes the loss off what a template adds after a message's end, such as a line break."""
    for index in range(1, len(ids)):
        if labels[index] != IGNORED and ids[index - 1] == end and labels[index - 1] != IGNORED:
            labels[index], weights[index] = IGNORED, 0.0
    return {"input_ids": ids, "labels": labels, "weights": weights}

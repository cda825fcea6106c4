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
from typing import Literal

from planner.machine import adopt, advance, candidates, start
from planner.plan_rules import NotAllowed
from planner.prompt import Message, Prompt, answer_text, render
from planner.vocabulary import (
    Action,
    ClientTurn,
    CounselorTurn,
    Formulation,
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

    @property
    def answer(self) -> PlanAnswer:
        """What the planner should have answered."""
        return PlanAnswer(self.plan, self.formulation)


@dataclass(frozen=True, slots=True)
class Sample:
    """A chat whose assistant messages are to be learnt."""

    session: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Preference:
    """Two answers to the same prompt, the better one first; food for a later DPO run."""

    prompt: Prompt
    chosen: str
    rejected: str


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


def preferences(session: CorpusSession) -> list[Preference]:
    """The session's chosen and rejected answers: four utterances and one plan."""
    found: list[Preference] = []
    by_turn = {(d.case.position.stage, len(_so_far(d.case))): d for d in decisions(session)}
    stages = {"diagnosis": Stage.DIAGNOSTIC, "intervention": Stage.INTERVENTION}
    for row in session.row.get("preferences", ()):
        decision = by_turn[stages[row["stage"]], row["turn"]]
        rejected = _counselor_turn(row["rejected"])
        prompt = render(Role.UTTERANCE, decision.case)
        if rejected.action in candidates(decision.case.position):
            found.append(Preference(prompt, answer_text(decision.chosen), answer_text(rejected)))
    if "plan_preference" in session.row:
        worse = PlanAnswer(_plan(session.row["plan_preference"]["rejected"]), session.formulation)
        prompt = planner_prompt(session)
        found.append(Preference(prompt, answer_text(session.answer), answer_text(worse)))
    return found


def _replayed(row: dict) -> CorpusSession:
    session = _session(row)
    stages = {decision.case.position.stage for decision in decisions(session)}
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
    profile = row["profile"]
    return CorpusSession(
        id=row["id"],
        formulation=Formulation(
            profile["surface_level_problem"],
            profile["triggering_situation"],
            tuple(profile["automatic_thoughts"]),
        ),
        plan=_plan(row["intervention"]),
        diagnostic=tuple(map(_turn, row["diagnosis"]["turns"])),
        intervention=tuple(map(_turn, row["intervention"]["turns"])),
        row=row,
    )


def _plan(row: dict) -> Plan:
    actions = tuple(map(Action, row["action_order"]))
    return Plan(Strategy(row["strategy"]), row["plan"], row["reason_for_these_order"], actions)


def _turn(row: dict) -> Turn:
    return ClientTurn(row["utterance"]) if row["role"] == "client" else _counselor_turn(row)


def _counselor_turn(row: dict) -> CounselorTurn:
    return CounselorTurn(row["action_reasoning"], Action(row["action"]), row["utterance"])


def _case(session: CorpusSession, position: Position, turns: Sequence[Turn]) -> PlannedCase:
    if position.stage is Stage.DIAGNOSTIC:
        return PlannedCase("en", position, diagnostic=tuple(turns))
    return PlannedCase(
        "en", position, session.formulation, session.diagnostic, intervention=tuple(turns)
    )


def _so_far(case: PlannedCase) -> Sequence[Turn]:
    return case.diagnostic if case.position.stage is Stage.DIAGNOSTIC else case.intervention


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

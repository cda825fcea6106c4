"""Corpus sessions become training sequences through `planner.prompt`, the function that serves.

One sequence per stage for the utterance role, one per session for the planner. Paper: PSY-STEP §4,
D.1.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Literal, get_args

from planner.fallback import is_fallback
from planner.machine import adopt, advance, candidates, start
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
TRAINED_ON = "trained_on"
"""The note of a manifest that holds the digests of the sessions that were learnt."""


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
    led: bool = False
    """Whether a therapist led it, as in the service's own export: whoever does may speak in words
    of her own and move the cursor, which are read here and never learnt."""

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
    """A chat and which of its assistant messages are to be learnt."""

    session: str
    messages: tuple[Message, ...]
    learnt: frozenset[str]
    """Those answers, as they stand in the messages; what a prompt had to shorten is none."""


def read_sessions(*files: Path) -> list[CorpusSession]:
    """Every session of JSONL files in the corpus format, each replayed through the planner.

    An export that has no plan yet is left out. Raises: BrokenSession, naming the line, where one
    breaks the format or, with nobody leading it, skips an action.
    """
    found: list[CorpusSession] = []
    for path in files:
        # Not splitlines(): it also splits at separators that may stand inside a JSON text.
        for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
            if line.strip():
                try:
                    row = json.loads(line)
                    if not _unplanned(row):
                        found.append(_replayed(row))
                except (ValueError, KeyError, TypeError, AttributeError, NotAllowed) as error:
                    raise BrokenSession(f"{path.name}, line {number}: {_why(error)}") from None
    return found


@contextmanager
def told() -> Iterator[None]:
    """For a command: end it with one line where a file of sessions cannot be read."""
    try:
        yield
    except BrokenSession as error:
        raise SystemExit(str(error)) from None
    except OSError as error:
        raise SystemExit(f"{error.filename}: {error.strerror}") from None


def part_of(session_id: str) -> Literal["train", "validation"]:
    """Where a client belongs; depends on the id alone, so it never changes as the corpus grows."""
    bucket = int(sha256(session_id.encode()).hexdigest()[:8], 16) % 100
    return "validation" if bucket < 10 else "train"


def decisions(session: CorpusSession) -> Iterable[Decision]:
    """Every counselor turn that the plan allowed, with the case as it stood before.

    Raises: NotAllowed where a turn breaks the planner's rules and nobody led the session.
    """
    position = start()
    for stage in Stage:
        if stage is Stage.INTERVENTION:
            led = Position(stage, session.plan)
            position = led if session.led else adopt(position, session.plan)
        turns = session.diagnostic if stage is Stage.DIAGNOSTIC else session.intervention
        for index, turn in enumerate(turns):
            if isinstance(turn, CounselorTurn):
                # In her own words she says where she is in the plan, but not why.
                own = session.led and not turn.action_reasoning
                if not own and (turn.action in candidates(position) or not session.led):
                    yield Decision(session.id, _case(session, position, turns[:index]), turn)
                position = _after(session, position, turn.action)


def _after(session: CorpusSession, position: Position, action: Action) -> Position:
    """Where a turn leaves the cursor; a therapist's own words leave it, her move sets it."""
    if not session.led:
        return advance(position, action)
    known = position.plan.actions
    return replace(position, cursor=known.index(action)) if action in known else position


def utterance_samples(session: CorpusSession) -> list[Sample]:
    """One sequence per stage: its last decision's prompt and answer.

    The prompt holds the earlier turns as they were served; a stage too long for a prompt begins
    later, and what it leaves out is not learnt.
    """
    of_stage: dict[Stage, list[Decision]] = {}
    for decision in decisions(session):
        of_stage.setdefault(decision.case.position.stage, []).append(decision)
    return [_sample(session, found) for found in of_stage.values()]


def _sample(session: CorpusSession, found: Sequence[Decision]) -> Sample:
    answers = [answer_text(decision.chosen) for decision in found]
    asked = render(Role.UTTERANCE, found[-1].case).messages
    return Sample(session.id, (*asked, Message("assistant", answers[-1])), frozenset(answers))


def _planner_samples(session: CorpusSession) -> list[Sample]:
    """The diagnostic dialogue, then formulation and plan; a template's plan teaches nothing."""
    if is_fallback(session.plan):
        return []
    prompt = planner_prompt(session)
    answer = answer_text(session.answer)
    asked = (*prompt.messages, Message("assistant", answer))
    return [Sample(session.id, asked, frozenset({answer}))]


def samples(sessions: Iterable[CorpusSession], role: Role) -> list[Sample]:
    """All training sequences of a role."""
    of_one = utterance_samples if role is Role.UTTERANCE else _planner_samples
    return [sample for session in sessions for sample in of_one(session)]


def planner_prompt(session: CorpusSession) -> Prompt:
    """The planner's prompt at the end of a session's diagnostic stage."""
    position = start()
    for turn in session.diagnostic:
        if isinstance(turn, CounselorTurn):
            position = _after(session, position, turn.action)
    return render(Role.PLANNER, _case(session, position, session.diagnostic))


def _unplanned(row: object) -> bool:
    """Whether it is the service's export of a session that is still in its first stage."""
    if not isinstance(row, dict):
        return False
    return "formulation" in row and not row.keys() & {"profile", "intervention"}


def _replayed(row: dict) -> CorpusSession:
    session = _session(row)
    stages = set[Stage]()
    for decision in decisions(session):
        stages.add(decision.case.position.stage)
        render(Role.UTTERANCE, decision.case)
    if stages != set(Stage) and not session.led:
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
    led = "formulation" in row and "profile" not in row
    known = row["formulation"] if led else row["profile"]
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
        led=led,
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

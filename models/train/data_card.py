"""Counts what training makes of a corpus: ``python -m models.train.data_card > .../DATA_CARD.md``.

Raises where a session breaks the format, skips an action or carries a plan against the rules.
"""

import argparse
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from statistics import mean

from models.train import pairs
from planner.machine import candidates
from planner.prompt import Prompt, answer_text, render
from planner.vocabulary import (
    ClientTurn,
    CounselorTurn,
    PlanAnswer,
    PlannedCase,
    Role,
    Stage,
    Turn,
)

_PARTS = ("train", "validation")
_HAN = re.compile(r"[\u3400-\u9fff]")
_TELLING = 5
"""Shortest utterance, in words, whose appearance in both parts would be leakage."""


@dataclass(frozen=True, slots=True)
class Preference:
    """Two answers to the same prompt, the better one first; food for a later DPO run."""

    prompt: Prompt
    chosen: str
    rejected: str


def preferences(session: pairs.CorpusSession) -> list[Preference]:
    """The session's chosen and rejected answers, those whose rejected action was allowed.

    Of the service's own rows only those whose chosen answer gives a reason for its step, as a
    model must: a therapist who takes another step than the draft gives none.
    """
    found: list[Preference] = []
    by_turn = {(d.case.position.stage, len(_so_far(d.case))): d for d in pairs.decisions(session)}
    stages = {"diagnosis": Stage.DIAGNOSTIC, "intervention": Stage.INTERVENTION}
    for row in session.row.get("preferences", ()):
        decision = by_turn.get((stages[row["stage"]], row["turn"]))
        if decision is None:
            continue
        rejected = pairs.counselor_turn(row["rejected"])
        prompt = render(Role.UTTERANCE, decision.case)
        if rejected.action in candidates(decision.case.position):
            found.append(Preference(prompt, answer_text(decision.chosen), answer_text(rejected)))
    if "plan_preference" in session.row:
        rejected = pairs.plan_of(session.row["plan_preference"]["rejected"])
        worse = PlanAnswer(rejected, session.formulation)
        prompt = pairs.planner_prompt(session)
        found.append(Preference(prompt, answer_text(session.answer), answer_text(worse)))
    return found


def data_card(*files: Path) -> str:
    """The card of corpus files as Markdown."""
    read = [pairs.read_sessions(path) for path in files]
    sessions = [session for found in read for session in found]
    parts = {name: [s for s in sessions if pairs.part_of(s.id) == name] for name in _PARTS}
    named = ", ".join(f"`{path.name}` (sha256 `{_digest(path)}`)" for path in files)
    blocks = [
        "# Data card",
        f"{named}: {len(sessions)} sessions. {_split(files, read, parts)}"
        " Every session was replayed through the"
        " planner's table, so no action is skipped and every plan obeys the rules.",
        _counts(parts),
        _actions(parts),
        _distribution("Strategies", parts, lambda session: [str(session.plan.strategy)]),
        _distribution("Interaction styles", parts, _styles),
        _distribution("Faults of rejected utterances", parts, _faults),
        _leakage(parts),
    ]
    return "\n\n".join(blocks) + "\n"


def _split(
    files: Sequence[Path],
    read: Sequence[Sequence[pairs.CorpusSession]],
    parts: dict[str, list[pairs.CorpusSession]],
) -> str:
    held = {session.id for session in parts["validation"]}
    share = 100 * len(held) / max(sum(map(len, read)), 1)
    whole = [
        f"`{path.name}`"
        for path, found in zip(files, read, strict=True)
        if held.isdisjoint(session.id for session in found)
    ]
    told = f"Split by client: a hash of the session's id holds {len(held)} back ({share:.1f} %)."
    if whole and held:
        told += f" For training only, by their ids: {', '.join(whole)}."
    return told


def _digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()[:12]


def _counts(parts: dict[str, list[pairs.CorpusSession]]) -> str:
    rows = {
        "sessions": len,
        "utterance sequences": lambda found: len(pairs.samples(found, Role.UTTERANCE)),
        "planner sequences": lambda found: len(pairs.samples(found, Role.PLANNER)),
        "counselor turns": lambda found: len(_turns(found, CounselorTurn)),
        "client turns": lambda found: len(_turns(found, ClientTurn)),
        "words per counselor utterance": lambda found: _words(_turns(found, CounselorTurn)),
        "words per client utterance": lambda found: _words(_turns(found, ClientTurn)),
        "characters per utterance sequence": lambda found: _length(found, Role.UTTERANCE),
        "characters per planner sequence": lambda found: _length(found, Role.PLANNER),
        "preference pairs": lambda found: sum(len(preferences(s)) for s in found),
    }
    lines = [
        f"| {name} | {' | '.join(str(of(parts[p])) for p in _PARTS)} |" for name, of in rows.items()
    ]
    return "\n".join(["| | train | validation |", "|---|---:|---:|", *lines])


def _actions(parts: dict[str, list[pairs.CorpusSession]]) -> str:
    lines = ["| decisions with a choice | train | validation |", "|---|---:|---:|"]
    for stage in Stage:
        for name, taken in (("stay", 0), ("next", 1)):
            cells = [str(_taken(parts[part], stage, taken)) for part in _PARTS]
            lines.append(f"| {stage}, {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _taken(sessions: Iterable[pairs.CorpusSession], stage: Stage, taken: int) -> int:
    return sum(
        candidates(decision.case.position)[taken:][:1] == (decision.chosen.action,)
        for session in sessions
        for decision in pairs.decisions(session)
        if decision.case.position.stage is stage and len(candidates(decision.case.position)) > 1
    )


def _distribution(title: str, parts: dict[str, list[pairs.CorpusSession]], of) -> str:
    counted = {part: Counter(word for s in parts[part] for word in of(s)) for part in _PARTS}
    names = sorted(set(counted["train"]) | set(counted["validation"]))
    lines = [f"| {n} | {' | '.join(str(counted[part][n]) for part in _PARTS)} |" for n in names]
    return "\n".join([f"| {title} | train | validation |", "|---|---:|---:|", *lines])


def _styles(session: pairs.CorpusSession) -> list[str]:
    return [session.row.get("profile", {}).get("interaction_style", "not told")]


def _faults(session: pairs.CorpusSession) -> list[str]:
    return [row["fault"] for row in session.row.get("preferences", ())]


def _leakage(parts: dict[str, list[pairs.CorpusSession]]) -> str:
    said = {
        part: {
            turn.utterance for turn in (*_turns(found, ClientTurn), *_turns(found, CounselorTurn))
        }
        for part, found in parts.items()
    }
    shared = [u for u in said["train"] & said["validation"] if _long(u) >= _TELLING]
    ids = {part: {session.id for session in found} for part, found in parts.items()}
    names = {part: {n for s in found if (n := _name(s))} for part, found in parts.items()}
    return (
        "**Leakage check.** In both parts: "
        f"{len(ids['train'] & ids['validation'])} ids, "
        f"{len(names['train'] & names['validation'])} client names, "
        f"{len(shared)} utterances of {_TELLING} words or more."
    )


def _name(session: pairs.CorpusSession) -> str | None:
    """The service's own exports have no profile."""
    return session.row.get("profile", {}).get("name")


def _so_far(case: PlannedCase) -> Sequence[Turn]:
    return case.diagnostic if case.position.stage is Stage.DIAGNOSTIC else case.intervention


def _turns(sessions: Iterable[pairs.CorpusSession], kind: type) -> list:
    return [t for s in sessions for t in (*s.diagnostic, *s.intervention) if isinstance(t, kind)]


def _long(utterance: str) -> int:
    """Its words; in Chinese its characters."""
    return len(_HAN.sub(" x ", utterance).split())


def _words(turns: Sequence) -> float:
    return round(mean(_long(turn.utterance) for turn in turns), 1) if turns else 0


def _length(sessions: Sequence[pairs.CorpusSession], role: Role) -> int:
    samples = pairs.samples(sessions, role)
    lengths = [sum(len(m.content) for m in sample.messages) for sample in samples]
    return round(mean(lengths)) if lengths else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=Path, nargs="+", default=pairs.CORPUS)
    with pairs.told():
        print(data_card(*parser.parse_args().sessions), end="")

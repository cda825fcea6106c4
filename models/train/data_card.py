"""Counts what training makes of a corpus: ``python -m models.train.data_card > .../DATA_CARD.md``.

Raises where a session breaks the format, skips an action or carries a plan against the rules.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from statistics import mean

from models.train import pairs
from planner.machine import candidates
from planner.vocabulary import ClientTurn, CounselorTurn, Role, Stage

_PARTS = ("train", "validation")
_TELLING = 5
"""Shortest utterance, in words, whose appearance in both parts would be leakage."""


def data_card(*files: Path) -> str:
    """The card of corpus files as Markdown."""
    sessions = pairs.read_sessions(*files)
    parts = {name: [s for s in sessions if pairs.part_of(s.id) == name] for name in _PARTS}
    named = ", ".join(f"`{path.name}` (sha256 `{_digest(path)}`)" for path in files)
    blocks = [
        "# Data card",
        f"{named}: {len(sessions)} sessions. Split by client: a hash"
        " of the session's id, about one in ten held back. Every session was replayed through the"
        " planner's table, so no action is skipped and every plan obeys the rules.",
        _counts(parts),
        _actions(parts),
        _distribution("Strategies", parts, lambda session: [str(session.plan.strategy)]),
        _distribution("Interaction styles", parts, _styles),
        _distribution("Faults of rejected utterances", parts, _faults),
        _leakage(parts),
    ]
    return "\n\n".join(blocks) + "\n"


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
        "preference pairs": lambda found: sum(len(pairs.preferences(s)) for s in found),
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
    return [session.row["profile"]["interaction_style"]]


def _faults(session: pairs.CorpusSession) -> list[str]:
    return [row["fault"] for row in session.row.get("preferences", ())]


def _leakage(parts: dict[str, list[pairs.CorpusSession]]) -> str:
    said = {
        part: {
            turn.utterance for turn in (*_turns(found, ClientTurn), *_turns(found, CounselorTurn))
        }
        for part, found in parts.items()
    }
    shared = [u for u in said["train"] & said["validation"] if len(u.split()) >= _TELLING]
    ids = {part: {session.id for session in found} for part, found in parts.items()}
    names = {part: {s.row["profile"]["name"] for s in found} for part, found in parts.items()}
    return (
        "**Leakage check.** In both parts: "
        f"{len(ids['train'] & ids['validation'])} ids, "
        f"{len(names['train'] & names['validation'])} client names, "
        f"{len(shared)} utterances of {_TELLING} words or more."
    )


def _turns(sessions: Iterable[pairs.CorpusSession], kind: type) -> list:
    return [t for s in sessions for t in (*s.diagnostic, *s.intervention) if isinstance(t, kind)]


def _words(turns: Sequence) -> float:
    return round(mean(len(turn.utterance.split()) for turn in turns), 1)


def _length(sessions: Sequence[pairs.CorpusSession], role: Role) -> int:
    samples = pairs.samples(sessions, role)
    return round(mean(sum(len(m.content) for m in sample.messages) for sample in samples))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=Path, nargs="+", default=pairs.CORPUS)
    print(data_card(*parser.parse_args().sessions), end="")

"""The screen's labelled rows for training and tuning, and ordinary talk to weigh against them.

Whole files stay apart: what judges (``JUDGING``) is never read here.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Literal, TypedDict, cast
from zlib import crc32

from safety.normalise import normalise
from safety.risk import Category, Language, Line, RiskLevel
from safety.rules import read_rules

CORPUS = Path(__file__).parents[1] / "corpus"
TRAINING = (
    "en_a", "en_b", "en_d", "en_e", "en_f", "en_g", "en_h", "en_i", "en_j", "en_l", "en_m", "en_n",
    "en_o", "en_p", "en_q", "en_r", "en_s", "en_t", "en_w", "en_x", "en_y", "en_z", "en_aa",
    "en_ab", "en_ac", "en_ae", "en_af", "en_ag", "en_ah", "en_ai", "en_aj", "en_ak", "own_en",
    "calm_en", "short_en", "quiet_en",
    "zh_a", "zh_c", "zh_d", "zh_e", "zh_f", "zh_h", "zh_i", "zh_j", "zh_k", "zh_l", "zh_m", "zh_n",
    "zh_q", "zh_r", "zh_s", "zh_t", "zh_u", "zh_w", "zh_x", "zh_y", "zh_z", "zh_aa", "own_zh",
    "calm_zh", "short_zh", "quiet_zh",
)  # fmt: skip
TWINS = (
    "en_w", "en_x", "en_y", "en_z", "en_aa", "en_ab", "en_ac", "en_ah", "en_ai", "en_ak",
    "zh_q", "zh_r", "zh_s", "zh_t", "zh_u", "zh_y", "zh_z", "zh_aa",
)  # fmt: skip
"""Of these, messages beside the same words without danger: harder than what people write."""
JUDGING = (
    "en_c", "en_k", "en_u", "en_v", "en_ad", "en_al", "en_am",
    "zh_b", "zh_g", "zh_o", "zh_p", "zh_v", "zh_ab", "zh_ac",
)  # fmt: skip
ON_THE_CONVERSATION = frozenset({"multi_turn_only", "retracted", "negated"})
"""Kinds whose answer hangs on what was said just before."""

SURROUNDED = 0.5
"""The share of rows that are shown in the middle of a longer calm message."""

REPEATED, UNANSWERED = 0.06, 0.15
"""The shares of rows shown after their own words, and after lines that nobody answered."""

MARKED = 0.04
_MARKS = ("({0}-{1})", "[ref {1}]", "#{1}", "(c{0}-{0}-{1})", "{1}", "@{0}:{1}", "...", "??", ")")
"""What machines and thumbs leave at the end of a message."""

_MOST_AROUND: Mapping[Language, int] = {"en": 600, "zh": 240}
"""Most calm characters around a row; at least a fifth of it."""

TUNING_PART = 8
"""One row in so many tunes; which ones, the words themselves decide."""


class _Turn(TypedDict):
    role: Literal["client", "counselor"]
    text: str


class _JsonRow(TypedDict):
    lang: Language
    history: list[_Turn]
    text: str
    route: bool
    level: str
    category: str
    kind: str


class _Stage(TypedDict):
    turns: list[dict[str, str]]


class _Dialogue(TypedDict, total=False):
    turns: list[_Turn]
    diagnosis: _Stage
    intervention: _Stage


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled message."""

    language: Language
    text: str
    history: tuple[Line, ...]
    route: bool
    level: RiskLevel
    category: Category
    kind: str


def labelled(names: Sequence[str] = TRAINING) -> list[Row]:
    """The rows of the named corpus files, in order."""
    return [row for name in names for row in read_rows(CORPUS / f"screen_{name}.jsonl")]


def split(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Training rows and tuning rows; a row stays where it is when others join."""
    tunes = [crc32(row.text.encode()) % TUNING_PART == 0 for row in rows]
    training = [row for row, tuning in zip(rows, tunes, strict=True) if not tuning]
    return training, [row for row, tuning in zip(rows, tunes, strict=True) if tuning]


def drawn(rows: Sequence[Row], newest: Sequence[Row]) -> Callable[[Random], Sequence[Row]]:
    """What an epoch shows: the newest rows, and a third of the others, drawn anew each time."""
    known = set(newest)
    others = [row for row in rows if row not in known]
    return lambda rng: [*newest, *rng.sample(others, len(others) // 3)]


@dataclass(frozen=True, slots=True)
class Calm:
    """Dialogues to take calm rows from: ``first`` to ``last``, every so many client turns."""

    path: Path
    language: Language
    first: int
    last: int
    every: int

    @classmethod
    def parse(cls, option: str) -> "Calm":
        """``zh:1-500:9:file.jsonl`` as it stands on the command line."""
        language, dialogues, every, path = option.split(":", 3)
        first, last = map(int, dialogues.split("-"))
        return cls(Path(path), cast(Language, language), first, last, int(every))


def ordinary(calm: Calm) -> list[Row]:
    """Client turns of dialogues as calm rows.

    A dialogue stops counting at its first line that the rules would alert on: whoever wrote
    the set did not label it, and what looks like danger must not be taught as calm.
    """
    rows: list[Row] = []
    with calm.path.open(encoding="utf-8") as lines:
        for number, line in enumerate(islice(lines, calm.first - 1, calm.last)):
            said = _lines(cast(_Dialogue, json.loads(line)))
            rows.extend(_calm(said, calm.language, number % calm.every, calm.every))
    return rows


def bend(text: str, rng: Random) -> str:
    """The text as it is, or, for one in four, with a few slips of the keyboard or a stray mark."""
    chance = rng.random()
    if chance < MARKED:
        return f"{text} {rng.choice(_MARKS).format(rng.randrange(9), rng.randrange(9_999))}"
    if chance < 0.75 or len(text) < 6:
        return text
    letters = list(text)
    for _ in range(max(1, len(letters) // 30)):
        place = rng.randrange(1, len(letters) - 1)
        slip = rng.random()
        if slip < 0.4:
            del letters[place]
        elif slip < 0.8:
            letters[place - 1 : place + 1] = letters[place - 1 : place + 1][::-1]
        else:
            letters.insert(place, letters[place])
        if len(letters) < 6:
            break
    return "".join(letters)


def recounted(row: Row, calm: Sequence[Row], rng: Random) -> tuple[Line, ...]:
    """What is shown as said before a row: as it was, or changed where that cannot matter.

    Left out, borrowed from a calm row, without the counselor's lines, or the row's own words again
    and again: people write three messages before anybody answers, and send one twice.
    """
    if row.kind in ON_THE_CONVERSATION:
        return row.history
    chance = rng.random()
    if chance < REPEATED:
        return (Line("client", row.text),) * rng.randint(1, 5)
    if chance < REPEATED + UNANSWERED:
        known = row.history or rng.choice(calm).history
        return tuple(line for line in known if line.role == "client")
    if row.history:
        return () if rng.random() < 0.25 else row.history
    return rng.choice(calm).history if rng.random() < 0.15 else ()


def surrounded(row: Row, calm: Sequence[Row], rng: Random, share: float = SURROUNDED) -> Row:
    """The row as it is or, for ``share`` of them, in the middle of calm turns of its language.

    People bury the one sentence that matters. Who reads only short messages learns to overhear it.
    """
    if rng.random() >= share or row.kind in ON_THE_CONVERSATION:
        return row
    most = _MOST_AROUND[row.language]
    room = rng.randint(most // 5, most)
    before = rng.randint(0, room)
    sides = (_calm_words(row.language, calm, size, rng) for size in (before, room - before))
    first, last = sides
    return replace(row, text=" ".join(part for part in (first, row.text, last) if part))


def _calm_words(language: Language, calm: Sequence[Row], most: int, rng: Random) -> str:
    """Calm turns, one after another as far as ``most`` characters reach."""
    found: list[str] = []
    for _ in range(40):
        row = rng.choice(calm)
        if row.language == language and len(row.text) < most:
            found.append(row.text)
            most -= len(row.text)
    return " ".join(found)


def read_rows(path: Path) -> Iterator[Row]:
    """The rows of one labelled file."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            row = cast(_JsonRow, json.loads(line))
            yield Row(
                language=row["lang"],
                text=row["text"],
                history=tuple(Line(turn["role"], turn["text"]) for turn in row["history"]),
                route=row["route"],
                level=RiskLevel(row["level"]),
                category=Category(row["category"]),
                kind=row["kind"],
            )


def _lines(dialogue: _Dialogue) -> tuple[Line, ...]:
    """One dialogue's lines, whether it is one list of turns or one per stage."""
    if "turns" in dialogue:
        return tuple(Line(turn["role"], turn["text"]) for turn in dialogue["turns"])
    stages = (dialogue["diagnosis"], dialogue["intervention"])
    turns = [turn for stage in stages for turn in stage["turns"]]
    return tuple(
        Line("client" if turn["role"] == "client" else "counselor", turn["utterance"])
        for turn in turns
    )


def _calm(said: Sequence[Line], language: Language, offset: int, every: int) -> Iterator[Row]:
    for index, line in enumerate(_until_danger(said, language)):
        if line.role == "client" and (index // 2) % every == offset:
            history = tuple(said[max(0, index - 4) : index])
            yield Row(
                language, line.text, history, False, RiskLevel.NONE, Category.NONE, "ordinary_turn"
            )


def _until_danger(said: Iterable[Line], language: Language) -> Iterator[Line]:
    rules = read_rules(language)
    for line in said:
        found = rules.statements(normalise(line.text))
        if any(report.level is not RiskLevel.NONE for report in found):
            return
        yield line


if __name__ == "__main__":
    # `make screen` asks which files judge.
    print(*(CORPUS / f"screen_{name}.jsonl" for name in JUDGING))

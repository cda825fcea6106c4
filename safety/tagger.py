"""The two taggers at work: which stretches of a message look like personal data, and how surely.

Our own small networks in ONNX files, run in this process on one thread. They were trained by
`safety.train.tagger`; their card is in safety/tagger/README.md.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple, Protocol, cast

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from safety.surrogates import Kind

HERE = Path(__file__).parent / "tagger"
LONGEST = {"en": 700, "zh": 500}
"""Code points read at once; longer messages are cut at a blank or a mark."""
MOST_PIECES = 512
"""What the English network has room for; Chinese characters and marks are a piece each."""
WORD = re.compile(r"[^\W㐀-鿿]+(?:['’][^\W㐀-鿿]+)?")
LETTERS = re.compile(r"\w+")
JOINT = re.compile(r"[\s.,'’&/#-]{0,3}")
KINDS = tuple(Kind)
LABELS = ("O", *(f"{place}-{kind}" for kind in KINDS for place in "BI"))
"""Outside; begin and inside of each kind. Their order is baked into the committed models."""
LOWER, TITLE, UPPER, MIXED = range(4)
Scores = NDArray[np.float32]


class Session(Protocol):
    """A network that is loaded: rows of numbers in, label scores out."""

    def run(self, names: list[str], feeds: dict[str, NDArray[np.int64]]) -> Sequence[Scores]: ...


class Tagged(NamedTuple):
    """A word (Chinese: a character) and what it seems to be part of."""

    start: int
    end: int
    kind: Kind
    score: float
    """Probability that it is personal data at all, 0-1."""
    begins: bool
    """Whether it starts a name rather than going on with one."""


@dataclass(frozen=True, slots=True)
class EnglishTagger:
    """Reads words in Latin script; also those inside a Chinese message."""

    session: Session
    pieces: Tokenizer

    def read(self, text: str) -> list[Tagged]:
        """Every word with its likeliest kind and its score, in order."""
        found: list[Tagged] = []
        for offset, part, encoded in self._fitting(text, LONGEST["en"]):
            case = cases(part)
            case_ids = [case[a] if b > a else 0 for a, b in encoded.offsets]
            chances = _chances(self.session, encoded.ids, case_ids)
            found += _words(part, offset, encoded.offsets, chances)
        return found

    def _fitting(self, text: str, longest: int) -> Iterator[tuple[int, str, Encoding]]:
        """The text in parts that the network has room for, and where each begins."""
        for offset, part in _parts(text, longest):
            encoded = self.pieces.encode(part)
            if len(encoded.ids) <= MOST_PIECES:
                yield offset, part, encoded
            else:
                halves = self._fitting(part, (len(part) + 1) // 2)
                yield from ((offset + start, half, read) for start, half, read in halves)


@dataclass(frozen=True, slots=True)
class ChineseTagger:
    """Reads characters."""

    session: Session
    numbers: dict[str, int]

    def read(self, text: str) -> list[Tagged]:
        """Every character with its likeliest kind and its score, in order."""
        found: list[Tagged] = []
        for offset, part in _parts(text, LONGEST["zh"]):
            chances = _chances(self.session, [self.numbers.get(c, 0) for c in part], None)
            for place, row in enumerate(chances):
                found.append(_tagged(offset + place, offset + place + 1, row[None]))
        return found


@cache
def load_english_tagger() -> EnglishTagger:
    """The shipped tagger of words in Latin script.

    Raises: OSError when its files are missing.
    """
    session = _session("en.onnx")
    return EnglishTagger(session, Tokenizer.from_file(str(HERE / "en_tokenizer.json")))


@cache
def load_chinese_tagger() -> ChineseTagger:
    """The shipped tagger of Chinese characters.

    Raises: OSError when its files are missing.
    """
    characters = json.loads((HERE / "zh_characters.json").read_text(encoding="utf-8"))
    return ChineseTagger(_session("zh.onnx"), {c: i for i, c in enumerate(characters, 1)})


def _session(name: str) -> Session:
    options = onnxruntime.SessionOptions()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - no types shipped
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    made = onnxruntime.InferenceSession(
        (HERE / name).read_bytes(),
        options,  # pyright: ignore[reportUnknownArgumentType] - as above
        providers=["CPUExecutionProvider"],
    )
    return cast(Session, made)


def joined(text: str, tagged: list[Tagged]) -> list[Tagged]:
    """Neighbours of one kind as one span; a new beginning starts a new one."""
    spans: list[Tagged] = []
    for one in tagged:
        last = spans[-1] if spans else None
        if last and last.kind is one.kind and _together(text[last.end : one.start], one):
            spans[-1] = last._replace(end=one.end, score=max(last.score, one.score))
        else:
            spans.append(one)
    return spans


def _together(gap: str, one: Tagged) -> bool:
    if one.begins and one.kind is Kind.PERSON:
        return False
    return JOINT.fullmatch(gap) is not None and "\n" not in gap


def _parts(text: str, longest: int) -> list[tuple[int, str]]:
    parts: list[tuple[int, str]] = []
    start = 0
    while len(text) - start > longest:
        window = text[start : start + longest]
        cut = max(window.rfind(mark) for mark in (" ", "\n", "。", "，", "."))
        end = start + (cut + 1 if cut > longest // 2 else longest)
        parts.append((start, text[start:end]))
        start = end
    return [*parts, (start, text[start:])] if text[start:] else parts


def _chances(session: Session, ids: list[int], case_ids: list[int] | None) -> Scores:
    feed = {"ids": np.array([ids], dtype=np.int64)}
    if case_ids is not None:
        feed["cases"] = np.array([case_ids], dtype=np.int64)
    scores = session.run(["scores"], feed)[0][0]
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _words(part: str, offset: int, offsets: list[tuple[int, int]], chances: Scores) -> list[Tagged]:
    found: list[Tagged] = []
    at = 0
    for word in WORD.finditer(part):
        rows: list[int] = []
        while at < len(offsets) and offsets[at][0] < word.end():
            if offsets[at][1] > word.start() and offsets[at][1] > offsets[at][0]:
                rows.append(at)
            at += 1
        if rows:
            found.append(_tagged(offset + word.start(), offset + word.end(), chances[rows]))
    return found


def _tagged(start: int, end: int, rows: Scores) -> Tagged:
    begin, inside = rows[:, 1::2], rows[:, 2::2]
    kinds = (begin + inside).sum(axis=0)
    best = int(kinds.argmax())
    begins = bool(begin[0, best] > inside[0, best])
    return Tagged(start, end, KINDS[best], float(1 - rows[:, 0].min()), begins)


def cases(text: str) -> list[int]:
    """For each code point the case of the word that it is in: lower, title, upper or mixed."""
    found = [LOWER] * len(text)
    for word in LETTERS.finditer(text):
        start, end = word.span()
        found[start:end] = [_case(word.group())] * (end - start)
    return found


def _case(word: str) -> int:
    if word.islower() or not word.upper().isupper():
        return LOWER
    if word.isupper() and len(word) > 1:
        return UPPER
    plain = len(word) == 1 or word[1:].islower()
    return TITLE if word[0].isupper() and plain else MIXED

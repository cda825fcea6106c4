"""Rows the tagger learns from: the corpora, and variations with other names, cases and typos.

Only for training; every choice comes from the `Random` that the caller seeds.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

from safety.evaluate_scrub import MarkedRow
from safety.names import lines
from safety.persons import HAN
from safety.surrogates import Kind

CORPUS = Path(__file__).parents[1] / "corpus"
KEPT_AS_IT_IS = 0.2
TITLE = re.compile(
    r"\b(?:dr|mr|mrs|ms|miss|coach|prof|professor|officer|pastor|judge)\.?\s+$", re.I
)
INITIALS = re.compile(r"(?:[A-Za-z][.\- ]?){1,3}")


class Piece(NamedTuple):
    """A stretch of a message: ordinary words, or personal data of one kind."""

    text: str
    kind: Kind | None


@dataclass(frozen=True, slots=True)
class Row:
    """One message of a corpus, cut into pieces."""

    id: str
    language: str
    pieces: tuple[Piece, ...]
    keep: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The whole message."""
        return "".join(piece.text for piece in self.pieces)


def read(name: str) -> tuple[Row, ...]:
    """All rows of one file of the corpus folder."""
    with (CORPUS / name).open(encoding="utf-8") as file:
        return tuple(_row(MarkedRow.model_validate_json(line)) for line in file if line.strip())


def _row(marked: MarkedRow) -> Row:
    text = marked.text
    pieces: list[Piece] = []
    end = 0
    for span in sorted(marked.spans, key=lambda one: one.start):
        pieces.append(Piece(text[end : span.start], None))
        pieces.append(Piece(text[span.start : span.end], span.type))
        end = span.end
    pieces.append(Piece(text[end:], None))
    return Row(marked.id, marked.lang, tuple(p for p in pieces if p.text), marked.keep)


def vary(row: Row, rng: Random) -> Row:
    """The same message about other people and places, perhaps typed by somebody else."""
    chosen: dict[str, str] = {}
    pieces: list[Piece] = []
    for piece in row.pieces:
        text = piece.text
        if piece.kind is not None:
            before = pieces[-1].text if pieces else ""
            if text not in chosen:
                chosen[text] = _other(text, piece.kind, before, rng)
            text = chosen[text]
        pieces.append(Piece(text, piece.kind))
    if row.language == "en":
        pieces = _typed(pieces, rng)
    return Row(row.id, row.language, tuple(pieces), ())


def _other(text: str, kind: Kind, before: str, rng: Random) -> str:
    if rng.random() < KEPT_AS_IT_IS:
        return text
    han = bool(HAN.search(text))
    if kind is Kind.PERSON:
        return _person_zh(text, rng) if han else _person_en(text, before, rng)
    if kind is Kind.LOCATION:
        return _place(text, han, rng)
    if kind is Kind.ORGANIZATION:
        return _organization(text, han, rng)
    return re.sub(r"[0-9]", lambda _: str(rng.randrange(10)), text)


def _person_en(text: str, before: str, rng: Random) -> str:
    if INITIALS.fullmatch(text):
        return re.sub(r"[A-Za-z]", lambda found: _letter(found.group(), rng), text)
    words = text.split(" ")
    title = bool(TITLE.search(before))
    made = [
        _name(word, i > 0 or (title and rng.random() < 0.8), rng) for i, word in enumerate(words)
    ]
    return " ".join(made)


def _letter(letter: str, rng: Random) -> str:
    made = rng.choice("ABCDEFGHJKLMNOPQRSTVWYZ")
    return made if letter.isupper() else made.lower()


def _name(word: str, last: bool, rng: Random) -> str:
    made = rng.choice(_last_names()) if last else rng.choice(_first_names())
    if word.islower():
        return made.lower()
    return made.upper() if word.isupper() and len(word) > 1 else made


def _person_zh(text: str, rng: Random) -> str:
    surname, given = rng.choice(_surnames()), rng.choice(lines("given_names_zh.txt"))
    if text[0] in "小老阿大" and len(text) == 2:
        return text[0] + (surname if len(surname) == 1 else rng.choice(given))
    if len(text) == 2 and text[1] in "姐哥总叔姨":
        return surname + text[1]
    if len(text) == 2 and text[0] == text[1]:
        return rng.choice(given) * 2
    if len(text) == 1:
        return surname[0]
    if len(text) == 2:
        return given if text[0] not in _surnames() else surname[0] + rng.choice(given)
    return surname + given if len(text) in {3, 4} and text[0] in _surnames() else text


SHAPES_ZH = (
    "小王",
    "老李",
    "王姐",
    "刘哥",
    "张总",
    "佳佳",
    "婉清",
    "李伟",
    "李婉清",
    "婉清",
    "李婉清",
    "阿芳",
)
SHAPES_EN = ("Mia", "Mia", "Mia", "Mia", "Mia", "Mia Lopez", "Mrs Lopez", "J", "J.", "JR")


def person(han: bool, rng: Random) -> str:
    """Some person's name as people write it."""
    if han:
        return _person_zh(rng.choice(SHAPES_ZH), rng)
    return _person_en(rng.choice(SHAPES_EN).removeprefix("Mrs "), "", rng)


def place(han: bool, rng: Random) -> str:
    """Some town's name."""
    return rng.choice(lines("places_zh.txt" if han else "places_en.txt"))


def organization(han: bool, rng: Random) -> str:
    """Some employer's, school's or clinic's name."""
    shape = rng.choice(lines("organizations_zh.txt" if han else "organizations_en.txt"))
    return shape.format(
        last=rng.choice(_surnames() if han else _last_names()),
        first=rng.choice(_first_names()),
        place=place(han, rng),
        given=rng.choice(lines("given_names_zh.txt")),
        n=rng.choice("一二三四五六七八九"),
    )


def _place(text: str, han: bool, rng: Random) -> str:
    if re.search(r"[0-9]", text) or (han and len(text) > 5):
        return re.sub(r"[0-9]", lambda _: str(rng.randrange(10)), text)
    return _like(place(han, rng), text)


def _organization(text: str, han: bool, rng: Random) -> str:
    return text if rng.random() < 0.4 else _like(organization(han, rng), text)


def _like(made: str, text: str) -> str:
    return made.lower() if text.islower() else made.upper() if text.isupper() else made


def _typed(pieces: Sequence[Piece], rng: Random) -> list[Piece]:
    way = rng.random()
    change = str.lower if way < 0.35 else str.upper if way < 0.4 else str
    typos = rng.random() < 0.25
    bare = rng.random() < 0.15
    made: list[Piece] = []
    for piece in pieces:
        text = change(piece.text)
        text = _misspelt(text, rng) if typos and piece.kind in {None, *_WORDY} else text
        text = re.sub(r"['’,.!?]", "", text) if bare and piece.kind is None else text
        made.append(Piece(text, piece.kind))
    return [piece for piece in made if piece.text]


_WORDY = (Kind.PERSON, Kind.LOCATION, Kind.ORGANIZATION)


def _misspelt(text: str, rng: Random) -> str:
    def slip(found: re.Match[str]) -> str:
        word = found.group()
        if rng.random() > 0.12:
            return word
        i = rng.randrange(1, len(word) - 1)
        ways = (word[:i] + word[i + 1] + word[i] + word[i + 2 :], word[:i] + word[i + 1 :])
        return rng.choice((*ways, word[:i] + word[i] + word[i:]))

    return re.sub(r"[A-Za-z]{4,}", slip, text)


@cache
def _first_names() -> tuple[str, ...]:
    return tuple(line.rsplit(" ", 1)[0] for line in lines("first_names.txt"))


@cache
def _last_names() -> tuple[str, ...]:
    return lines("last_names.txt")


@cache
def _surnames() -> tuple[str, ...]:
    """Surnames, the common ones more often."""
    names = lines("surnames_zh.txt")
    return names[:100] * 8 + names[100:250] * 2 + names[250:]

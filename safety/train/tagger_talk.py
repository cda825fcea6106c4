"""Puts people and places into ordinary talk: where it says ``she`` or ``at work``, a name.

Only for training. It makes many natural contexts out of messages that name nobody.
"""

import re
from random import Random

from safety.surrogates import Kind
from safety.train.tagger_rows import Piece, Row, organization, person, place

PLACES_EN = (
    (
        Kind.PERSON,
        re.compile(
            r"\b(?:he|she|him|my (?:friend|sister|brother|boss|ex|mate|husband|wife"
            r"|boyfriend|girlfriend|roommate|cousin|partner|mum|mom|dad))\b",
            re.I,
        ),
    ),
    (
        Kind.ORGANIZATION,
        re.compile(r"(?<=\bat )(?:work|school|uni|college)\b|\b(?:the hospital|my job)\b", re.I),
    ),
    (
        Kind.LOCATION,
        re.compile(
            r"(?<=\bin )(?:town|the city|this town)\b|\bback home\b|(?<=\bmoved )here\b", re.I
        ),
    ),
)
PLACES_ZH = (
    (
        Kind.PERSON,
        re.compile(
            r"[他她](?!们)|(?:我|个)(?:朋友|同学|室友|男朋友|女朋友|同事|领导|老板|弟弟|妹妹|女儿|儿子|前任|闺蜜|老公|老婆|姐姐|哥哥|对象)(?![们说])"
        ),
    ),
    (Kind.ORGANIZATION, re.compile(r"(?<=[在去到])(?:公司|单位|学校|医院)(?!里)")),
    (Kind.LOCATION, re.compile(r"(?<=[在回去来到])(?:家里?|老家|外地|这边|这里)(?![人庭])")),
)
AFTER_RELATION = 0.5


def inhabit(row: Row, rng: Random) -> Row:
    """The same message with names for some of the people and places that it only points at."""
    places = PLACES_EN if row.language == "en" else PLACES_ZH
    lower = row.text == row.text.lower()
    chosen: dict[str, str] = {}
    share = rng.choice((0.2, 0.5, 0.9))
    pieces: list[Piece] = []
    for piece in row.pieces:
        if piece.kind is not None:
            pieces.append(piece)
            continue
        hits = sorted(
            (found.start(), found.end(), kind, found.group())
            for kind, pattern in places
            for found in pattern.finditer(piece.text)
        )
        end = 0
        for start, stop, kind, said in hits:
            if start < end or rng.random() > share:
                continue
            name = chosen.setdefault(said.lower(), _named(kind, row.language, lower, rng))
            kept = said + (" " if row.language == "en" else "") if _relation(said, rng) else ""
            kept += "in " if said.lower() == "my job" else ""
            pieces += [Piece(piece.text[end:start] + kept, None), Piece(name, kind)]
            end = stop
        pieces.append(Piece(piece.text[end:], None))
    return Row(row.id, row.language, tuple(one for one in pieces if one.text))


def _relation(said: str, rng: Random) -> bool:
    return len(said) > 3 and said[0] in "mM我个" and rng.random() < AFTER_RELATION


def _named(kind: Kind, language: str, lower: bool, rng: Random) -> str:
    han = language == "zh" and (rng.random() < 0.95 or kind is not Kind.PERSON)
    if kind is Kind.PERSON:
        made = person(han, rng)
    else:
        made = place(han, rng) if kind is Kind.LOCATION else organization(han, rng)
    return made.lower() if lower else made

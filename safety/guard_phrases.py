"""Ways of saying what a draft must not say, per check; data for the guard, English and Chinese."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict, cast

_FOLDER = Path(__file__).parent / "lexicons"
_FILES = ("replies_en.toml", "replies_zh.toml")
_NAMED = re.compile(r"%(\w+)%")
"""A set of words, named in a pattern."""


class _Row(TypedDict):
    reason: str
    patterns: list[str]


def _read(name: str) -> tuple[Mapping[str, Sequence[_Row]], Mapping[str, Sequence[str]]]:
    """Every check's rows, and what is spared of it, with the named words put in."""
    found = tomllib.loads((_FOLDER / name).read_text(encoding="utf-8"))
    words = cast(dict[str, str], found.pop("words"))
    spared = cast(dict[str, list[str]], found.pop("spared"))
    for row in (row for rows in cast(dict[str, list[_Row]], found).values() for row in rows):
        row["patterns"] = [_filled(source, words) for source in row["patterns"]]
    return found, {check: [_filled(one, words) for one in rows] for check, rows in spared.items()}


def _filled(source: str, words: Mapping[str, str]) -> str:
    while _NAMED.search(source):
        source = _NAMED.sub(lambda named: words[named[1]], source)
    return source


_TWINS = {"，": "，,", "？": "？?", "！": "！!", "；": "；;", "：": "：:"}
"""A line is read in plain width, too: there a mark of double width is its plain twin."""
_CLASS = re.compile(r"\[(?:\\.|[^\]\\])*\]|[，？！；：]")


def _compiled(source: str) -> re.Pattern[str]:
    return re.compile(_CLASS.sub(_with_twins, source), re.IGNORECASE)


def _with_twins(marks: re.Match[str]) -> str:
    said = "".join(_TWINS.get(char, char) for char in marks[0])
    return said if marks[0][0] == "[" else f"[{said}]"


_READ = tuple(map(_read, _FILES))
PHRASES: dict[str, tuple[tuple[re.Pattern[str], str], ...]] = {
    check: tuple(
        (_compiled(source), row["reason"])
        for rows, _ in _READ
        for row in rows[check]
        for source in row["patterns"]
    )
    for check in _READ[0][0]
}
"""What each check looks for, with its reason. A group `label` holds what a client may have said."""
SPARED: dict[str, tuple[re.Pattern[str], ...]] = {
    check: tuple(_compiled(source) for _, spared in _READ for source in spared.get(check, ()))
    for check in PHRASES
}
"""What is cut out of a line before a check looks: the words of others, and the way to a doctor."""
ASKED = re.compile(
    r"[?？]|^\W*(?:do|does|am|is|are|can|should)\b|n't|吗|是不是|会不会|是否|怀疑|担心|害怕|怕|可能|也许|没有|不是"
    r"|\b(?:might|may|could|maybe|perhaps|wonder|whether|if|afraid|worried|scared|not|never|think"
    r"|guess|feels?|sounds?|seems?|online|quiz)\b",
    re.IGNORECASE,
)
"""A client's sentence that only asks or fears: what it names is not yet the client's own label."""
NOT_NAMES = frozenset(
    {
        *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
        *("january", "february", "march", "april", "may", "june", "july", "august"),
        *("september", "october", "november", "december", "christmas", "easter", "thanksgiving"),
        *("ramadan", "diwali", "eid", "hanukkah", "new", "year", "eve", "spring", "festival"),
        *(
            "ta",
            "app",
            "tiktok",
            "whatsapp",
            "wechat",
            "instagram",
            "youtube",
            "facebook",
            "google",
        ),
        *("cbt", "god", "english", "chinese", "spanish", "french", "german", "mandarin", "ok"),
        *("mum", "mom", "mam", "mummy", "mommy", "mama", "mother", "ma", "dad", "daddy", "papa"),
        *("pa", "father", "gran", "granny", "grandma", "grandmother", "grandad", "granddad"),
        *("grandpa", "grandfather", "nan", "nana", "nanna", "auntie", "aunty", "aunt", "uncle"),
        *("sis", "bro", "mr", "mrs", "ms", "mx", "dr", "prof", "st"),
    }
)
"""Capitalised words inside a sentence that name nobody: days, feasts, languages, kin, titles."""

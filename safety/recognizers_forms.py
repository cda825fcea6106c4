"""Structured personal data, found by its form and by the words before it. Pure."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from safety.names import words
from safety.recognizers_numbers import find_numbers
from safety.recognizers_patterns import PATTERNS
from safety.surrogates import Kind

SENTENCE_END = ".,;:!?'\"，。；！？、）)"
"""Marks that close the sentence around an address, not the address."""
SHORTEST_URL = 10


class Form(NamedTuple):
    """Personal data by form; code points."""

    start: int
    end: int
    kind: Kind


def find_forms(text: str) -> list[Form]:
    """All structured personal data; earlier finds keep later ones out of their place."""
    found: list[Form] = []
    taken = bytearray(len(text))
    for one in _candidates(text):
        if one.end > one.start and not any(taken[one.start : one.end]):
            taken[one.start : one.end] = b"\1" * (one.end - one.start)
            found.append(one)
    return found


def _candidates(text: str) -> Iterator[Form]:
    for kind, pattern in PATTERNS:
        for found in pattern.finditer(text):
            start, end = found.span(found.lastgroup or 0)
            while end > start and text[end - 1] in SENTENCE_END:
                end -= 1
            if kind is not Kind.URL or _is_url(text[start:end]):
                yield Form(start, end, kind)
    yield from _births(text)
    yield from _handles(text)
    for start, end, kind in find_numbers(text):
        yield Form(start, end, kind)


def _is_url(url: str) -> bool:
    """A full stop without a space (``home.me too``) is no address."""
    dotted = url.lower().startswith("www.") or url.count(".") > 1
    return "/" in url or dotted or len(url) >= SHORTEST_URL


# A handle of letters alone looks like a word: it must be said to be one, and be none.

_SITE = (
    r"(?:insta(?:gram)?|ig|snap(?:chat)?|discord|twitter|tik ?tok|reddit|twitch|telegram|tumblr"
    r"|steam|psn|xbox|venmo|roblox|kik|onlyfans)"
)
_HANDLE = re.compile(
    rf"(?:\bmy (?:{_SITE} )?(?:(?:user|screen) ?name|gamer ?tag|handle)(?:['’]?s| is|:)\s+"
    rf"|\bmy {_SITE}(?: name| id)?(?:['’]s| is|:)\s+|\badd (?:my {_SITE}|me on {_SITE}:?) "
    rf"|\bfind me on {_SITE} (?:as|at|under) )(?P<x>[a-z][a-z0-9_.]{{4,}})(?![A-Za-z0-9@'’-])",
    re.I,
)


def _handles(text: str) -> Iterator[Form]:
    for found in _HANDLE.finditer(text):
        said = found["x"].casefold().rstrip(".")
        if said not in words("common_en.txt") and said not in words("keep_en.txt"):
            yield Form(*found.span("x"), Kind.USERNAME)


# Dates of birth: a date is ordinary talk unless a word of birth stands beside it.

_LATIN_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_ORDINAL = (
    r"(?:(?:(?:twenty|thirty)[\s-])?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)"
    r"|tenth|eleventh|twelfth|(?:thir|four|fif|six|seven|eigh|nine)teenth|twentieth|thirtieth)\b"
)
_DATE = (
    r"(?:\d{1,4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{1,4}"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_LATIN_MONTH}\.?,?\s+(?:\d{{4}}|'?\d{{2}})"
    rf"|(?:{_ORDINAL}\s+(?:of\s+)?{_LATIN_MONTH}|{_LATIN_MONTH}\s+(?:the\s+)?{_ORDINAL})(?:,?\s+\d{{4}})?"
    rf"|{_LATIN_MONTH}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+(?:\d{{4}}|'?\d{{2}})(?!\d)"
    r"|(?:\d{2,4}|[〇零一二三四五六七八九]{2,4})年\s?(?:\d{1,2}|[一二三四五六七八九十冬腊正]{1,3})月"
    r"(?:\s?(?:\d{1,2}|[初一二三四五六七八九十廿]{1,3})[日号號]?)?)"
)
_DAY_OF_YEAR = (
    r"(?:(?:\d{1,2}|[一二三四五六七八九十冬腊正]{1,3})月"
    r"(?:\d{1,2}|[初一二三四五六七八九十廿]{1,3})[日号號]?"
    rf"|\d{{1,2}}[/.-]\d{{1,2}}|{_LATIN_MONTH}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_LATIN_MONTH}(?![a-z]))"
)
_MONTH_OF_YEAR = rf"{_LATIN_MONTH}\.?,?\s+(?:of\s+)?(?:19|20)\d{{2}}(?!\d)"
_BIRTH_BEFORE = re.compile(
    r"(?:\bborn(?:\s+(?:on|in))?|birth ?day|\bb-?day|\bd\.?\s?o\.?\s?b\.?|date of birth|birth ?date"
    r"|\bbirth|borthday|brithday|出生(?:日期|于|在)?|生日|生于|生在|生辰)"
    r"(?:['’]?s|\s|is|was|on|it|the|my|next|this|week|是|为|：|:|=|,|，|\)|\(|（|）|农历|阴历|阳历){0,9}?"
    rf"(?P<x>{_DATE}|{_DAY_OF_YEAR}|{_MONTH_OF_YEAR}|(?<!\bin )\d{{4,8}})",
    re.I,
)
_BIRTH_AFTER = re.compile(
    rf"(?<![\d/.-])(?P<x>{_DATE}|{_DAY_OF_YEAR})\s?"
    r"(?:is my (?:birth ?day|b-?day)|(?:是我的?|我过|的)?生日|我?过生日|出生|生的|生人"
    r"|[,，]?\s?(?:my birthday|dob))",
    re.I,
)
_BIRTH_WORD = re.compile(r"birth|b-?day|dob|生", re.I)
_BORN_IN = re.compile(
    r"[我他她]是(?P<x>(?:\d{2}|\d{4}|[〇零一二三四五六七八九]{2,4})年(?:\d{1,2}|[一二三四五六七八九十]{1,3})月"
    r"(?:(?:\d{1,2}|[初一二三四五六七八九十廿]{1,3})[日号號]?)?)的(?=[，。,.！!？?\s]|$)"
)
"""我是1997年12月的: what somebody is of is what somebody was born in."""


def _births(text: str) -> Iterator[Form]:
    # Dates are looked for from every letter on: that is slow, and hardly ever of use.
    after = (_BIRTH_AFTER,) if _BIRTH_WORD.search(text) else ()
    for pattern in (_BIRTH_BEFORE, *after, _BORN_IN):
        for found in pattern.finditer(text):
            yield Form(*found.span("x"), Kind.DATE_OF_BIRTH)

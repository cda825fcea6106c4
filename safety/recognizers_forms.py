"""Structured personal data, found by its form and by the words before it. Pure."""

import re
from collections.abc import Iterator
from typing import NamedTuple

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
    for start, end, kind in find_numbers(text):
        yield Form(start, end, kind)


def _is_url(url: str) -> bool:
    """A full stop without a space (``home.me too``) is no address."""
    dotted = url.lower().startswith("www.") or url.count(".") > 1
    return "/" in url or dotted or len(url) >= SHORTEST_URL


# Dates of birth: a date is ordinary talk unless a word of birth stands beside it.

_LATIN_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_DATE = (
    r"(?:\d{1,4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{1,4}"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_LATIN_MONTH}\.?,?\s+(?:\d{{4}}|'?\d{{2}})"
    rf"|{_LATIN_MONTH}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+(?:\d{{4}}|'?\d{{2}})(?!\d)"
    r"|(?:\d{2,4}|[〇零一二三四五六七八九]{2,4})年\s?(?:\d{1,2}|[一二三四五六七八九十冬腊正]{1,3})月"
    r"(?:\s?(?:\d{1,2}|[初一二三四五六七八九十廿]{1,3})[日号號]?)?)"
)
_SHORT_DATE = (
    r"(?:(?:\d{1,2}|[一二三四五六七八九十冬腊正]{1,3})月"
    r"(?:\d{1,2}|[初一二三四五六七八九十廿]{1,3})[日号號]?"
    rf"|\d{{1,2}}[/.-]\d{{1,2}}|\d{{4,8}}|{_LATIN_MONTH}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_LATIN_MONTH}(?![a-z]))"
)
_BIRTH_BEFORE = re.compile(
    r"(?:\bborn(?:\s+on)?|birth ?day|\bb-?day|\bd\.?\s?o\.?\s?b\.?|date of birth|birth ?date"
    r"|\bbirth|borthday|brithday|出生(?:日期|于|在)?|生日|生于|生在|生辰)"
    r"(?:['’]?s|\s|is|was|on|it|the|my|是|为|：|:|=|,|，|\)|\(|（|）|农历|阴历|阳历){0,7}?"
    rf"(?P<x>{_DATE}|{_SHORT_DATE})",
    re.I,
)
_BIRTH_AFTER = re.compile(
    rf"(?P<x>{_DATE})\s?"
    r"(?:is my (?:birth ?day|bday)|出生|生日|生的|的生日|生人|[,，]?\s?(?:my birthday|dob))",
    re.I,
)


def _births(text: str) -> Iterator[Form]:
    for pattern in (_BIRTH_BEFORE, _BIRTH_AFTER):
        for found in pattern.finditer(text):
            yield Form(*found.span("x"), Kind.DATE_OF_BIRTH)

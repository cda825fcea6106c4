"""Stand-ins for personal data: the mapping of one session, and the way back from it.

Pure: no clock, ids, randomness or files. The mapping is a value. It comes in with a message, goes
out with it and is kept in the session's sealed log, so every replica and every restart sees the
same stand-ins.
"""

import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

NOT_IN_WORD_BEFORE = r"(?-i:(?<![^\W㐀-鿿]))"
NOT_IN_WORD_AFTER = r"(?-i:(?![^\W㐀-鿿]))"
"""A stand-in ends where a word ends; Chinese has no such ends, so its characters do not count.

In any case of letters the same, and several times as fast to compile as where case is ignored.
"""

_LATIN_NAME = re.compile(r"[^\W\d_㐀-鿿]+")
_HAN_NAME = re.compile(r"[㐀-鿿]{3}")
"""A surname of one character and a given name of two, by far the most of Chinese full names."""

SHORTEST_FOLDED = 3
"""Shorter stand-ins (initials) are found in their own case only: ``r u ok`` names nobody."""


class Kind(StrEnum):
    """What sort of personal data a span holds. The words are those of the scrub corpus."""

    PERSON = "PERSON"
    LOCATION = "LOCATION"
    ORGANIZATION = "ORGANIZATION"
    PHONE_NUMBER = "PHONE_NUMBER"
    EMAIL_ADDRESS = "EMAIL_ADDRESS"
    URL = "URL"
    USERNAME = "USERNAME"
    ID_NUMBER = "ID_NUMBER"
    FINANCIAL = "FINANCIAL"
    DATE_OF_BIRTH = "DATE_OF_BIRTH"
    IP_ADDRESS = "IP_ADDRESS"
    WECHAT_QQ = "WECHAT_QQ"


NAMED = frozenset({Kind.PERSON, Kind.LOCATION, Kind.ORGANIZATION})
"""Kinds that are names: learnt by a tagger. All others are structured: found by their form."""


class Surrogate(NamedTuple):
    """One written form and what stands in for it."""

    original: str
    stand_in: str
    kind: Kind
    person: str
    """Who or what is meant, ``PERSON-2``: one for all aliases, nicknames and scripts."""


@dataclass(frozen=True, slots=True)
class Surrogates:
    """All stand-ins of one session, in the order in which they were given out."""

    seed: str = ""
    """Makes two sessions choose differently; the session's id will do. Never random here."""
    rows: tuple[Surrogate, ...] = ()

    def to_rows(self) -> tuple[tuple[str, str, str, str], ...]:
        """Plain strings for the log: original, stand-in, kind, person."""
        return tuple((row.original, row.stand_in, str(row.kind), row.person) for row in self.rows)

    @classmethod
    def from_rows(cls, rows: Iterable[Sequence[str]], seed: str = "") -> "Surrogates":
        """The mapping that `to_rows` wrote down.

        Raises: ValueError for a row that is not four strings or has an unknown kind.
        """
        return cls(
            seed, tuple(Surrogate(one, two, Kind(three), four) for one, two, three, four in rows)
        )

    @property
    def originals(self) -> frozenset[str]:
        """Every real form seen so far, case folded."""
        return frozenset(row.original.casefold() for row in self.rows)

    @property
    def spoken(self) -> frozenset[str]:
        """Every real form, and the parts of it that a person may be called by, case folded."""
        whole = self.originals
        words = (word for form in whole for word in _LATIN_NAME.findall(form))
        return whole.union(words, (form[1:] for form in whole if _HAN_NAME.fullmatch(form)))

    @property
    def stand_ins(self) -> frozenset[str]:
        """Every stand-in given out so far, case folded."""
        return frozenset(row.stand_in.casefold() for row in self.rows)

    def with_rows(self, rows: Iterable[Surrogate]) -> "Surrogates":
        """The same mapping with more rows at its end."""
        return Surrogates(self.seed, (*self.rows, *rows))


def restore(text: str, surrogates: Surrogates) -> str:
    """Puts the client's own words back wherever a stand-in stands.

    Exact for scrubbed text. In a model's text also for other cases (``DAVID``) and endings
    (``David's``, ``Davids``); the original then takes over the case that the model wrote. Whoever
    was named in full may be called by a part of the name: ``Adelaide``, of ``Adelaide Winslow``.
    """
    if not surrogates.rows:
        return text
    finder = _finder(surrogates.rows)
    return finder.pattern.sub(lambda found: finder.original(found.group()), text)


def find_stand_ins(text: str, surrogates: Surrogates) -> tuple[tuple[int, int], ...]:
    """Where `restore` would write something else, as code point ranges."""
    if not surrogates.rows:
        return ()
    return tuple(found.span() for found in _finder(surrogates.rows).pattern.finditer(text))


class _Finder(NamedTuple):
    pattern: re.Pattern[str]
    exact: dict[str, str]
    folded: dict[str, str]

    def original(self, found: str) -> str:
        known = self.exact.get(found)
        return like(self.folded[found.casefold()], found) if known is None else known


@lru_cache(maxsize=256)
def _finder(rows: tuple[Surrogate, ...]) -> _Finder:
    exact: dict[str, str] = {}
    folded: dict[str, str] = {}
    for row in rows:
        exact.setdefault(row.stand_in, row.original)
        folded.setdefault(row.stand_in.casefold(), row.original)
    whole = frozenset(exact)
    for row in rows:
        for real, part in _name_parts(row) if row.kind is Kind.PERSON else ():
            if part.casefold() not in folded:
                exact.setdefault(part, real)
    longest_first = sorted(exact, key=lambda form: (-len(form), form))
    # One pair of edges for many forms: to compile each with its own takes milliseconds a form.
    runs = groupby(longest_first, key=lambda form: (_latin(form[0]), _latin(form[-1])))
    pattern = "|".join(_bounded(forms, whole, *edges) for edges, forms in runs)
    return _Finder(re.compile(pattern), exact, folded)


def _name_parts(row: Surrogate) -> Iterable[tuple[str, str]]:
    """The parts of a name in full beside those of its stand-in, where they go by pairs."""
    real, made = _LATIN_NAME.findall(row.original), _LATIN_NAME.findall(row.stand_in)
    if len(real) == len(made) > 1:
        return [
            (one, two) for one, two in zip(real, made, strict=True) if len(two) >= SHORTEST_FOLDED
        ]
    if _HAN_NAME.fullmatch(row.original) and _HAN_NAME.fullmatch(row.stand_in):
        return [(row.original[1:], row.stand_in[1:])]
    return ()


def _bounded(forms: Iterable[str], whole: Container[str], begins: bool, ends: bool) -> str:
    """Any of the forms: ``begins`` and ``ends`` where theirs are letters of a word."""
    before = NOT_IN_WORD_BEFORE if begins else ""
    after = rf"(?=(?:s|es)?{NOT_IN_WORD_AFTER})" if ends else ""
    return f"{before}(?:{'|'.join(_quoted(form, form in whole) for form in forms)}){after}"


def _quoted(form: str, folding: bool) -> str:
    folds = folding and len(form) >= SHORTEST_FOLDED and form.isascii()
    return f"(?ai:{re.escape(form)})" if folds else re.escape(form)


def _latin(letter: str) -> bool:
    return (letter.isalnum() or letter == "_") and not "㐀" <= letter <= "鿿"


def like(original: str, written: str) -> str:
    """The original in the case of what was written: ``DAVID`` gives ``MICHAEL``."""
    if written.isupper() and len(written) > 1:
        return original.upper()
    if written.islower():
        return original.lower()
    if original.islower() and written[:1].isupper():
        return original.title()
    return original

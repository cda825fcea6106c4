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

TITLES = (
    "医生|醫生|大夫|护士长|护士|教授|律师|警官|老师|老師|导师|主任|经理|总监|老板|院长|校长|处长|科长|局长"
    "|师傅|教练|咨询师|督导|先生|女士|小姐|太太|阿姨|叔叔|伯伯|大爷|大妈|奶奶|爷爷|婆婆"
)
"""A pattern of words that follow a surname, the longer first; none is a part of the name."""
SURNAMES_GIVEN = (
    "澹台|濮阳|钟离|闾丘|公冶|[郜邬佟阚隋郗逄邝冼蔺闵郇臧缪亓鄢荀璩芮虞宓郏麴晏瞿阎逯咸蒯酆]"
)
"""A pattern of the Chinese surnames that are given out: rare signs, with which no word begins."""
_SURNAME = re.compile(SURNAMES_GIVEN)
_HAN_PAIR = re.compile(
    # 小王 beside 小瞿, 王姐 beside 瞿姐: the form of address is the same on both sides.
    r"(?P<before>[小老阿大]?)(?P<real>[㐀-鿿]{1,4}?)(?P<after>[㐀-鿿]*)"
    rf"\|(?P=before)(?P<surname>{SURNAMES_GIVEN})?(?P<given>[㐀-鿿]{{0,2}}?)(?P=after)"
)
_NO_NAME_AFTER_SMALL = "树溪川帆文琴"
"""小溪 is a brook and 小树 a young tree, whoever is called so."""
_TITLE_NEXT = re.compile(rf"{TITLES}|[姐哥弟妹]")
_ENDS_HERE = re.compile(r"(?![^\W的说和跟在是会让对把来去也都就很不有给被因吗呢吧])")
"""Where a familiar form surely ends: no 小敏 stands in 小敏感."""

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
    return finder.pattern.sub(finder.original, text)


def find_stand_ins(text: str, surrogates: Surrogates) -> tuple[tuple[int, int], ...]:
    """Where `restore` would write something else, as code point ranges."""
    if not surrogates.rows:
        return ()
    found = _finder(surrogates.rows).pattern.finditer(text)
    return tuple(one.span() for one in found if _is_name(one))


class _Finder(NamedTuple):
    pattern: re.Pattern[str]
    exact: dict[str, str]
    folded: dict[str, str]

    def original(self, found: re.Match[str]) -> str:
        said = found.group()
        if not _is_name(found):
            return said
        known = self.exact.get(said)
        return like(self.folded[said.casefold()], said) if known is None else known


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
    patterns = [_bounded(forms, whole, *edges) for edges, forms in runs]
    surnames, givens = _called(rows)
    for made, real in {**surnames, **givens}.items():
        exact.setdefault(made, real)
    # Only found here and judged by `_is_name`: sets of Chinese signs take a millisecond to compile.
    patterns.append(f"(?P<called>{'|'.join((*surnames, *givens)) or '(?!)'})")
    return _Finder(re.compile("|".join(patterns)), exact, folded)


def _called(rows: Iterable[Surrogate]) -> tuple[dict[str, str], dict[str, str]]:
    """What familiar forms are made of: surnames, and last signs of given names; to the real one."""
    surnames: dict[str, str] = {}
    givens: dict[str, str] = {}
    for row in rows:
        found = _HAN_PAIR.fullmatch(f"{row.original}|{row.stand_in}")
        if row.kind is not Kind.PERSON or found is None:
            continue
        real, surname, given = found["real"], found["surname"] or "", found["given"]
        if len(real) != len(surname) + len(given):
            continue
        if surname:
            surnames.setdefault(surname, real[: len(surname)])
        if given:
            givens.setdefault(given[-1], real[-1])
    return surnames, givens


def _is_name(found: re.Match[str]) -> bool:
    """Whether a lone sign is the name in 瞿先生, 小瞿, 阿泽, 小泽, 泽泽; other finds are one."""
    said = found["called"]
    if said is None:
        return True
    before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
    ends = _ENDS_HERE.match(found.string, found.end()) is not None
    if _SURNAME.fullmatch(said):
        return bool(_TITLE_NEXT.match(found.string, found.end())) or (
            before in {"小", "老"} and ends
        )
    if said in {before, after}:
        return True
    return ends and (before == "阿" or (before == "小" and said not in _NO_NAME_AFTER_SMALL))


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
    after = rf"(?=(?i:e?s)?{NOT_IN_WORD_AFTER})" if ends else ""
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

"""Stand-ins for people: one per person, whatever the alias, nickname, spelling or script.

A name is mapped word by word (Chinese: part by part), so that ``Mia Lopez``, ``Mia`` and ``LOPEZ``
keep belonging together after scrubbing, and siblings keep sharing a surname.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from hashlib import sha256
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

from safety.names import lines, readings
from safety.normalise import readable
from safety.surrogates import TITLES, Kind, Surrogate, Surrogates, like

WORD = re.compile(r"[^\W\d_㐀-鿿]+")
HAN = re.compile(r"[㐀-鿿]+")
CALLED_BEFORE = ("小", "老", "阿", "大")
CALLED_AFTER = (*TITLES.split("|"), "同学", *"姐哥弟妹总叔姨伯婶嫂爷奶婆公")
SHORTEST_MISSPELT = 5
LETTERS = "BCDEFGHJKLMNPRSTVWZ"


class FirstName(NamedTuple):
    """A first name to give out."""

    name: str
    gender: str
    """``f``, ``m`` or ``n`` for either."""
    others: tuple[str, ...]
    """Latin: two short forms. Chinese: the pinyin."""


@dataclass(slots=True)
class Family:
    """What one session's mapping says about name parts; grows while a message is scrubbed."""

    surrogates: Surrogates
    text: str
    parts: dict[str, str] = field(default_factory=dict[str, str])
    """Part of a real name, case folded, to its stand-in part."""
    owner: dict[str, str] = field(default_factory=dict[str, str])
    """Part of a real name, case folded, to the person first called so."""

    def __post_init__(self) -> None:
        self.text = self.text.casefold()
        for row in self.surrogates.rows:
            if row.kind is Kind.PERSON:
                self._learn(row)

    def _learn(self, row: Surrogate) -> None:
        for real, stand_in in _paired(row.original, row.stand_in):
            self.parts.setdefault(real, stand_in)
            self.owner.setdefault(real, row.person)

    def first_free(self, candidates: Iterable[str]) -> str:
        """The first that was not given out, is not real and does not stand in the text, or ""."""
        given = (part.casefold() for part in self.parts.values())
        taken = self.surrogates.stand_ins.union(self.surrogates.originals, self.parts, given)
        folded = ((name, name.casefold()) for name in candidates)
        return next((name for name, low in folded if low not in taken and low not in self.text), "")

    def pick(self, pool: tuple[str, ...], salt: str) -> str:
        """The first free name of the pool, from a place that the seed and the order decide."""
        order = f"{self.surrogates.seed}|{len(self.parts)}|{salt}"
        start = int.from_bytes(sha256(order.encode()).digest()[:4])
        turned = (pool[(start + step) % len(pool)] for step in range(len(pool)))
        return self.first_free(chain(turned, _doubled(pool)))


@lru_cache(maxsize=4096)
def _paired(name: str, stand_in: str) -> tuple[tuple[str, str], ...]:
    """Each part of a name, case folded, beside that of its stand-in, in both scripts."""
    pairs = zip(split(name), split(stand_in), strict=False)
    both = (pair for one, two in pairs for pair in ((one, two), (_in_latin(one), _in_latin(two))))
    return tuple((one.casefold(), two) for one, two in both if one and two)


def _doubled(pool: tuple[str, ...]) -> Iterator[str]:
    """Names without end, for the session that has used up the pool."""
    length = 2
    while True:
        yield from (name + pool[-1].lower() * (length - 1) for name in pool)
        length += 1


def split(name: str) -> tuple[str, ...]:
    """The parts of a name that are mapped one by one, as they read."""
    name = readable(name).text
    if HAN.search(name):
        parts = (part for run in HAN.findall(name) for part in _chinese_parts(run)[1:3] if part)
        return (*parts, *WORD.findall(name))
    return tuple(WORD.findall(name))


def stand_in_for(original: str, family: Family, gender: str = "n") -> tuple[str, str]:
    """A stand-in for one written form of a name, and the person it belongs to.

    The form is new to the mapping. The stand-in keeps the original's script, case, spacing and
    number of parts, so that it reads naturally where the original stood.
    """
    person = _whose(original, family)
    plain = readable(original).text
    made = HAN.sub(lambda found: _chinese(found.group(), family, gender), plain)
    made = WORD.sub(lambda found: _word(found, plain, family, gender), made)
    return _distinct(made, original, family), person


def _whose(original: str, family: Family) -> str:
    known = [family.owner.get(_known(part, family)) for part in split(original)]
    owner = next((person for person in known if person), None)
    if owner is not None and (len(known) == 1 or known[0]):
        return owner
    people = {row.person for row in family.surrogates.rows if row.kind is Kind.PERSON}
    return f"PERSON-{len(people) + 1}"


def _distinct(made: str, original: str, family: Family) -> str:
    """The same stand-in, or one letter longer while another form already has it."""
    real = family.surrogates.originals | {original.casefold()}
    taken = {row.stand_in for row in family.surrogates.rows if row.original != original}
    ending = "文" if HAN.search(made) else "h"
    made = made or family.pick(_pool("stand_ins_en.txt", "n"), "other")
    while made in taken or made.casefold() in real:
        made += ending
    return made


# Latin script


def _word(found: re.Match[str], original: str, family: Family, gender: str) -> str:
    word = found.group()
    known = family.parts.get(word.casefold())
    if known is None:
        known = _related(word, family) or _fresh(found, original, family, gender)
        family.parts[word.casefold()] = known
    return _in_case(known, word)


def _in_case(name: str, written: str) -> str:
    return name[:1].upper() + name[1:] if len(written) == 1 else like(name.title(), written)


def _fresh(found: re.Match[str], original: str, family: Family, gender: str) -> str:
    if len(found.group()) == 1:
        return family.pick(tuple(LETTERS), "initial")
    if found.start() > 0 and WORD.search(original[: found.start()]):
        return family.pick(lines("stand_ins_last_en.txt"), "last")
    return family.pick(_pool("stand_ins_en.txt", gender), "first")


def _known(part: str, family: Family) -> str:
    """What this part is known under: itself, its pinyin, a nickname's full form, a misspelling."""
    folded = part.casefold()
    if folded in family.parts:
        return folded
    if (latin := _in_latin(part)) in family.parts:
        return latin
    same = (real for real in family.parts if _nickname(folded, real) or _misspelt(folded, real))
    return next(same, folded)


def _related(word: str, family: Family) -> str:
    real = _known(word, family)
    if real == word.casefold():
        return ""
    if _nickname(word.casefold(), real):
        shorts = _short_forms().get(family.parts[real], ())
        return family.first_free(shorts)
    return _misspell(family.parts[real], family)


def _nickname(one: str, other: str) -> bool:
    return one != other and bool(
        _groups().get(one, frozenset()) & _groups().get(other, frozenset())
    )


def _misspelt(one: str, other: str) -> bool:
    """Whether the two differ by one letter more, less, other, or by two swapped neighbours."""
    if min(len(one), len(other)) < SHORTEST_MISSPELT or abs(len(one) - len(other)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if start is None:
        return len(one) != len(other)
    a, b = one[start:], other[start:]
    swapped = a[:2] == b[1::-1] and a[2:] == b[2:]
    return swapped or a[1:] == b[1:] or a[1:] == b or a == b[1:]


def _misspell(name: str, family: Family) -> str:
    swaps = (name[:i] + name[i + 1] + name[i] + name[i + 2 :] for i in range(1, len(name) - 1))
    return family.first_free(swap for swap in swaps if swap != name) or name + "h"


@cache
def _groups() -> Mapping[str, frozenset[int]]:
    grown: dict[str, set[int]] = {}
    for number, line in enumerate(lines("nicknames.txt")):
        for name in line.split():
            grown.setdefault(name, set()).add(number)
    return MappingProxyType({name: frozenset(numbers) for name, numbers in grown.items()})


def _first_names(pool: str) -> tuple[FirstName, ...]:
    rows = (line.split() for line in lines(pool))
    return tuple(FirstName(row[0], row[1], tuple(row[2:])) for row in rows)


@cache
def _pool(pool: str, gender: str) -> tuple[str, ...]:
    return tuple(one.name for one in _first_names(pool) if gender in {"n", one.gender})


@cache
def _short_forms() -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({one.name: one.others for one in _first_names("stand_ins_en.txt")})


# Chinese script


def spellings(name: str) -> tuple[str, ...]:
    """A Chinese full name in Latin letters as people write it; none where a reading is missing."""
    before, surname, given, after = _chinese_parts(name) if HAN.fullmatch(name) else ("",) * 4
    last, first = _in_latin(surname).title(), _in_latin(given).title()
    if before or after or not (last and first):
        return ()
    apart = [_in_latin(sign).title() for sign in given]
    firsts = dict.fromkeys((first, " ".join(apart), "-".join(apart)))
    return (*(f"{last} {one}" for one in firsts), *(f"{one} {last}" for one in firsts))


def _in_latin(part: str) -> str:
    """The pinyin of a part of a Chinese name; empty if it is none or not known whole."""
    known = [readings().get(sign, "") for sign in part]
    return "".join(known) if all(known) else ""


def _chinese_parts(name: str) -> tuple[str, str, str, str]:
    """Form of address before, surname, given name, form of address after; each may be empty."""
    before = name[0] if name[0] in CALLED_BEFORE and len(name) > 1 else ""
    rest = name[len(before) :]
    after = next((end for end in CALLED_AFTER if rest.endswith(end) and len(rest) > len(end)), "")
    if len(after) == 1 and len(rest) > 3:
        after = ""
    rest = rest[: len(rest) - len(after)]
    surname = _surname(rest, bool(before or after))
    return before, surname, rest[len(surname) :], after


def _surname(rest: str, addressed: bool) -> str:
    if len(rest[:2]) == 2 and rest[:2] in _surnames():
        return rest[:2]
    single = rest[:1] in _surnames()
    if len(rest) == 1 or len(rest) == 3 or (addressed and len(rest) == 2):
        return rest[:1] if single else ""
    return rest[:1] if len(rest) == 2 and single and rest[0] != rest[1] else ""


@cache
def _surnames() -> frozenset[str]:
    return frozenset(lines("surnames_zh.txt"))


def _chinese(name: str, family: Family, gender: str) -> str:
    if name in CALLED_BEFORE:
        return name
    before, surname, given, after = _chinese_parts(name)
    made = before
    for part, is_surname in ((surname, True), (given, False)):
        known = family.parts.get(part, "")
        if part and not known:
            known = _fresh_chinese(part, family, gender, is_surname)
            family.parts[part] = known
        made += known
    return made + after


def _fresh_chinese(part: str, family: Family, gender: str, is_surname: bool) -> str:
    if is_surname:
        pool = lines("stand_ins_last_zh.txt")
        fit = tuple(line.split()[0] for line in pool if len(line.split()[0]) == len(part))
        return family.pick(fit, "last")
    names = _pool("stand_ins_zh.txt", gender)
    if len(part) == 1:
        return family.pick(tuple(name[1] for name in names), "one")
    if part[0] == part[1] and len(part) == 2:
        return family.pick(tuple(name[1] * 2 for name in names), "double")
    return family.pick(names, "given")

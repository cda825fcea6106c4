"""Gives every piece of personal data its stand-in: same form, same script, surely somebody else's.

Deterministic: a choice follows from the session's seed and from what was given out before.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from itertools import count
from typing import NamedTuple

from safety.names import lines
from safety.normalise import readable
from safety.persons import HAN, Family, stand_in_for
from safety.surrogates import Kind, Surrogate, Surrogates

DIGIT = re.compile(r"[0-9]")
ENOUGH_TRIES = 200


class Found(NamedTuple):
    """Personal data at a place in a message; code points."""

    start: int
    end: int
    kind: Kind
    gender: str = "n"
    """For people: ``f``, ``m`` or ``n``, as far as the words around it say."""


def assign(text: str, found: Sequence[Found], surrogates: Surrogates) -> Surrogates:
    """The mapping grown by a stand-in for every form found that it does not have yet."""
    known = {row.original for row in surrogates.rows}
    for span in found:
        original = text[span.start : span.end]
        if original not in known:
            surrogates = surrogates.with_rows([_row(text, original, span, surrogates)])
            known.add(original)
    return surrogates


def withhold(text: str, surrogates: Surrogates) -> Surrogate:
    """One stand-in for a whole message that cannot be scrubbed so that it restores exactly."""
    number = len(surrogates.rows) + 1
    while (stand_in := f"[withheld {number}]") in surrogates.stand_ins:
        number += 1
    return Surrogate(text, stand_in, Kind.PERSON, f"MESSAGE-{number}")


def _row(text: str, original: str, span: Found, surrogates: Surrogates) -> Surrogate:
    if span.kind is Kind.PERSON:
        name, person = stand_in_for(original, Family(surrogates, text), span.gender)
        return Surrogate(original, name, span.kind, person)
    number = len({row.person for row in surrogates.rows if row.kind is span.kind}) + 1
    folded = original.casefold()
    same = next((row for row in surrogates.rows if row.original.casefold() == folded), None)
    owner = f"{span.kind}-{number}" if same is None else same.person
    made = _other(text, readable(original).text, span.kind, surrogates)
    return Surrogate(original, made, span.kind, owner)


def _other(text: str, original: str, kind: Kind, surrogates: Surrogates) -> str:
    taken = surrogates.stand_ins | surrogates.originals | {original.casefold()}
    lower = text.casefold()
    for number, candidate in zip(count(), _MAKERS[kind](original, surrogates), strict=False):
        folded = candidate.casefold()
        if folded not in taken and folded not in lower:
            return candidate
        if number > ENOUGH_TRIES:
            break
    return f"[{kind.value.lower()} {len(surrogates.rows) + 1}]"


def _digits_from(seed: str, length: int) -> str:
    number = int.from_bytes(sha256(seed.encode()).digest())
    return str(number)[-length:].zfill(length)


def _seeds(original: str, surrogates: Surrogates) -> Iterator[str]:
    """Endless, and the same at every call: the order in the session decides, then the try."""
    return (f"{surrogates.seed}|{len(surrogates.rows)}|{attempt}" for attempt in count())


def _same_digits(original: str, surrogates: Surrogates) -> Iterator[str]:
    """Other digits and letters in the same places; written-out numbers become plain ones."""
    for seed in _seeds(original, surrogates):
        digits = iter(_digits_from(seed, 40))
        made = DIGIT.sub(lambda _, digits=digits: next(digits, "7"), original)
        yield made if made != original else f"{_digits_from(seed, 6)}"


def _phone(original: str, surrogates: Surrogates) -> Iterator[str]:
    """Numbers from the ranges kept for fiction: 555-01xx, or 1990000xxxx."""
    han = bool(HAN.search(original)) or len(DIGIT.findall(original)) == len("19900000000")
    for seed in _seeds(original, surrogates):
        last = _digits_from(seed, 4)
        yield f"1990000{last}" if han else f"555-01{last[:2]}"
        if not han:
            yield f"{last[:3]}-555-01{last[2:]}"


def _from_pool(pool: str) -> Callable[[str, Surrogates], Iterator[str]]:
    def choose(original: str, surrogates: Surrogates) -> Iterator[str]:
        names = lines(pool.format("zh" if HAN.search(original) else "en"))
        for seed in _seeds(original, surrogates):
            name = names[int(_digits_from(seed, 6)) % len(names)]
            yield name.lower() if original.islower() else name

    return choose


def _named(shape: str) -> Callable[[str, Surrogates], Iterator[str]]:
    def make(original: str, surrogates: Surrogates) -> Iterator[str]:
        return (shape.format(_digits_from(seed, 4)) for seed in _seeds(original, surrogates))

    return make


def _date(original: str, surrogates: Surrogates) -> Iterator[str]:
    for seed in _seeds(original, surrogates):
        one = int(_digits_from(seed, 6))
        year, month, day = 1950 + one % 50, 1 + one % 12, 1 + one % 28
        yield f"{year}年{month}月{day}日" if HAN.search(original) else f"{month}/{day}/{year}"


_MAKERS: dict[Kind, Callable[[str, Surrogates], Iterator[str]]] = {
    Kind.LOCATION: _from_pool("stand_ins_places_{}.txt"),
    Kind.ORGANIZATION: _from_pool("stand_ins_organizations_{}.txt"),
    Kind.PHONE_NUMBER: _phone,
    Kind.EMAIL_ADDRESS: _named("mail{}@example.com"),
    Kind.URL: _named("https://example.com/{}"),
    Kind.USERNAME: _named("user_{}"),
    Kind.ID_NUMBER: _same_digits,
    Kind.FINANCIAL: _same_digits,
    Kind.DATE_OF_BIRTH: _date,
    Kind.IP_ADDRESS: _named("192.0.2.{:.2}"),
    Kind.WECHAT_QQ: _named("wx_{}"),
}

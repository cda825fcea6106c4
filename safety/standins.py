"""Gives every piece of personal data its stand-in: same form, same script, surely somebody else's.

Deterministic: a choice follows from the session's seed and from what was given out before.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from itertools import count
from typing import NamedTuple

from safety.names import folded, lines, words
from safety.normalise import readable
from safety.persons import HAN, Family, stand_in_for
from safety.recognizers_patterns import PROVINCES
from safety.surrogates import Kind, Surrogate, Surrogates

DIGIT = re.compile(r"[0-9]")
ENOUGH_TRIES = 200


class Found(NamedTuple):
    """Personal data at a place in a message; code points."""

    start: int
    end: int
    kind: Kind


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
        name, person = stand_in_for(original, Family(surrogates, text), _gender(text[: span.start]))
        return Surrogate(original, name, span.kind, person)
    number = len({row.person for row in surrogates.rows if row.kind is span.kind}) + 1
    plain = original.casefold()
    same = next((row for row in surrogates.rows if row.original.casefold() == plain), None)
    owner = f"{span.kind}-{number}" if same is None else same.person
    made = _other(text, readable(original).text, span.kind, surrogates)
    return Surrogate(original, made, span.kind, owner)


_HE = (
    r"husband|hubby|bf|boyfriend|fiancé|son|stepson|dad|daddy|father|stepdad|stepfather|grandpa"
    r"|grandad|grandfather|brother|bro|stepbrother|uncle|nephew|mr|sir"
)
_SHE = (
    r"wife|gf|girlfriend|fiancée|daughter|stepdaughter|mom|mum|mother|stepmom|stepmum|stepmother"
    r"|grandma|gran|nan|grandmother|sister|sis|stepsister|aunt|auntie|niece|mrs|ms"
)
_HE_ZH = (
    r"儿子|兒子|老公|丈夫|男友|男朋友|前夫|未婚夫|哥哥?|弟弟?|爸爸?|父亲|继父|爷爷|外公|姥爷"
    r"|叔叔|舅舅|伯伯|侄子|外甥|孙子|男生"
)
_SHE_ZH = (
    r"女儿|女兒|老婆|妻子|女友|女朋友|前妻|未婚妻|姐姐?|妹妹?|妈妈?|母亲|继母|奶奶|外婆|姥姥"
    r"|阿姨|姑姑|舅妈|侄女|孙女|闺蜜|女生"
)
_GENDERS = tuple(
    (gender, re.compile(
        rf"(?:\b(?:{latin})\.?|\b{owned} name)(?:,?\s+(?:is|was|called|named))*,?\s+$"
        rf"|(?:{han}|{pronoun}(?=[的叫名]))(?:的?名字)?(?:就?叫做?|是)?[，,]?\s?$",
        re.I,
    ))
    for gender, latin, owned, han, pronoun in (
        ("m", _HE, "his", _HE_ZH, "他"), ("f", _SHE, "her", _SHE_ZH, "她"),
    )
)  # fmt: skip
GENDER_BACK = 40
"""How many code points in front of a name may say whose it is."""


def _gender(before: str) -> str:
    """``f``, ``m`` or ``n``, as the relation or pronoun right before a name says."""
    near = before[-GENDER_BACK:]
    return next((gender for gender, pattern in _GENDERS if pattern.search(near)), "n")


def _other(text: str, original: str, kind: Kind, surrogates: Surrogates) -> str:
    taken = surrogates.stand_ins | surrogates.originals | {original.casefold()}
    lower = text.casefold()
    for number, candidate in zip(count(), _MAKERS[kind](original, surrogates), strict=False):
        plain = candidate.casefold()
        if plain not in taken and plain not in lower:
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


_CONSONANTS = "bcdfghjklmnpqrstvwxz"
"""Letters to give out: without vowels they make no word and nobody's name."""
_EXCHANGED = re.compile(
    # A coin's prefix, a mask and the last sign of a Chinese identity belong to the form.
    r"(?P<kept>^(?:0x|bc1)|(?<![^\W_])[xX]{2,}(?=[-* ]?\d)|(?<=\d{17})[xX]$)"
    r"|(?P<word>(?<![^\s.,;:#])[A-Za-z]+(?![^\s.,;:#]))|[0-9A-Za-z]"
    rf"|^[{PROVINCES}](?=[A-Z])",
    re.I,
)
_LABELS = frozenset({
    "rt", "routing", "no", "number", "acct", "account", "card", "call", "text", "ssn", "nhs",
    "iban", "ref", "id",
})  # fmt: skip
_HEX = re.compile(r"0x[0-9a-f]+", re.I)


def _same_form(original: str, surrogates: Surrogates) -> Iterator[str]:
    """Other digits and letters in the same places; written-out numbers become plain ones."""
    letters = "abcdef" if _HEX.fullmatch(original) else _CONSONANTS
    for seed in _seeds(original, surrogates):
        yield (
            _EXCHANGED.sub(lambda found, seed=seed: _exchanged(found, letters, seed), original)
            if DIGIT.search(original)
            else _digits_from(seed, 6)
        )


def _exchanged(found: re.Match[str], letters: str, seed: str) -> str:
    if found["kept"] or (found["word"] and _is_talk(found["word"].casefold())):
        return found.group()
    return "".join(
        _drawn(sign, letters, f"{seed}|{place}")
        for place, sign in enumerate(found.group(), found.start())
    )


def _drawn(sign: str, letters: str, seed: str) -> str:
    pool = "0123456789" if sign.isdigit() else PROVINCES if sign in PROVINCES else letters
    drawn = pool[sha256(seed.encode()).digest()[0] % len(pool)]
    return drawn.upper() if sign.isupper() else drawn


def _is_talk(word: str) -> bool:
    """Whether a word beside a number is part of the sentence: ``CALL``, ``NOT``; nobody's name."""
    if word in words("grammar_en.txt") or word in _LABELS:
        return True
    named = word in folded("first_names.txt") or word in folded("last_names.txt")
    return word in words("common_en.txt") and not named


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
    Kind.ID_NUMBER: _same_form,
    Kind.FINANCIAL: _same_form,
    Kind.DATE_OF_BIRTH: _date,
    Kind.IP_ADDRESS: _named("192.0.2.{:.2}"),
    Kind.WECHAT_QQ: _named("wx_{}"),
}

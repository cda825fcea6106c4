"""Names of people, places and organisations: what the taggers see, with lists and cues beside it.

A tagger's doubt is settled by the words around: a name after ``my roommate`` needs less proof, an
everyday word in lower case needs more. Words on the keep lists are never taken alone.
"""

import re
from collections.abc import Iterator
from functools import cache

from safety.names import folded, lines, readings, words
from safety.persons import HAN
from safety.recognizers_han import Name, find_chinese_names
from safety.risk import Language
from safety.surrogates import NAMED, Kind
from safety.tagger import Tagged, joined, load_english_tagger

SURE, LIKELY, HINTED, DOUBTED, UNCAPPED = 0.9, 0.5, 0.12, 0.75, 0.3
"""Scores: of what a cue alone says; wanted of most words, after a hint, of a dictionary word."""
LATIN_WORD = re.compile(r"[A-Za-zÀ-ɏ]{2,}")


def find_names(text: str, language: Language) -> list[Name]:
    """All names in a message, whatever scripts it mixes."""
    han = HAN.search(text) is not None
    found: list[Name] = []
    if language == "en" or LATIN_WORD.search(text):
        found += _english(text, han)
    if han:
        found += find_chinese_names(text)
        found = [_surnamed(text, name) for name in found]
    return found


_RELATION = (
    r"\b(?:my|our|his|her|their|your|the|ur|mi)\s+(?:\w+\s+)?"
    r"(?:husband|hubby|wife|mom|mum|dad|sister|brother|sis|bro|son|daughter|kid|baby|cousin|aunt"
    r"|auntie|uncle|niece|nephew|friend|bestie|best friend|mate|roommate|flatmate|housemate"
    r"|boyfriend|girlfriend|bf|gf|ex|partner|fianc[eé]e?|boss|manager|supervisor|coworker"
    r"|colleague|teacher|coach|neighbou?r|landlord|sponsor|therapist|counsell?or|lawyer|nurse"
    r"|pastor|priest|stepdad|stepmom|stepson|professor|tutor|advisor|ta|hermana|hermano)"
)
_HONORIFIC = (
    r"\b(?:dr|mr|mrs|ms|miss|mx|prof|professor|nurse|pastor|father|fr|rev|rabbi|imam|officer|coach"
    r"|judge|sgt|aunt|auntie|uncle|tia|tío|tita|tito)\.?"
)
_INTRODUCTION = (
    r"\b(?:name(?:'?s| is)|named|called|call me|this is|i am|i'?m|im|sincerely|regards|signed|love"
    r"|xx|cheers|and|&|with|w|n)"
)
_CUE = re.compile(rf"(?:{_RELATION}|{_HONORIFIC}|{_INTRODUCTION}),?\s+$", re.I)
CUE_BACK = 40
"""How many code points in front of a word may hold its cue."""

_SELF = re.compile(
    r"\b(?:my (?:full |real |legal )?name(?:'?s| is)|call me|they call me|signed,?|sincerely,?"
    r"|regards,?|yours truly,?|this is)\s+(?P<x>[A-Z][\w'’-]+(?:\s+[A-Z][\w'’-]+){0,3})"
)
_SELF_LOWER = re.compile(
    r"\b(?:it'?s me|it is me|me again|call me|they call me|everyone calls me|i['’]?m(?: called)?"
    r"|my (?:full |real |legal )?name(?:'?s| is))[\s,:]+(?P<x>[A-Za-z][\w'’-]+)", re.I
)  # fmt: skip
"""Who they are, as typed without capitals: taken only where it is a first name and no word."""
_SPOKE = re.compile(
    r"\b(?P<x>[A-Z][a-zà-ÿ]+)(?= (?:said|says|told|tells|asked|asks|texted|texts|phoned|rang|yelled"
    r"|shouted|hugged|kissed|promised|dumped|swore|invited|hates me|loves me)\b)"
)
"""Somebody who speaks is a person, although April is a month and Hope a feeling."""
_DID = re.compile(
    r"\b(?P<x>[a-z]+)(?= (?:said|says|told|asked|texted|phoned|rang|yelled at|shouted at|promised"
    r"|dumped me|hates me|loves me|hit me|hurt me|left me|broke up with|cheated on"
    r"|won['’]?t)\b)"
)
"""The same, as typed without capitals: taken only where it is a first name and no word."""
_LONE = re.compile(r"(?<![^\W㐀-鿿])[A-Za-z]{3,}(?![^\W㐀-鿿])")
_MONTHS = frozenset({"april", "may", "june", "august"})
_SIGNED = re.compile(
    r"\b(?:[Bb]est|[Tt]hanks|[Tt]hank you|[Cc]heers|[Ll]ove|[Yy]ours),?[ ]*\n\s*"
    r"(?P<x>[A-Z][\w'’-]+(?:[ ][A-Z][\w'’-]+){0,2})[ ]*$",
    re.M,
)
# People paste chats: the time, who speaks, a colon.
_SPEAKER = re.compile(
    r"^\s*\[?\d{1,2}:\d{2}(?::\d{2})?(?:\s?[AaPp]\.?[Mm]\.?)?\]?[\s,-]*"
    r"(?P<x>[A-Z][\w'’-]+(?:[ ][A-Z][\w'’-]+){0,2})(?=[ ]?[:(])",
    re.M,
)
_COMPANY = re.compile(
    r"(?P<x>(?:[A-Z][\w&'’-]*[ ]){1,4}(?:LLC|Inc|Ltd|Corp|GmbH|PLC|LLP|Pty)\b)\.?"
)
_TITLED = re.compile(
    r"\b(?:Dr|Mr|Mrs|Ms|Miss|Mx|Prof|DR|MR|MRS|MS)\.?"
    r"\s+(?P<x>[A-Z][\w'’-]+(?:\s+[A-Z][\w'’-]+)?)"
)
_STREET = re.compile(
    # House number, a word or three, what kind of street it is.
    r"(?<![A-Za-z0-9_$])\d{1,5}[A-Za-z]?\s+(?:[A-Za-z][\w'’]*\.?\s+){1,3}?"
    r"(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|court|ct|close|crescent|place|pl|boulevard"
    r"|blvd|way|terrace|parkway|pkwy|highway|hwy|square|sq|row|gardens|grove)\b\.?"
    # Then the flat, the town, the state and its code, as far as they are there.
    r"(?:,?\s*(?:apt|apartment|unit|suite|ste|flat|#)\.?\s*#?\w{1,5})?"
    r"(?:,\s*[A-Z][\w'’]+(?:\s+[A-Z][\w'’]+)?)*(?:,?\s+[A-Z]{2}\b)?(?:\s+\d{5}(?:-\d{4})?)?",
    re.I,
)
_AT_WORK = (
    r"(?:\b(?:at|for|from|by|with|left|quit|joined|join|into|to)\s+(?:the\s+)?|[在去从到进给]\s?)"
    r"(?P<x>{})(?![A-Za-z0-9_])"
)


def _english(text: str, han: bool) -> list[Name]:
    tagged = load_english_tagger().read(text)
    shouted = text.isupper()
    kept = [one for one in tagged if one.score >= _wanted(text, one, shouted)]
    found = [Name(*_trimmed(text, one), one.kind, one.score) for one in joined(text, kept)]
    found = [name for name in found if _is_name(text[name.start : name.end], name.kind)]
    found = [*found, *_sure(text), *_cued(text)]
    return [name for name in found if name.kind in NAMED] if han else found


_BEFORE = re.compile(r"(?<![A-Za-z])(?P<x>[A-Za-z]{2,6})\s$")


def _surnamed(text: str, name: Name) -> Name:
    """With the surname before it: in Chinese talk ``zhang wei`` is one name."""
    before = _BEFORE.search(text, max(0, name.start - 8), name.start)
    if name.kind is not Kind.PERSON or before is None:
        return name
    said = before["x"]
    word = said.casefold() in words("common_en.txt") or said.casefold() in words("grammar_en.txt")
    known = said.casefold() in _surnames() and (said.istitle() or not word)
    return name._replace(start=before.start("x")) if known else name


@cache
def _surnames() -> frozenset[str]:
    """Chinese surnames as they read."""
    signs = (one for one in lines("surnames_zh.txt") if len(one) == 1)
    return frozenset(readings().get(sign, "") for sign in signs) - {""}


def _wanted(text: str, one: Tagged, shouted: bool) -> float:
    """The score that this word must reach to be taken for personal data."""
    word = text[one.start : one.end]
    whole = word.casefold().replace("’", "'")
    plain = whole.removesuffix("'s")
    # The possessive itself may be what is kept: Crohn's is an illness, Crohn somebody.
    kept = words("keep_en.txt")
    if whole in kept or plain in kept:
        firm = one.kind is Kind.ORGANIZATION and (plain == whole or whole not in kept)
        return SURE if firm else 2.0
    if not {plain, plain.removesuffix("s")}.isdisjoint(words("sure_names.txt")):
        return HINTED
    if plain in words("sure_places.txt"):
        return HINTED
    common = word.islower() and plain in words("common_en.txt")
    if common and plain not in words("first_names.txt"):
        return DOUBTED
    if one.kind is Kind.PERSON and _CUE.search(text[max(0, one.start - CUE_BACK) : one.start]):
        return HINTED * 2 if word[:1].isupper() and not shouted else LIKELY
    if common:
        return DOUBTED
    if one.kind is Kind.PERSON and plain in words("first_names.txt"):
        return UNCAPPED
    return LIKELY if one.kind is Kind.PERSON or word[:1].isupper() else 0.4


def _trimmed(text: str, one: Tagged) -> tuple[int, int]:
    """Without a possessive ``'s``, nor the ``s`` of a sure name that somebody wrote for it."""
    said = text[one.start : one.end].casefold()
    if said[-2:] in {"'s", "’s"}:
        return one.start, one.end - 2
    return one.start, one.end - (one.kind is Kind.PERSON and _is_possessive(said.split()[-1]))


def _is_possessive(word: str) -> bool:
    """Whether a word in lower case is a sure name with an ``s`` behind it: ``sarahs``."""
    sure = words("sure_names.txt")
    real = word[-1:] == "s" and word not in sure and word not in words("common_en.txt")
    return real and word[:-1] in sure and word[:-1] not in words("keep_en.txt")


def _sure(text: str) -> Iterator[Name]:
    """First names that are no other word, in any case and without a cue: most clients type so."""
    sure, kept = words("sure_names.txt"), words("keep_en.txt")
    for found in _LONE.finditer(text):
        said = found.group().casefold()
        if said in sure and said not in kept:
            yield Name(*found.span(), Kind.PERSON, SURE)
        elif said[-1] == "s" and _is_possessive(said) and said not in kept:
            yield Name(found.start(), found.end() - 1, Kind.PERSON, SURE)


def _is_name(said: str, kind: Kind) -> bool:
    if kind not in NAMED and not re.search(r"[\d@_$]", said):
        return False
    if said.isdigit() or not any(c.isalnum() for c in said):
        return kind is Kind.LOCATION and len(said) > 3
    if kind is Kind.ORGANIZATION and said.casefold() in folded("organizations_en.txt"):
        return True
    keep = words("keep_en.txt")
    if kind is Kind.ORGANIZATION:
        keep |= words("grammar_en.txt")
    return not all(part.strip(".,'’") in keep for part in said.casefold().split())


@cache
def _at_work() -> re.Pattern[str]:
    """A well known employer or shop behind a word that makes it a workplace."""
    known = sorted((one for one in lines("organizations_en.txt") if "{" not in one), key=len)
    plain = {form for one in known for form in (one, one.replace("'", ""), one.replace("'s", ""))}
    forms = "|".join(re.escape(form) for form in sorted(plain, key=lambda form: (-len(form), form)))
    return re.compile(_AT_WORK.replace("{}", forms), re.I)


def _cued(text: str) -> Iterator[Name]:
    """What the words around say to be a name, in any case; Titles only in mixed case."""
    for found in _STREET.finditer(text):
        yield Name(*found.span(), Kind.LOCATION, SURE)
    for found in _at_work().finditer(text):
        yield Name(*found.span("x"), Kind.ORGANIZATION, SURE)
    if text.isupper():
        return
    for found in _COMPANY.finditer(text):
        yield Name(*found.span("x"), Kind.ORGANIZATION, SURE)
    yield from _first_names(text)
    for pattern in (_SELF, _TITLED, _SIGNED, _SPEAKER):
        for found in pattern.finditer(text):
            first = found.group("x").split()[0].casefold()
            if first not in words("keep_en.txt") and first not in words("common_en.txt"):
                start, end = found.span("x")
                said = re.sub(r"['’]s$", "", text[start:end])
                yield Name(start, start + len(said), Kind.PERSON, SURE)


def _first_names(text: str) -> Iterator[Name]:
    """First names that the words around give away although they are typed, or read, as words."""
    known, kept = words("first_names.txt"), words("keep_en.txt")
    plain, talk = words("common_en.txt"), words("names_in_talk.txt")
    for pattern in (_SELF_LOWER, _DID):
        for found in pattern.finditer(text):
            said = found.group("x").casefold()
            if said in known and said not in kept and (said not in plain or said in talk):
                yield Name(*found.span("x"), Kind.PERSON, SURE)
    for found in _SPOKE.finditer(text):
        said = found.group("x").casefold()
        if said in known and (said in _MONTHS or said not in kept):
            yield Name(*found.span("x"), Kind.PERSON, SURE)

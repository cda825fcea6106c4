"""The guard: what a line must not say before a named human may send it. Pure.

Hard for drafts of a model; for a human's own words a warning, except that a leak stays a failure.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Literal

from safety.guard_phrases import ASKED, NOT_NAMES, PHRASES, SPARED
from safety.names import readings, words
from safety.normalise import fold
from safety.risk import Language
from safety.surrogates import Kind, Surrogates, find_stand_ins

LONGEST = 200
"""Characters in a reply, of either language. Paper: Interactive Agents, response refinement; there
they are Chinese characters."""


class CheckName(StrEnum):
    """What is looked at; the closed list that the console shows."""

    LENGTH = "length"
    SHAPE = "shape"
    DIAGNOSIS = "diagnosis"
    MEDICATION = "medication"
    PROMISE = "promise"
    CONTRACT = "contract"
    METHOD = "method"
    ENCOURAGES_HARM = "encourages_harm"
    HUMAN_CLAIM = "human_claim"
    TIME_UP = "time_up"
    UNKNOWN_NAME = "unknown_name"
    UNRESTORED = "unrestored"


LEAKS = frozenset({CheckName.UNRESTORED})
"""Failures whoever wrote the line: a client would read of people who do not exist."""

_WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏ]+")
"""A word in Latin letters, with or without accents; Chinese characters may touch it."""
_SENTENCE_BEGINS = re.compile(r"(?:^|[.!?…:。！？：][\s\"'“‘(]*|[\"“‘「]|[\s(]')$")
_SENTENCE = re.compile(r"[^.!?;。！？；\n]+[.!?;。！？；]*")
_LIST = re.compile(
    r"^\s*(?:[-*•·]\s|\d+[.)]\s|\d+、(?!\d))|(?<!\d)[:：]\s*\d+[.)、]\s|\s\d+[)、]\s|[①-⑳]"
    # In Chinese no blank follows the mark: "：1、写下来 2、…", "第一，…第二，…".
    r"|(?:^|[\s:：，,。；;])[1一][、.)）](?![\d一二三四五六七八九十])"
    r".*?[\s，,。；;][2二][、.)）](?!\d)"
    r"|第一[，,、:：].*第二[，,、:：]"
)
_MARKUP = re.compile(r"\*\*|^#+ ")
_QUESTION = re.compile(r"[?？]+|吗(?=[。.！!])")
"""Chinese asks by its last word as well; whoever then writes a full stop has asked nonetheless."""
_ASKS = r"\b(?:how|what|who|where|why)\b"
_THREE_ASKED = re.compile(
    rf"(?:^|[.!;] ?){_ASKS}[^,.?!]{{1,60}}, (?:and )?{_ASKS}[^,.?!]{{1,60}},? and {_ASKS}"
    r"[^.?!]{0,60}\?",
    re.IGNORECASE,
)
_OWN_INSTRUCTIONS = re.compile(
    # Who speaks, or the field of a prompt, where the line begins.
    r"^\W*(?:(?:counsell?or|therapist|client|user|assistant|system|stage|action|strategy|utterance"
    r"|reply|response|output|instructions?|note)(?: ?\d+)?|step ?\d+|(?:心理)?咨询师|治疗师|来访者"
    r"|助手|系统|用户|阶段|策略|行动|动作|回复|回应|输出|备注|步骤)[一二三四五六七八九十\d]*\s*[:：]"
    # What a director writes for an actor, or a field's bracket.
    r"|^\s*(?:[【{\[<]|[（(][^)）]{1,30}[)）]|\*[^*\s][^*]{0,40}\*)"
    # A place that somebody was to fill in.
    r"|[\[<{【](?:your |the |client'?s? )?(?:name|person|client|user|therapist|counsell?or|insert"
    r"|withheld|location|organi[sz]ation|姓名|名字|人名|称呼|来访者|用户)[^\]>}】]{0,20}[\]>}】]"
    r"|\bstep \d+ of \d+\b|\bhere(?:'s| is) (?:my|a|the) (?:\w+ )?(?:reply|response)\b"
    r"|\b(?:as instructed|my instructions|(?:the|my) system prompt)\b"
    r"|以下是(?:我的)?(?:回复|回答|回应)|根据(?:指令|提示词?|系统|设定)"
    # Whom it speaks to, told of as a third.
    r"|^the (?:client (?:seems|appears|expresse[sd]|reports)|user (?:is|seems|appears|wants"
    r"|express\w*))\b"
    r"|^(?:来访者|用户)(?:看起来|看上去|似乎|好像|表达|表现|感到|情绪)",
    re.IGNORECASE,
)
"""What a model was told and how it was asked to answer: nothing of it is meant for a client."""
_SHORTEST_NAME = 2
_HAN_PERSON = re.compile(r"[㐀-鿿]{2,4}")
_LONGEST_AFTER_ONE_SIGN = 3
"""A Chinese name of more signs than these has a surname of two."""

Verdict = Literal["pass", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Check:
    """One look at a line, with its reason; the reason never repeats words of the client."""

    check: CheckName
    verdict: Verdict
    detail: str


@dataclass(frozen=True, slots=True)
class GuardContext:
    """What the guard may know about the session."""

    language: Language
    author: Literal["model", "human"]
    surrogates: Surrogates
    client_text: str = ""
    """All that the client wrote so far, in the client's own words."""
    known_names: frozenset[str] = frozenset()
    """Names that may be said, whole or a word of them: staff, the service, listed resources."""


def check(text: str, context: GuardContext) -> tuple[Check, ...]:
    """Every check's verdict on a line that is restored already, in the order of `CheckName`."""
    readings = _readings(text)
    faults = (
        _phrase(name, readings, context) if name.value in PHRASES else _FAULTS[name](text, context)
        for name in CheckName
    )
    return tuple(
        _judged(name, fault, context) for name, fault in zip(CheckName, faults, strict=True)
    )


def _judged(name: CheckName, fault: str, context: GuardContext) -> Check:
    if not fault:
        return Check(name, "pass", "nothing found")
    hard = context.author == "model" or name in LEAKS
    return Check(name, "fail" if hard else "warn", fault)


def _length(text: str, context: GuardContext) -> str:
    return f"{len(text)} characters, at most {LONGEST}" if len(text) > LONGEST else ""


def _shape(text: str, context: GuardContext) -> str:
    if not text.strip():
        return "empty"
    if "\n" in text.strip():
        return "more than one line"
    if _LIST.search(text) or _MARKUP.search(text):
        return "a list or markup"
    if _OWN_INSTRUCTIONS.search(text.replace("’", "'")):
        return "speaks of its own instructions"
    asked_often = len(_QUESTION.findall(text)) > 1 or _THREE_ASKED.search(text)
    return "more than one question" if asked_often else ""


def _readings(text: str) -> tuple[str, ...]:
    """As it stands, and as the screen reads it: simplified characters, plain letters.

    One for most lines: they differ in capitals alone, which no phrase looks at.
    """
    plain = unicodedata.normalize("NFKC", text.replace("’", "'").replace("‘", "'"))
    folded = fold(text)
    return (plain,) if plain.isascii() and plain.lower() == folded else (plain, folded)


def _phrase(name: CheckName, readings: Sequence[str], context: GuardContext) -> str:
    for reading in readings:
        for spared in SPARED[name.value]:
            reading = spared.sub(" _ ", reading)
        for pattern, reason in PHRASES[name.value]:
            for found in pattern.finditer(reading):
                if not _clients_own(found.groupdict().get("label"), context):
                    return reason
    return ""


def _clients_own(label: str | None, context: GuardContext) -> bool:
    """Whether the client has said of a label that it is so; to ask or to fear it is not to say it.

    A few letters of it are enough: who says `depression` may be told of being depressed. Of several
    words the first and the last count: who sleeps badly has named no sleep disorder.
    """
    if label is None:
        return False
    parts = label.casefold().split()
    stems = {parts[0][:6], parts[-1][:6]} if label.isascii() else {label[:2]}
    sentences = _SENTENCE.findall(unicodedata.normalize("NFKC", context.client_text).casefold())
    return any(all(stem in one for stem in stems) and not ASKED.search(one) for one in sentences)


def _unknown_name(text: str, context: GuardContext) -> str:
    """Names in Latin letters only: Chinese script has no capitals to tell a name by.

    Every word that begins a sentence has a capital; there only what is surely a name counts.
    """
    names = [(found.start(), _unaccented(found.group())) for found in _named(text)]
    # Most lines name nobody: only for one that does is everything read that was ever said.
    said = (context.client_text, *context.surrogates.originals, *context.known_names)
    known = (
        {_unaccented(word) for one in said for word in _WORD.findall(_composed(one))}
        if names
        else set[str]()
    )
    for start, word in names:
        if word not in known and word.removesuffix("s") not in known:
            return f"a name that nobody in this session used, at {start}"
    return ""


def _named(text: str) -> Iterator[re.Match[str]]:
    """Words that look like a name: a capital first, and small letters too, so no initials."""
    for found in _WORD.finditer(text):
        word, plain = found.group(), _unaccented(found.group())
        if len(word) < _SHORTEST_NAME or not word[0].isupper() or word.isupper():
            continue
        if {plain, plain.removesuffix("s")} & NOT_NAMES:
            continue
        first = _SENTENCE_BEGINS.search(text[: found.start()]) is not None
        if not first or plain in words("sure_names.txt"):
            yield found


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _unaccented(word: str) -> str:
    """As somebody types it who has no accents on the keyboard."""
    parts = unicodedata.normalize("NFKD", word.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


def _unrestored(text: str, context: GuardContext) -> str:
    places = find_stand_ins(text, context.surrogates)
    spoken = context.surrogates.spoken
    left = [start for start, end in places if text[start:end].casefold() not in spoken]
    left += [
        found.start()
        for row in context.surrogates.rows
        if row.kind is Kind.PERSON and _HAN_PERSON.fullmatch(row.stand_in)
        for found in _familiar_forms(row.stand_in).finditer(text)
        if found.group().casefold() not in context.client_text.casefold()
        and not any(real.startswith(row.stand_in[0]) for real in spoken)
    ]
    return f"a stand-in that was not restored, at {min(left)}" if left else ""


@lru_cache(maxsize=256)
def _familiar_forms(stand_in: str) -> re.Pattern[str]:
    """What a Chinese stand-in is called that `restore` leaves alone: in pinyin, or one of a class.

    Its surname is a rare sign, so a form of address around it means nobody else.
    """
    cut = 2 if len(stand_in) > _LONGEST_AFTER_ONE_SIGN else 1
    surname, given = stand_in[:cut], stand_in[cut:]
    first, then = ("".join(readings().get(sign, "") for sign in part) for part in (surname, given))
    spelt = [rf"{first} ?{then}", rf"{then} ?{first}", *([then] if len(given) > 1 else [])]
    called = rf"{surname}(?:先生|女士|小姐|太太|同学|[姐哥总姨])|[小老阿大]{surname}(?!菜)"
    return re.compile(
        rf"{called}|(?<![A-Za-z])(?:{'|'.join(spelt)})(?![A-Za-z])" if first and then else called,
        re.IGNORECASE,
    )


_FAULTS: dict[CheckName, Callable[[str, GuardContext], str]] = {
    CheckName.LENGTH: _length,
    CheckName.SHAPE: _shape,
    CheckName.UNKNOWN_NAME: _unknown_name,
    CheckName.UNRESTORED: _unrestored,
}

"""Names of people, places and organisations: what the taggers see, with lists and cues beside it.

A tagger's doubt is settled by the words around: a name after ``my roommate`` needs less proof, an
everyday word in lower case needs more. Words on the keep lists are never taken alone.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Literal, NamedTuple

from safety.names import lines, words
from safety.persons import HAN
from safety.surrogates import NAMED, Kind
from safety.tagger import ChineseTagger, EnglishTagger, Tagged, joined, load_tagger

SURE, LIKELY, HINTED, DOUBTED = 0.9, 0.5, 0.12, 0.75
"""Scores wanted of: anything; an ordinary word; a listed name or a cue before; a dictionary word."""
LATIN_WORD = re.compile(r"[A-Za-zÀ-ɏ]{2,}")


class Name(NamedTuple):
    """A stretch that names somebody or something; code points."""

    start: int
    end: int
    kind: Kind
    score: float


def find_names(text: str, language: Literal["en", "zh"]) -> list[Name]:
    """All names in a message, whatever scripts it mixes."""
    han = HAN.search(text) is not None
    found: list[Name] = []
    if language == "en" or LATIN_WORD.search(text):
        found += _english(text, han)
    if han:
        found += _chinese(text)
    return found


# Latin script

_CUE = re.compile(
    r"(?:\b(?:my|our|his|her|their|your|the|ur|mi)\s+(?:\w+\s+)?(?:husband|hubby|wife|mom|mum|dad|sister|brother|sis|bro"
    r"|son|daughter|kid|baby|cousin|aunt|auntie|uncle|niece|nephew|friend|bestie|best friend|mate|roommate|flatmate"
    r"|housemate|boyfriend|girlfriend|bf|gf|ex|partner|fianc[eé]e?|boss|manager|supervisor|coworker|colleague|teacher"
    r"|coach|neighbou?r|landlord|sponsor|therapist|counsell?or|lawyer|nurse|pastor|priest|stepdad|stepmom|stepson"
    r"|professor|tutor|advisor|ta|hermana|hermano)"
    r"|\b(?:dr|mr|mrs|ms|miss|mx|prof|professor|nurse|pastor|father|fr|rev|rabbi|imam|officer|coach|judge|sgt|aunt|auntie|uncle|tia|tío|tita|tito)\.?"
    r"|\b(?:name(?:'?s| is)|named|called|call me|this is|i am|i'?m|im|sincerely|regards|signed|love|xx|cheers|and|&|with|w|n)),?\s+$",
    re.I,
)
_SELF = re.compile(
    r"\b(?:my (?:full |real |legal )?name(?:'?s| is)|call me|they call me|signed,?|sincerely,?|regards,?|yours truly,?|this is)"
    r"\s+(?P<x>[A-Z][\w'’-]+(?:\s+[A-Z][\w'’-]+){0,3})"
)
_TITLED = re.compile(
    r"\b(?:Dr|Mr|Mrs|Ms|Miss|Mx|Prof|DR|MR|MRS|MS)\.?\s+(?P<x>[A-Z][\w'’-]+(?:\s+[A-Z][\w'’-]+)?)"
)


def _english(text: str, han: bool) -> list[Name]:
    tagger = load_tagger("en")
    assert isinstance(tagger, EnglishTagger)
    tagged = tagger.read(text)
    shouted = text.isupper()
    kept = [one for one in tagged if one.score >= _wanted(text, one, shouted)]
    found = [Name(*_trimmed(text, one), one.kind, one.score) for one in joined(text, kept)]
    found = [name for name in found if _is_name(text[name.start : name.end], name.kind)]
    found = [*found, *_cued(text)]
    return [name for name in found if name.kind in NAMED] if han else found


def _wanted(text: str, one: Tagged, shouted: bool) -> float:
    """The score that this word must reach to be taken for personal data."""
    word = text[one.start : one.end]
    plain = word.casefold().replace("’", "'").removesuffix("'s")
    if plain in words("keep_en.txt"):
        return 2.0 if one.kind is not Kind.ORGANIZATION else SURE
    if not {plain, plain.removesuffix("s")}.isdisjoint(words("sure_names.txt")):
        return HINTED
    if plain in words("sure_places.txt"):
        return HINTED
    common = word.islower() and plain in words("common_en.txt")
    if common and plain not in words("first_names.txt"):
        return DOUBTED
    if one.kind is Kind.PERSON and _CUE.search(text[max(0, one.start - 40) : one.start]):
        return HINTED * 2 if word[:1].isupper() and not shouted else LIKELY
    if common:
        return DOUBTED
    return LIKELY if one.kind is Kind.PERSON or word[:1].isupper() else 0.4


def _trimmed(text: str, one: Tagged) -> tuple[int, int]:
    """Without a possessive ``'s``."""
    end = one.end
    if text[one.start : end][-2:].lower() in {"'s", "’s"}:
        end -= 2
    return one.start, end


def _is_name(said: str, kind: Kind) -> bool:
    if kind not in NAMED and not re.search(r"[\d@_$]", said):
        return False
    if said.isdigit() or not any(c.isalnum() for c in said):
        return kind is Kind.LOCATION and len(said) > 3
    parts = said.casefold().split()
    keep = words("keep_en.txt")
    return kind is Kind.ORGANIZATION or not all(part.strip(".,'’") in keep for part in parts)


_STREET = re.compile(
    r"(?<![\w$])\d{1,5}[A-Za-z]?\s+(?:[A-Za-z][\w'’]*\.?\s+){1,3}?"
    r"(?:street|st|avenue|ave|road|rd|lane|ln|drive|dr|court|ct|close|crescent|place|pl|boulevard|blvd|way|terrace"
    r"|parkway|pkwy|highway|hwy|square|sq|row|gardens|grove)\b\.?"
    r"(?:,?\s*(?:apt|apartment|unit|suite|ste|flat|#)\.?\s*#?\w{1,5})?"
    r"(?:,\s*[A-Z][\w'’]+(?:\s+[A-Z][\w'’]+)?)*(?:,?\s+[A-Z]{2}\b)?(?:\s+\d{5}(?:-\d{4})?)?",
    re.I,
)
_AT_WORK = re.compile(
    r"\b(?:at|for|from|by|with|left|quit|joined|join|into|to)\s+(?:the\s+)?(?P<x>{})(?![\w])", re.I
)


@cache
def _at_work() -> re.Pattern[str]:
    """A well known employer or shop behind a word that makes it a workplace."""
    known = sorted((one for one in lines("organizations_en.txt") if "{" not in one), key=len)
    plain = {form for one in known for form in (one, one.replace("'", ""), one.replace("'s", ""))}
    forms = "|".join(re.escape(form) for form in sorted(plain, key=lambda form: (-len(form), form)))
    return re.compile(_AT_WORK.pattern.replace("{}", forms), re.I)


def _cued(text: str) -> Iterator[Name]:
    """What the words around say to be a name, in any case; Titles only in mixed case."""
    for found in _STREET.finditer(text):
        yield Name(*found.span(), Kind.LOCATION, SURE)
    for found in _at_work().finditer(text):
        yield Name(*found.span("x"), Kind.ORGANIZATION, SURE)
    if text.isupper():
        return
    for pattern in (_SELF, _TITLED):
        for found in pattern.finditer(text):
            first = found.group("x").split()[0].casefold()
            if first not in words("keep_en.txt") and first not in words("common_en.txt"):
                start, end = found.span("x")
                said = re.sub(r"['’]s$", "", text[start:end])
                yield Name(start, start + len(said), Kind.PERSON, SURE)


# Chinese

_ONE_LETTER = re.compile(
    r"(?<![A-Za-z0-9])(?<![素维维型选级考拿得])(?<!得了)(?<!拿了)(?<!考了)(?<!了个)(?P<x>[A-Z]{1,2})(?![A-Za-z0-9]"
    r"|[股站盘恤位字型区座杯图片餐货罩级班歌档帝超刊转照咖光线群信台轮血柱])(?=[\s，。,、！？；：㐀-鿿]|$)"
)
_NOT_PEOPLE = frozenset(
    "A B OK AI PPT HR PM CP DM VX QQ IP ID TV PS UP CT KO OT PK BB GG AA IT CB II DD XX MM".split()
)
_NAMED = re.compile(
    r"(?:我叫|名叫|名字叫|叫做|本人|申请人[：:]?|来访者|姓名[：:]|署名[：:]?|敬上[：:]?|我是)(?P<x>[㐀-鿿]{2,4}?)(?=[，。,.！!？?；;、\s（(]|$|今年|是|的|男|女|\d)"
)
_SURNAME_ONLY = re.compile(r"(?:姓)(?P<x>[㐀-鿿])(?![名氏])")
_TITLE_AFTER = re.compile(
    r"(?P<x>[㐀-鿿])(?=医生|醫生|主任|老师|老師|教授|律师|护士长|院长|校长|处长|科长|局长|经理|总监|太太|先生|女士|小姐|阿姨|警官|师傅|导师|大夫|教练|咨询师|督导)"
)
_CALLED = re.compile(
    r"(?<![㐀-鿿])(?:[小老阿大])(?P<x>[㐀-鿿])(?![㐀-鿿])|(?P<y>[㐀-鿿][总哥姐叔姨])(?=[，。,！？\s说让骂给把又总今不没叫跟])"
)
_PLACE_CUE = re.compile(r"[在去回到来來住从從离離往是过過]|搬到|人在|来自|老家")
_CALLED_SO = re.compile(
    r"(?:我|他|她|名字|儿子|兒子|女儿|女兒|孩子|老公|老婆|妹|弟|哥|姐|宝宝|狗|猫|大名|小名|外号|外號|昵称|绰号|都喊我|都叫我|都叫他|都叫她|喊我|叫我)"
    r"(?:叫|是|就叫|：)?(?P<x>[㐀-鿿]{2,3})(?=[，。,！？\s]|$|就行|就好|吧|，)"
)
_CALL_WORD = re.compile(r"叫|小名|大名|外号|外號|昵称|绰号|喊我")
_WORKPLACE = re.compile(
    r"(?P<x>(?:市|县|區|区|省|镇|国营|[一二三四五六七八九十0-9]{1,3}|第[一二三四五六七八九十]{1,2}|[㐀-鿿]{0,2}大)(?:[㐀-鿿]{0,3})"
    r"(?:一中|二中|三中|四中|附中|附小|中学|中學|小学|实小|妇幼|婦幼|一院|二院|三院|医院|醫院|中医院|人民医院|精神卫生中心|师专|职高|技校|公安局|派出所|法院|检察院|税务局|教育局|民政局|财政局|机械厂|纺织厂|钢厂|厂))"
)
_ALONE_WORKPLACES = re.compile(
    r"师专|师院|附中|附小|市妇幼|县法院|市一院|市二院|市三院|市公安局|省妇幼"
)
_ADDRESS = re.compile(
    r"(?:[㐀-鿿]{2,12}(?:省|市|区|县|镇|乡|街道|路|街|巷|里|村|胡同|大道|弄|小区|花园|苑|公寓|广场|大厦))+(?:[A-Za-z]?\d{1,5}(?:号院?|號|弄|栋|幢|座|楼|樓|单元|室|层|房|期|组|-\d+)*)+"
)
_BEFORE_ADDRESS = re.compile(
    r"^(?:我|他|她|家|就|现在|目前|一直|还|也|都|住|在|寄|到|去|的|是|往|送|于|搬|租|位|地址|：)+"
)


def _chinese(text: str) -> list[Name]:
    tagger = load_tagger("zh")
    assert isinstance(tagger, ChineseTagger)
    hinted = _place_hints(text)
    kept = [
        one
        for one in tagger.read(text)
        if one.score >= (HINTED if one.start in hinted else 0.35) and not text[one.start].isspace()
    ]
    kept = [one for one in kept if text[one.start].isalnum() or one.kind not in _NAMES]
    found = [Name(one.start, one.end, one.kind, one.score) for one in _strict(text, kept)]
    found = [name for name in found if _is_chinese_name(text[name.start : name.end], name)]
    found += _chinese_cues(text)
    keep = [one.span() for one in _long_keeps().finditer(text)]
    return [
        name
        for name in found
        if not any(start <= name.start and name.end <= end for start, end in keep)
    ]


@cache
def _long_keeps() -> re.Pattern[str]:
    """Words to keep that are long enough to be no part of a name."""
    kept = sorted((word for word in words("keep_zh.txt") if len(word) > 2), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, kept)))


def _place_hints(text: str) -> set[int]:
    """Code points inside a listed place that a word of place stands in front of."""
    hinted: set[int] = set()
    for found in _PLACE_CUE.finditer(text):
        start = found.end()
        for length in (5, 4, 3, 2):
            if text[start : start + length] in _places():
                hinted |= set(range(start, start + length))
                break
    return hinted


@cache
def _places() -> frozenset[str]:
    return frozenset(lines("places_zh.txt")) | words("world_places_zh.txt")


_NAMES = (Kind.PERSON, Kind.LOCATION, Kind.ORGANIZATION)


def _strict(text: str, kept: Sequence[Tagged]) -> list[Tagged]:
    """Neighbouring characters of one kind as one span."""
    spans: list[Tagged] = []
    for one in kept:
        last = spans[-1] if spans else None
        if last and last.end == one.start and last.kind is one.kind and not one.begins:
            spans[-1] = last._replace(end=one.end, score=max(last.score, one.score))
        else:
            spans.append(one)
    return spans


def _is_chinese_name(said: str, name: Name) -> bool:
    if said in words("keep_zh.txt") or said.casefold() in words("keep_en.txt"):
        return False
    if len(said) == 1 and HAN.fullmatch(said):
        return said in lines("surnames_zh.txt") and name.score >= LIKELY
    return name.score >= LIKELY or len(said) > 1


def _chinese_cues(text: str) -> Iterator[Name]:
    for found in _ONE_LETTER.finditer(text):
        if found.group("x") not in _NOT_PEOPLE:
            yield Name(*found.span("x"), Kind.PERSON, LIKELY)
    for found in _NAMED.finditer(text):
        said = found.group("x")
        if said[0] in lines("surnames_zh.txt") and said not in words("keep_zh.txt"):
            yield Name(*found.span("x"), Kind.PERSON, LIKELY)
    for pattern in (_SURNAME_ONLY, _TITLE_AFTER):
        for found in pattern.finditer(text):
            doubled = text[: found.start("x")].endswith(found.group("x"))
            if found.group("x") in _common_surnames() and not doubled:
                yield Name(*found.span("x"), Kind.PERSON, LIKELY)
    yield from _chinese_places(text)


def _chinese_places(text: str) -> Iterator[Name]:
    for found in _CALLED_SO.finditer(text):
        said = found.group("x")
        called = _CALL_WORD.search(found.group()[: -len(said)]) is not None
        if (
            called
            and not re.search(r"[不了我你他她的人们着过]", said)
            and said not in _KINDS_OF_CALL
        ):
            yield Name(*found.span("x"), Kind.PERSON, LIKELY)
    for pattern in (_WORKPLACE, _ALONE_WORKPLACES):
        for found in pattern.finditer(text):
            yield Name(*found.span(), Kind.ORGANIZATION, LIKELY)
    for found in _ADDRESS.finditer(text):
        start = found.start() + len((_BEFORE_ADDRESS.match(found.group()) or [""])[0])
        yield Name(start, found.end(), Kind.LOCATION, LIKELY)
    for found in _PLACE_CUE.finditer(text):
        start = found.end()
        for length in (4, 3, 2):
            said = text[start : start + length]
            if said in words("world_places_zh.txt"):
                yield Name(start, start + length, Kind.LOCATION, LIKELY)
                break


_KINDS_OF_CALL = frozenset(
    "外卖 妈妈 爸爸 老师 救护车 出来 起来 回家 吃饭 滴滴 打车 名字 宝宝 宝贝".split()
)


def _common_surnames() -> frozenset[str]:
    """Surnames that hardly ever end another word before a title."""
    return frozenset(lines("surnames_zh.txt")[:130]) - frozenset(
        "心高方时和关安成明向全师家老大小位的"
    )

"""Names in Chinese script: what the tagger sees in the characters, with lists and cues beside it.

Chinese has no capitals and no blanks, so a cue says more than in English: a surname before a title,
a word of calling before a name, a word of place before a listed town.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

from safety.names import lines, words
from safety.persons import CALLED_BEFORE, HAN
from safety.recognizers_numbers import is_plain_number
from safety.surrogates import NAMED, TITLES, Kind
from safety.tagger import Tagged, load_chinese_tagger

LIKELY, WANTED, HINTED = 0.5, 0.45, 0.12
"""Scores: of a name by a cue alone; wanted of any character; of one in a listed place."""


class Name(NamedTuple):
    """A stretch that names somebody or something; code points."""

    start: int
    end: int
    kind: Kind
    score: float


def find_chinese_names(text: str) -> list[Name]:
    """All names in Chinese script."""
    hinted = _place_hints(text)
    kept = [
        one
        for one in load_chinese_tagger().read(text)
        if one.score >= (HINTED if one.start in hinted else WANTED)
        and not text[one.start].isspace()
    ]
    kept = [one for one in kept if text[one.start].isalnum() or one.kind not in NAMED]
    found = [Name(one.start, one.end, one.kind, one.score) for one in _runs(kept)]
    found = [_untitled(text, name) for name in found if not is_plain_number(text, *name[:3])]
    found = [
        name
        for name in found
        if _is_name(text[name.start : name.end], name) and not _SHEET.match(text, name.start)
    ]
    found += _cued(text)
    keep = [one.span() for one in _long_keeps().finditer(text)]
    keep += [
        one.span() for one in _LATIN.finditer(text) if one[0].casefold() in words("keep_en.txt")
    ]
    return [
        name
        for name in found
        if not any(start <= name.start and name.end <= end for start, end in keep)
    ]


def _runs(kept: Sequence[Tagged]) -> list[Tagged]:
    """Neighbouring characters of one kind as one span."""
    spans: list[Tagged] = []
    for one in kept:
        last = spans[-1] if spans else None
        if last and last.end == one.start and last.kind is one.kind and not one.begins:
            spans[-1] = last._replace(end=one.end, score=max(last.score, one.score))
        else:
            spans.append(one)
    return spans


_LATIN = re.compile(r"[A-Za-z]{3,}")
_SHEET = re.compile(
    r"(?<=[像一这那几每半两三四五六七八九十剩给撕有是])张[白黑红旧新大小]?"
    r"[纸紙条條桌椅脸臉嘴床票照卡图圖]"
)
"""A surname that counts what is flat: 像张白纸."""


def _is_name(said: str, name: Name) -> bool:
    if said[-1] == "係":
        return False
    if _AMOUNT.match(said) or (name.kind not in NAMED and not _STRUCTURED.search(said)):
        return False
    if said in words("keep_zh.txt") or said.casefold() in words("keep_en.txt"):
        return False
    if len(said) == 1 and HAN.fullmatch(said):
        return said in lines("surnames_zh.txt") and name.score >= LIKELY
    return name.score >= LIKELY or len(said) > 1


_STRUCTURED = re.compile(r"[\d@_$零〇一二三四五六七八九幺]|艾特")
"""What a number or an address has in it; a foreign word in a Chinese sentence has not."""


_AMOUNT = re.compile(r"[\d一二两三四五六七八九十半]+(?:毫克|片|粒|岁|家$|个|次|点|块)")


@cache
def _long_keeps() -> re.Pattern[str]:
    """Words to keep that are long enough to be no part of a name."""
    kept = sorted((word for word in words("keep_zh.txt") if len(word) > 2), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, kept)))


# People

_ONE_LETTER = re.compile(
    # A person may be one capital letter, but not in 维D, 拿了A or 考了个B ...
    r"(?<![A-Za-z0-9])(?<![素维维型选级考拿得])(?<!得了)(?<!拿了)(?<!考了)(?<!了个)(?P<x>[A-Z]{1,2})"
    # ... nor in A股, B站, T恤 and their like.
    r"(?![A-Za-z0-9]"
    r"|[股站盘恤位字型区座杯图片餐货罩级班歌档帝超刊转照咖光线群信台轮血柱口栋幢排门])"
    r"(?=[\s，。,、！？；：㐀-鿿]|$)"
)
_NOT_PEOPLE = words("not_people_zh.txt")
_NAMED = re.compile(
    r"(?:我叫|名叫|名字叫|叫做|本人|申请人[：:]?|来访者|姓名[：:]|署名[：:]?|敬上[：:]?|我是)"
    r"(?P<x>[㐀-鿿]{2,4}?)(?=[，。,.！!？?；;、\s（(]|$|今年|是|的|男|女|\d)"
)
_SURNAME_ONLY = re.compile(r"(?:姓)(?P<x>[㐀-鿿])(?![名氏])")
_TITLE = re.compile(TITLES)
_LONGEST_TITLE = max(map(len, TITLES.split("|")))
_ENDS_WORD = (
    r"(?<=[语語英中作])文|(?<=[任如为])何|(?<=[关關对對由等至属])于"
    r"|(?<=[历歷])史|(?<=[明坦])白|(?<=[给有没还欠花])钱"
)
"""Surnames that are the end of a word: 语文老师, 任何医生."""
_TITLE_AFTER = re.compile(rf"(?P<x>(?!{_ENDS_WORD})[㐀-鿿])(?={TITLES})")
_CALLED_SO = re.compile(
    r"(?:我|他|她|名字|儿子|兒子|女儿|女兒|孩子|老公|老婆|妹|弟|哥|姐|宝宝|狗|猫|大名|小名|外号"
    r"|外號|昵称|绰号|都喊我|都叫我|都叫他|都叫她|喊我|叫我)"
    r"(?:叫|是|就叫|：)?(?P<x>[㐀-鿿]{2,3})(?=[，。,！？\s]|$|就行|就好|吧|，)"
)
# A name that is a word (谷雨) is a name when it is said to be somebody.
_IS_SOMEBODY = re.compile(
    r"(?:^|(?<=[，。,！？；\s]))(?P<x>[㐀-鿿]{2,3})(?:就)?是我(?:的)?"
    r"(?:大|小|前|亲)?(?:女儿|女兒|儿子|兒子|闺女|姐姐?|妹妹?|哥哥?|弟弟?|表[姐妹哥弟]|堂[姐妹哥弟]"
    r"|同学|同桌|同事|室友|朋友|闺蜜|男友|女友|男朋友|女朋友|老公|老婆|老板|导师|邻居)"
    r"(?=[，。,！？；\s]|的名字|$)"
)
_KNOWN_AS = re.compile(
    r"(?:[个位]叫|网名叫|網名叫|昵称叫|暱稱叫|网名是|昵称是|群主叫)"
    r"(?P<x>(?![不得什啥做我他她])[㐀-鿿A-Za-z0-9_]{2,8}?)"
    r"(?=的(?:网友|網友|群友|人|博主|主播|账号|用户|男的|女的|男生|女生))"
)
_WRITTEN_BY_SOUND = (
    "阿艾安爱奥巴白贝本比彼别宾伯勃博卜布查达大戴丹德登迪蒂丁杜顿都多恩尔法菲费芬弗夫福富盖戈格"
    "根古哈海汉汗合赫黑亨华霍基吉加贾江杰金卡凯坎康考科克孔库拉莱赖兰劳勒雷黎里力利丽莉林琳卢鲁路"
    "伦罗洛马玛迈买麦曼梅美蒙米密莫默穆木姆纳娜奈内尼妮涅诺努帕潘佩皮普奇齐其恰切乔琼让热仁日荣茹"
    "萨塞赛桑沙山尚舍圣诗史斯丝苏索塔泰坦汤特提廷图吐土托瓦万旺威韦维魏温翁沃乌吾伍西希夏肖谢辛休"
    "许雪逊雅亚扬牙耶叶伊依英尤约云扎则泽詹珍芝孜兹佐娅再孙肉"
)
# Only a name has a dot in it whose characters all stand for sounds: 吐尔逊·买买提.
_DOTTED = re.compile(
    rf"(?:[{_WRITTEN_BY_SOUND}]|(?<=阿)不){{1,6}}(?:[·・•](?:[{_WRITTEN_BY_SOUND}]|(?<=阿)不){{1,6}})+"
)
_CALL_WORD = re.compile(r"叫|小名|大名|外号|外號|昵称|绰号|喊我")
_IN_NO_NAME = re.compile(r"[不了我你他她它的人们着过这那谁都也才今明昨]")
_CALLED_OTHERWISE = words("called_otherwise_zh.txt")


def _cued(text: str) -> Iterator[Name]:
    for found in _ONE_LETTER.finditer(text):
        if found.group("x").casefold() not in _NOT_PEOPLE:
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
    yield from _called(text)
    yield from _cued_places(text)


def _untitled(text: str, name: Name) -> Name:
    """The name without the title after it: the tagger may take 陈医 from 陈医生."""
    if name.kind is not Kind.PERSON:
        return name
    for found in _TITLE.finditer(text, name.start + 1, name.end + _LONGEST_TITLE):
        who = text[name.start : found.start()]
        named = any(part in lines("surnames_zh.txt") for part in (who[0], who[:2]))
        if found.start() < name.end <= found.end() and (named or who[0] in CALLED_BEFORE):
            return name._replace(end=found.start(), score=max(name.score, LIKELY))
    return name


def _called(text: str) -> Iterator[Name]:
    for found in _CALLED_SO.finditer(text):
        said = found.group("x")
        called = _CALL_WORD.search(found.group()[: -len(said)]) is not None
        if called and not _IN_NO_NAME.search(said) and said not in _CALLED_OTHERWISE:
            yield Name(*found.span("x"), Kind.PERSON, LIKELY)
    for found in _DOTTED.finditer(text):
        yield Name(*found.span(), Kind.PERSON, LIKELY)
    for found in _KNOWN_AS.finditer(text):
        yield Name(*found.span("x"), Kind.PERSON, LIKELY)
    for found in _IS_SOMEBODY.finditer(text):
        said = found.group("x")
        if not _IN_NO_NAME.search(said) and said not in words("keep_zh.txt"):
            yield Name(*found.span("x"), Kind.PERSON, LIKELY)


@cache
def _common_surnames() -> frozenset[str]:
    """Surnames that hardly ever end another word before a title."""
    return frozenset(lines("surnames_zh.txt")[:130]) - frozenset(
        "心高方时和关安成明向全师家老大小位的"
    )


# Places and organisations

_PLACE_CUE = re.compile(r"[在去回到来來住从從离離往是过過]|搬到|人在|来自|老家")
_WORKPLACE = re.compile(
    # Whose it is: the town's, a number's, a university's ...
    r"(?P<x>(?:市|县|區|区|省|镇|国营|[一二三四五六七八九十0-9]{1,3}(?![个家所间])|第[一二三四五六七八九十]{1,2}"
    r"|[㐀-鿿]{0,2}大)(?:[㐀-鿿]{0,3})"
    # ... and what it is.
    r"(?:一中|二中|三中|四中|附中|附小|中学|中學|小学|实小|妇幼|婦幼|一院|二院|三院|医院|醫院"
    r"|中医院|人民医院|精神卫生中心|师专|职高|技校|公安局|派出所|法院|检察院|税务局|教育局"
    r"|民政局|财政局|机械厂|纺织厂|钢厂|厂))"
)
_AT_WORK = (
    r"(?:[在从從去进進到]|离开|就职于)(?P<x>{})(?![A-Za-z0-9])"
    r"(?![㐀-鿿]{{0,2}}(?:买|下单|刷|看|搜|点|抢|拼|充|打车|叫|订|粥|米|吃|喝|逛))"
)
"""A well known employer behind a word of place; where one only shops it says little."""
_ALONE_WORKPLACES = re.compile(
    r"师专|师院|附中|附小|市妇幼|县法院|市一院|市二院|市三院|市公安局|省妇幼"
)
_KIND_OF_PLACE = r"(?:[省市区县镇乡路街巷里村弄苑]|街道|胡同|大道|小区|花园|公寓|广场|大厦)"
_ADDRESS = re.compile(
    # Each character stands shortly before a kind of place. One run: a repeat within a repeat
    # would try every way to cut it, and 里里里 can be cut in very many.
    rf"(?:[㐀-鿿](?=[㐀-鿿]{{0,12}}{_KIND_OF_PLACE})){{2,60}}{_KIND_OF_PLACE}"
    r"(?:[A-Za-z]?\d{1,5}(?:号院?|號|弄|栋|幢|座|楼|樓|单元|室|层|房|期|组|-\d+)*)+"
)
_BEFORE_ADDRESS = re.compile(
    r"^[㐀-鿿]{0,6}?(?:寄到|寄给|寄|住在|搬到|送到|位于|地址是)+"
    r"|^(?:我|他|她|家|就|现在|目前|一直|还|也|都|住|在|寄|到|去|的|是|往|送|于|搬|租|位|地址|：)+"
)


def _cued_places(text: str) -> Iterator[Name]:
    for found in _at_work().finditer(text):
        yield Name(*found.span("x"), Kind.ORGANIZATION, LIKELY)
    for pattern in (_WORKPLACE, _ALONE_WORKPLACES):
        for found in pattern.finditer(text):
            yield Name(*found.span(), Kind.ORGANIZATION, LIKELY)
    for found in _ADDRESS.finditer(text):
        start = found.start() + len((_BEFORE_ADDRESS.match(found.group()) or [""])[0])
        yield Name(start, found.end(), Kind.LOCATION, LIKELY)
    for found in _PLACE_CUE.finditer(text):
        start = found.end()
        for length in (4, 3, 2):
            if text[start : start + length] in words("world_places_zh.txt"):
                yield Name(start, start + length, Kind.LOCATION, LIKELY)
                break


@cache
def _at_work() -> re.Pattern[str]:
    known = (one for one in lines("organizations_zh.txt") if "{" not in one)
    return re.compile(_AT_WORK.format("|".join(sorted(known, key=len, reverse=True))))


def _place_hints(text: str) -> set[int]:
    """Code points inside a listed place; two characters only behind a word of place."""
    hinted: set[int] = set()
    cued = {found.end() for found in _PLACE_CUE.finditer(text)}
    for start in range(len(text)):
        for length in (5, 4, 3, 2) if start in cued else (5, 4, 3):
            if text[start : start + length] in _places():
                hinted |= set(range(start, start + length))
                break
    return hinted


@cache
def _places() -> frozenset[str]:
    return frozenset(lines("places_zh.txt")) | words("world_places_zh.txt")

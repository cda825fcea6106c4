"""Structured personal data, found by its form and by the words before it. Pure.

A number alone says little: the words in front decide whether it is a phone, an identity or a card.
Hotlines are nobody's personal data and are left alone.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from safety.names import lines
from safety.surrogates import Kind

BACK = 28
"""How many code points in front of a number are asked what it is."""
FEWEST_DIGITS = 7
"""Digits in a number that is personal data without any word about it."""


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


def hotlines(text: str) -> list[tuple[int, int]]:
    """Where a helpline's number stands; never personal data."""
    return [
        found.span()
        for found in _NUMBER.finditer(text)
        if _is_hotline(text, found.start(), found.end())
    ]


def _candidates(text: str) -> Iterator[Form]:
    for kind, pattern in _PLAIN:
        for found in pattern.finditer(text):
            start, end = found.span(found.lastgroup or 0)
            while end > start and text[end - 1] in ".,;:!?'\"，。；！？、）)":
                end -= 1
            if kind is not Kind.URL or _is_url(text[start:end]):
                yield Form(start, end, kind)
    yield from _births(text)
    yield from _numbers(text)


# Plain forms

_TLD = r"(?:com|org|net|edu|gov|io|co|me|info|app|dev|uk|ca|au|nz|cn|us|de|fr|tv|blog|site|hk|tw)"
_SPOKEN_AT = r"(?:\s*[\[(]\s*at\s*[\])]\s*|\s+at\s+|\s*艾特\s*|\s+圈\s*[aA啊]?\s*|\s+@\s+)"
_SPOKEN_DOT = r"(?:\s*[\[(]\s*dot\s*[\])]\s*|\s+dot\s+|\s*点\s*|\s+\.\s+|\.)"
_DATE = (
    r"(?:\d{1,4}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{1,4}"
    r"|\d{1,2}(?:st|nd|rd|th)?\s+(?:of\s+)?[A-Za-z]{3,9}\.?,?\s+(?:\d{4}|'?\d{2})"
    r"|[A-Za-z]{3,9}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+(?:\d{4}|'?\d{2})(?!\d)"
    r"|(?:\d{2,4}|[〇零一二三四五六七八九]{2,4})年\s?(?:\d{1,2}|[一二三四五六七八九十冬腊正]{1,3})月"
    r"(?:\s?(?:\d{1,2}|[初一二三四五六七八九十廿]{1,3})[日号號]?)?)"
)
_SHORT_DATE = (
    r"(?:(?:\d{1,2}|[一二三四五六七八九十冬腊正]{1,3})月(?:\d{1,2}|[初一二三四五六七八九十廿]{1,3})[日号號]?"
    r"|\d{1,2}[/.-]\d{1,2}|\d{4,8}|[A-Za-z]{3,9}\.?\s+\d{1,2}(?:st|nd|rd|th)?"
    r"|\d{1,2}(?:st|nd|rd|th)?\s+(?:of\s+)?[A-Za-z]{3,9})"
)
_MONTH = re.compile(r"jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec", re.I)
_PLATFORM = (
    r"(?:insta(?:gram)?|\big|snap(?:chat)?|discord|twitter|tik ?tok|reddit|twitch|telegram|tumblr"
    r"|steam|psn|xbox|gamer ?tag|user ?name|screen ?name|handle|venmo|roblox|facebook|onlyfans"
    r"|\bins(?![a-z])|抖音|快手|微博|小红书|小紅書|b站|贴吧|豆瓣|知乎|网名|網名|昵称|暱稱|用户名|账号名|\bid(?![a-z]))"
)
_LINK = r"(?:['’]s|s|名|号|號|里|上|是|叫做|叫|为|is|was|as|called|named|name|user|account|under|at|:|：|=|@|,|，|\s){0,6}?"
_PLAIN: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (Kind.URL, re.compile(r"(?:https?://|www\.)[A-Za-z0-9_./?=&%#:~+@!,;-]+", re.I)),
    (
        Kind.EMAIL_ADDRESS,
        re.compile(
            r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
        ),
    ),
    (
        Kind.EMAIL_ADDRESS,
        re.compile(
            rf"(?<![A-Za-z0-9])[A-Za-z0-9_.+-]+(?:\s(?:dot|underscore|dash)\s[A-Za-z0-9_]+)*{_SPOKEN_AT}"
            rf"[A-Za-z0-9-]+(?:{_SPOKEN_DOT}[A-Za-z0-9-]+)*?{_SPOKEN_DOT}{_TLD}(?![A-Za-z])",
            re.I,
        ),
    ),
    (
        Kind.URL,
        re.compile(
            rf"(?<![@A-Za-z0-9._-])(?:[A-Za-z0-9-]+\.)+{_TLD}(?![A-Za-z0-9])(?:/[A-Za-z0-9_./?=&%#-]*)?",
            re.I,
        ),
    ),
    (Kind.IP_ADDRESS, re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)")),
    (
        Kind.IP_ADDRESS,
        re.compile(
            r"(?<![A-Za-z0-9_:])(?:[0-9a-f]{1,4}:){2,7}:?(?:[0-9a-f]{1,4})?(?::[0-9a-f]{1,4})*(?![A-Za-z0-9_:])",
            re.I,
        ),
    ),
    (Kind.FINANCIAL, re.compile(r"(?<![A-Za-z0-9_])(?:0x[0-9a-f]{10,}|bc1[0-9a-z]{8,})", re.I)),
    (
        Kind.FINANCIAL,
        re.compile(
            r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){3,7}(?:\s?[A-Z0-9]{1,4})?(?![A-Za-z0-9])"
        ),
    ),
    (Kind.FINANCIAL, re.compile(r"(?<!\w)\$[A-Za-z][A-Za-z0-9_-]{3,}")),
    (
        Kind.FINANCIAL,
        re.compile(
            r"\b(?:rt|routing)(?: (?:no|number))?[.:#]? ?\d{6,9}(?:,?\s*(?:and )?(?:acct|account)(?: (?:no|number))?[.:#]? ?\d{4,12})?",
            re.I,
        ),
    ),
    (
        Kind.FINANCIAL,
        re.compile(
            r"(?:尾号|尾號|末四位|(?:end(?:s|ing)?|last (?:four|4))(?:\s(?:in|with|digits|are|is))*\s)\s*(?:是|为|：|:)?\s*(?P<x>[*xX]*\d{4})(?!\d)",
            re.I,
        ),
    ),
    (Kind.FINANCIAL, re.compile(r"(?<!\w)[xX*]{2,}[- ]?\d{4}(?!\d)")),
    (
        Kind.WECHAT_QQ,
        re.compile(
            r"(?:we ?chat|weixin|微信|薇信|威信|徽信|\bwx|\bvx|v信|[加➕]v|扣扣|\bqq|企鹅号?|企鹅)"
            r"(?:['’]?s|\s|id|号码|号|號|群|名|是|为|叫|is|was|换成|改成|：|:|=|,|，|了|my|the|同号|number|handle){0,7}?"
            r"(?P<x>(?=[A-Za-z_.-]*[\d_-]|(?<=is )|(?<=was )|(?<=[:：是为 ])(?![a-z]+\s+[a-z]))[A-Za-z][A-Za-z0-9_.-]{4,}|[1-9]\d{2,4}(?:[ -]?\d{3,4}){1,3}|[零〇一二三四五六七八九幺]{6,11})(?![A-Za-z0-9])",
            re.I,
        ),
    ),
    (
        Kind.USERNAME,
        re.compile(
            r"(?<![A-Za-z0-9_.])@[A-Za-z0-9_㐀-鿿](?:[A-Za-z0-9_.-]{2,}|[㐀-鿿]{1,10}_?\d*)", re.I
        ),
    ),
    (
        Kind.USERNAME,
        re.compile(
            rf"{_PLATFORM}{_LINK}(?P<x>(?=[A-Za-z0-9_.#-]*(?:[\d_#]|[.][A-Za-z]))[A-Za-z][A-Za-z0-9_.#-]{{3,}})(?![A-Za-z0-9])",
            re.I,
        ),
    ),
    (Kind.USERNAME, re.compile(r"(?<![㐀-鿿0-9])[㐀-鿿]{2,12}_?0\d{2,3}(?![\d-])")),
    (
        Kind.USERNAME,
        re.compile(rf"{_PLATFORM}{_LINK}(?P<x>[A-Za-z_]*[㐀-鿿]{{1,10}}_?\d{{2,}})", re.I),
    ),
    (
        Kind.USERNAME,
        re.compile(
            r"(?<![A-Za-z0-9_@.$/-])(?=[A-Za-z0-9_.#-]*[A-Za-z]{3})[A-Za-z][A-Za-z0-9]*(?:[_.#-][A-Za-z0-9]+)*[_.#-]?\d{3,}(?:_[A-Za-z]+)?(?![A-Za-z0-9_@/-])"
        ),
    ),
    (
        Kind.USERNAME,
        re.compile(
            r"(?<![A-Za-z0-9_@.$/])(?=[A-Za-z0-9_]*[A-Za-z])[A-Za-z0-9]+(?:_[A-Za-z0-9]+)+(?![A-Za-z0-9_@/])"
        ),
    ),
)


def _is_url(url: str) -> bool:
    """A full stop without a space (``home.me too``) is no address."""
    return "/" in url or url.lower().startswith("www.") or url.count(".") > 1 or len(url) > 9


# Dates of birth

_BIRTH_BEFORE = re.compile(
    r"(?:\bborn(?:\s+on)?|birth ?day|\bb-?day|\bd\.?\s?o\.?\s?b\.?|date of birth|birth ?date|\bbirth"
    r"|borthday|brithday|出生(?:日期|于|在)?|生日|生于|生在|生辰)"
    rf"(?:['’]?s|\s|is|was|on|it|the|my|是|为|：|:|=|,|，|\)|\(|（|）|农历|阴历|阳历){{0,7}}?(?P<x>{_DATE}|{_SHORT_DATE})",
    re.I,
)
_BIRTH_AFTER = re.compile(
    rf"(?P<x>{_DATE})\s?(?:is my (?:birth ?day|bday)|出生|生日|生的|的生日|生人|[,，]?\s?(?:my birthday|dob))",
    re.I,
)


def _births(text: str) -> Iterator[Form]:
    for pattern in (_BIRTH_BEFORE, _BIRTH_AFTER):
        for found in pattern.finditer(text):
            said = found.group("x")
            latin = re.search(r"[A-Za-z]{3,}", re.sub(r"\bof\b|(?<=\d)(?:st|nd|rd|th)", "", said))
            if latin is None or _MONTH.match(latin.group()):
                yield Form(*found.span("x"), Kind.DATE_OF_BIRTH)


# Numbers

_SPOKEN = r"(?:zero|oh|o|one|two|three|four|five|six|seven|eight|nine|double|triple)"
_SPOKEN_NUMBER = re.compile(rf"\b{_SPOKEN}(?:[\s,.-]+{_SPOKEN}){{5,}}\b", re.I)
_SPOKEN_HAN = re.compile(
    r"[零〇一二三四五六七八九幺两](?:[\s,，、-]?[零〇一二三四五六七八九幺两]){6,}"
)
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9.$£€¥])(?:[A-Z]{1,5}[-/ ]?(?=\d))?(?:\+|\()?\d(?:[\d]|[ ().\-/]{1,2}(?=[\d(A-Z]))*"
    r"(?:[-/]?[A-Z0-9]*[A-Z](?![a-z]))?(?:-\d+)*(?![A-Za-z0-9])"
)
_CODE = re.compile(
    r"(?<![A-Za-z0-9@._/-])(?=[A-Z0-9/-]*\d{3})(?=[A-Z0-9/-]*[A-Z])[A-Z0-9]+(?:[-/][A-Z0-9]+)*(?![A-Za-z0-9@_])"
    r"|(?<![A-Za-z0-9])[A-Z]{1,4}(?:[ -]\d{3,4}){2,4}(?![A-Za-z0-9])"
)
_ABOUT: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        Kind.ID_NUMBER,
        re.compile(
            r"\bssn|social security|\b(?:member|patient|student|policy|case|claim|permit|badge|inmate"
            r"|passport|licen[cs]e|matric|file|record|employee|tax|national|reference|crime|dod|military|visa|booking|referral|order|invoice|account ref)\b"
            r"[\w\s]{0,12}$|\b(?:nhs|mrn|ref|id|sin|nric|medicare|medicaid|insurance)\b[\w\s.#:]{0,10}$"
            r"|身份[证證]|证件|護照|护照|病历|病歷|住院号|就诊号|学号|學號|学籍|工号|工號|社保|医保|编号|編號|单号|警号|准考证|档案号|车牌",
            re.I,
        ),
    ),
    (
        Kind.FINANCIAL,
        re.compile(
            r"\b(?:card|acct|account|iban|routing|sort code|bank|visa|mastercard|amex|debit|credit|cash ?app|venmo"
            r"|paypal|zelle|gcash|autopay|debited)\b|银行|銀行|支付宝|账号|帐号|帳號|账户|帳戶|卡号|[转打轉][到给]|工资卡|信用卡|卡",
            re.I,
        ),
    ),
    (Kind.WECHAT_QQ, re.compile(r"we ?chat|微信|薇信|\bqq|扣扣|企鹅|战友群|群号", re.I)),
    (
        Kind.PHONE_NUMBER,
        re.compile(
            r"\b(?:call|text|phone|cell|mobile|tel|number|landline|whats ?app|fax|reach|ring|contact|line|signal)\w*"
            r"|手机|手機|电话|電話|号码|號碼|传真|打给|打我|联系|聯絡|拨",
            re.I,
        ),
    ),
)
_HOTLINE_WORD = re.compile(
    r"hot ?line|help ?line|life ?line|crisis|samaritans|热线|熱線|生命线|生命線|援助", re.I
)


def _numbers(text: str) -> Iterator[Form]:
    for pattern in (_SPOKEN_NUMBER, _SPOKEN_HAN):
        for found in pattern.finditer(text):
            yield Form(*found.span(), _about(text, found.start()) or Kind.PHONE_NUMBER)
    for found in _NUMBER.finditer(text):
        kind = _number_kind(text, found.start(), found.end())
        if kind is not None:
            yield Form(*found.span(), kind)
    for found in _CODE.finditer(text):
        if sum(c.isdigit() for c in found.group()) >= 4 or _about(text, found.start()):
            yield Form(*found.span(), Kind.ID_NUMBER)


def _number_kind(text: str, start: int, end: int) -> Kind | None:
    if _is_hotline(text, start, end):
        return None
    said = text[start:end]
    digits = sum(c.isdigit() for c in said)
    about = _about(text, start)
    if about is Kind.ID_NUMBER and digits >= 5:
        return about
    if about is Kind.FINANCIAL and digits >= 7:
        return about
    if about is Kind.WECHAT_QQ and digits >= 6:
        return about
    if digits < FEWEST_DIGITS or re.fullmatch(
        r"\d{1,3}(?:,\d{3})+|(?:19|20)\d\d\s?-\s?(?:19|20)?\d\d", said
    ):
        return None
    if re.fullmatch(r"\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{2,4}", said):
        return None
    if digits in {15, 16, 18, 19} and about is not Kind.PHONE_NUMBER:
        return Kind.ID_NUMBER if digits in {15, 18} else Kind.FINANCIAL
    if re.fullmatch(r"\d{3}-\d{2}-\d{4}", said) or re.search(r"[A-Z]", said):
        return Kind.ID_NUMBER
    return about or Kind.PHONE_NUMBER


def _about(text: str, start: int) -> Kind | None:
    """What the nearest telling word before a place says; an email or name in between hides it."""
    before = text[max(0, start - BACK) : start]
    best: tuple[int, Kind] | None = None
    for kind, pattern in _ABOUT:
        for found in pattern.finditer(before):
            if best is None or found.end() > best[0]:
                best = (found.end(), kind)
    return best[1] if best else None


def _is_hotline(text: str, start: int, end: int) -> bool:
    digits = "".join(c for c in text[start:end] if c.isdigit())
    if digits in _hotline_digits() or digits.removeprefix("1") in _hotline_digits():
        return True
    around = text[max(0, start - 14) : start] + "|" + text[end : end + 12]
    return _HOTLINE_WORD.search(around) is not None and not re.search(r"my|我的|自己", around)


def _hotline_digits() -> frozenset[str]:
    return frozenset(
        "".join(c for c in line.split("#")[0] if c.isdigit()) for line in lines("hotlines.txt")
    )

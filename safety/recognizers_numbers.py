"""Numbers that are personal data: the words in front decide what a number is.

Hotlines are nobody's personal data and are left alone.
"""

import re
from collections.abc import Iterator
from functools import cache

from safety.names import lines
from safety.surrogates import Kind

BACK = 28
"""How many code points in front of a number are asked what it is."""
FEWEST_DIGITS = 7
"""Digits in a number that is personal data without any word about it."""

_SPOKEN = r"(?:zero|oh|o|one|two|three|four|five|six|seven|eight|nine|hundred|double|triple)"
_SPOKEN_NUMBER = re.compile(rf"\b{_SPOKEN}(?:[\s,.-]+{_SPOKEN}){{5,}}\b", re.I)
_SPOKEN_HAN = re.compile(
    r"[零〇一二三四五六七八九幺两](?:[\s,，、-]?[零〇一二三四五六七八九幺两]){6,}"
)
_NUMBER = re.compile(
    r"(?<![A-Za-z0-9.$£€¥])(?:[A-Z]{1,5}[-/ ]?(?=\d))?(?:\+|\()?"
    r"\d(?:[\d]|[ ().\-/]{1,2}(?=[\d(A-Z]))*"
    r"(?:[-/]?[A-Z0-9]*[A-Z](?![a-z]))?(?:-\d+)*(?![A-Za-z0-9])"
)
_CODE = re.compile(
    r"(?<![A-Za-z0-9@._/-])(?=[A-Z0-9/-]*\d{3})(?=[A-Z0-9/-]*[A-Z])"
    r"[A-Z0-9]+(?:[-/][A-Z0-9]+)*(?![A-Za-z0-9@_])"
    r"|(?<![A-Za-z0-9])[A-Z]{1,4}(?:[ -]\d{3,4}){2,4}(?![A-Za-z0-9])"
)
_PLAIN_AMOUNT = re.compile(r"\d{1,3}(?:,\d{3})+|(?:19|20)\d\d\s?-\s?(?:19|20)?\d\d")
"""Thousands with commas, or a span of years."""
AMOUNT_AFTER = re.compile(
    r"\s?(?:(?:元(?![旦宝月素气])|[块塊圆円]|万(?!一)|萬|亿|億|人民币|美[元金]|港[币元]|日元|欧元|英镑)"
    r"|(?:dollars|bucks|pounds|quid|euros|yuan|rmb|won|yen)\b(?!['’]))",
    re.I,
)
MOST_DIGITS_OF_AMOUNT = 9
"""What is counted in money is no number of anybody's, unless it is as long as an account's."""
_PLAIN_DATE = re.compile(r"\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{2,4}")

_IDENTITY_WORD = (
    r"\bssn|social security"
    r"|\b(?:member|patient|student|policy|case|claim|permit|badge|inmate|passport|licen[cs]e|matric"
    r"|file|record|employee|tax|national|reference|crime|dod|military|visa|booking|referral|order"
    r"|invoice|account ref)\b[\w\s#:.]{0,14}$"
    r"|\b(?:nhs|mrn|ref|id|sin|nric|medicare|medicaid|insurance)\b[\w\s.#:]{0,10}$"
    r"|身份[证證]|证件|護照|护照|病历|病歷|住院号|就诊号|学号|學號|学籍|工号|工號|社保|医保"
    r"|编号|編號|单号|警号|准考证|档案号|车牌"
)
_MONEY_WORD = (
    r"\b(?:card|acct|account|iban|routing|sort code|bank|visa|mastercard|amex|debit|credit"
    r"|cash ?app|venmo|paypal|zelle|gcash|autopay|debited)\b"
    r"|银行|銀行|支付宝|账号|帐号|帳號|账户|帳戶|卡号|[转打轉][到给]|工资卡|信用卡|卡"
)
_PHONE_WORD = (
    r"\b(?:call|text|phone|cell|mobile|tel|number|landline|whats ?app|fax|reach|ring|contact|line"
    r"|signal)\w*"
    r"|手机|手機|电话|電話|号码|號碼|传真|打给|打我|联系|聯絡|拨"
)
_ABOUT: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (Kind.ID_NUMBER, re.compile(_IDENTITY_WORD, re.I)),
    (Kind.FINANCIAL, re.compile(_MONEY_WORD, re.I)),
    (Kind.WECHAT_QQ, re.compile(r"we ?chat|微信|薇信|\bqq|扣扣|企鹅|战友群|群号", re.I)),
    (Kind.PHONE_NUMBER, re.compile(_PHONE_WORD, re.I)),
)
_ENOUGH_DIGITS = {Kind.ID_NUMBER: 5, Kind.FINANCIAL: 7, Kind.WECHAT_QQ: 6}
"""Digits that make a number personal data once a word in front says what it is."""

_HOTLINE_WORD = re.compile(
    r"hot ?line|help ?line|life ?line|crisis (?:line|team|service|cent(?:re|er)|text|number)"
    r"|samaritans|热线|熱線|生命线|生命線|援助(?:电话|電話|中心)",
    re.I,
)
_SOMEBODY = re.compile(
    r"\bmy\b|\b(?:me|him|her|them|us) (?:on|at)\b|我的|自己|找我|打给我|联系我", re.I
)
"""Whoever says whose number it is, or whom it reaches, gives no helpline's."""


def find_numbers(text: str) -> Iterator[tuple[int, int, Kind]]:
    """Phones, identities, accounts: start, end and what the number is; may overlap."""
    for pattern in (_SPOKEN_NUMBER, _SPOKEN_HAN):
        for found in pattern.finditer(text):
            yield *found.span(), _about(text, found.start()) or Kind.PHONE_NUMBER
    for found in _NUMBER.finditer(text):
        kind = _number_kind(text, found.start(), found.end())
        if kind is not None:
            yield *found.span(), kind
    for found in _CODE.finditer(text):
        if sum(c.isdigit() for c in found.group()) >= 4 or _about(text, found.start()):
            yield *found.span(), Kind.ID_NUMBER


def hotlines(text: str) -> list[tuple[int, int]]:
    """Where a helpline's number stands; never personal data."""
    return [
        found.span()
        for found in _NUMBER.finditer(text)
        if _is_hotline(text, found.start(), found.end())
    ]


def _number_kind(text: str, start: int, end: int) -> Kind | None:
    if _is_hotline(text, start, end):
        return None
    said = text[start:end]
    digits = sum(c.isdigit() for c in said)
    if digits <= MOST_DIGITS_OF_AMOUNT and AMOUNT_AFTER.match(text, end):
        return None
    about = _about(text, start)
    if about is not None and about in _ENOUGH_DIGITS and digits >= _ENOUGH_DIGITS[about]:
        return about
    if digits < FEWEST_DIGITS or _PLAIN_AMOUNT.fullmatch(said) or _PLAIN_DATE.fullmatch(said):
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
    around = text[max(0, start - 20) : start] + "|" + text[end : end + 16]
    return _HOTLINE_WORD.search(around) is not None and not _SOMEBODY.search(around)


@cache
def _hotline_digits() -> frozenset[str]:
    return frozenset(
        "".join(c for c in line.split("#")[0] if c.isdigit()) for line in lines("hotlines.txt")
    )


# Plain numbers: the tagger knows that a number stands there, but hardly what it is.

_FEWEST_DIGITS = {
    Kind.PHONE_NUMBER: 7, Kind.ID_NUMBER: 5, Kind.FINANCIAL: 6, Kind.WECHAT_QQ: 5,
    Kind.IP_ADDRESS: 4,
}  # fmt: skip
_FEWEST_BARE = 5
"""Digits of a bare number of any other kind."""
_DIGIT = re.compile(r"[\d零〇一二三四五六七八九幺]")
_LATIN_ID = re.compile(r"[A-Za-z]{3}")
_MEASURED = re.compile(
    r"[㐀-鿿]*[\d./]+\s?(?:μg|mc?g|k?g|ml|毫克|微克|公斤|千克|克|毫升|斤)|\d{1,2}[楼樓层層]"
    r"|\d{1,9}(?:元|块|塊|万|萬)"
    r"|(?:PHQ|GAD|SDS|SAS|SCL|BDI|HAMD|HAMA|PCL|ISI)[-\s]?\d{1,2}",
    re.I,
)
"""A dose, a weight, a floor, a questionnaire."""
_BORN = re.compile(
    r"(?<![先医学女男师考新陌发花])生(?:的|于|下来)?(?=[，。,.!！]|$)|生下|[年月日号]生"
    r"|出生|生日|出世|降生|来到.{0,3}世|属[鼠牛虎兔龙蛇马羊猴鸡狗猪]|生肖|星座|座的|身份证|生辰"
)
_BORN_NEAR = 30
_FULL_DATE = re.compile(r"\d{4}\s?年\s?\d{1,2}\s?月\s?\d{1,2}|\d{4}[./-]\d{1,2}[./-]\d{1,2}")
_ANNOUNCED_BEFORE = re.compile(
    r"(?:电话|手机|座机|短号|打给?我|号码?|[后末][四4]位|密码|验证码|门牌|房间|微信|[qQ]{2})"
    r"[^，。,!?！？\d]{0,6}$"
)
"""After these a short number is somebody's all the same."""


def is_plain_number(text: str, start: int, end: int, kind: Kind) -> bool:
    """A year, a dose, a wage, a height: phones, accounts, births are found by form anyway."""
    said = text[start:end]
    digits = len(_DIGIT.findall(said))
    if _MEASURED.fullmatch(said):
        return True
    if kind is Kind.DATE_OF_BIRTH:
        near = text[max(0, start - _BORN_NEAR) : end + _BORN_NEAR]
        return not (_BORN.search(near) or _FULL_DATE.search(said))
    if _ANNOUNCED_BEFORE.search(text, max(0, start - 12), start):
        return False
    if kind not in _FEWEST_DIGITS:
        return said.isdigit() and digits < _FEWEST_BARE
    if kind in {Kind.ID_NUMBER, Kind.WECHAT_QQ} and _LATIN_ID.search(said):
        return False
    counted = AMOUNT_AFTER.match(text, end) is not None and digits <= MOST_DIGITS_OF_AMOUNT
    return counted or digits < _FEWEST_DIGITS[kind]

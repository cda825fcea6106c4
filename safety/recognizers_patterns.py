"""What structured personal data looks like where its form alone gives it away.

One pattern for each form, the surest first: what an earlier one takes is not asked again. Where
only part of a match is personal data (``my insta is ...``), that part is the group ``x``.
"""

import re

from safety.surrogates import Kind

_TLD = r"(?:com|org|net|edu|gov|io|co|me|info|app|dev|uk|ca|au|nz|cn|us|de|fr|tv|blog|site|hk|tw)"

# People who were told not to post addresses write them out: "at ... dot com", 艾特, 点. A phone's
# keyboard leaves blanks beside the marks.
_SPOKEN_AT = r"(?:\s*[\[(]\s*at\s*[\])]\s*|\s+at\s+|\s*艾特\s*|\s+圈\s*[aA啊]?\s*|\s*@\s*)"
_SPOKEN_DOT = r"(?:\s*[\[(]\s*dot\s*[\])]\s*|\s+dot\s+|\s*点\s*|\s+\.\s+|\.)"

# A handle is hardly told from a word by its form; the name of the platform before it tells.
_PLATFORM = (
    r"(?:insta(?:gram)?|\big|snap(?:chat)?|discord|twitter|tik ?tok|reddit|twitch|telegram|tumblr"
    r"|steam|psn|xbox|gamer ?tag|user ?name|screen ?name|handle|venmo|roblox|facebook|onlyfans"
    r"|\bins(?![a-z])|抖音|快手|微博|小红书|小紅書|b站|贴吧|豆瓣|知乎|网名|網名|昵称|暱稱"
    r"|用户名|账号名|\bid(?![a-z]))"
)
_LINK = (
    r"(?:['’]s|s|名|号|號|里|上|是|叫做|叫|为|is|was|as|called|named|name|user|account|under|at"
    r"|:|：|=|@|,|，|\s){0,6}?"
)

_WECHAT = (
    r"(?:we ?chat|weixin|微信|薇信|威信|徽信|\bwx|\bvx|v信|[加➕]v|扣扣|\bqq|企鹅号?|企鹅)"
    r"(?:['’]?s|\s|id|号码|号|號|群|名|是|为|叫|is|was|换成|改成|：|:|=|,|，|了|my|the|同号"
    r"|number|handle){0,7}?"
    r"(?P<x>"
    # An id has a digit or a mark in it, or else something before it says that one comes.
    r"(?=[A-Za-z_.-]*[\d_-]|(?<=is )|(?<=was )|(?<=[:：是为 ])(?![a-z]+\s+[a-z]))"
    r"[A-Za-z][A-Za-z0-9_.-]{4,}"
    r"|[1-9]\d{2,4}(?:[ -]?\d{3,4}){1,3}"
    r"|[零〇一二三四五六七八九幺]{6,11}"
    r")(?![A-Za-z0-9])"
)

# Letters of any alphabet, but Chinese characters end an address: there is no blank before them.
_EMAIL = (
    r"(?<![A-Za-z0-9._%+-])[^\W_㐀-鿿](?:[^\W㐀-鿿]|[.%+-])*"
    r"@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
)
_SPOKEN_EMAIL = (
    # Possessive (++): what follows begins with none of these, so a shorter run never helps.
    r"(?<![A-Za-z0-9])[A-Za-z0-9_.+-]++(?:\s(?:dot|underscore|dash)\s[A-Za-z0-9_]+)*"
    rf"{_SPOKEN_AT}[A-Za-z0-9-]+(?:{_SPOKEN_DOT}[A-Za-z0-9-]+)*?{_SPOKEN_DOT}{_TLD}(?![A-Za-z])"
)
# Providers are named without their ending: janedoe@gmail, zhangwei@163.
_PROVIDER = r"(?:g ?mail|hotmail|outlook|yahoo|icloud|proton ?mail|aol|qq|163|126|sina|foxmail)"
_EMAIL_SHORT = (
    rf"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]+@{_PROVIDER}"
    r"(?:\s?[.,]\s?com?\b|[.,]com?\b|(?![A-Za-z0-9.]))"
    r"|\be-?mail(?: address)?(?:['’]?s|\s|is|it|me|at|on|my|:){1,6}"
    r"(?P<x>(?!address|account|inbox|login)[A-Za-z0-9._+-]{5,}\sat\s"
    rf"{_PROVIDER}(?![A-Za-z0-9]))"
)
_BARE_URL = (
    rf"(?<![@A-Za-z0-9._-])(?:[A-Za-z0-9-]+\.)+{_TLD}(?![A-Za-z0-9])"
    r"(?:/[A-Za-z0-9_./?=&%#-]*)?"
)
_IPV6 = (
    r"(?<![A-Za-z0-9_:])(?:[0-9a-f]{1,4}:){2,7}:?(?:[0-9a-f]{1,4})?(?::[0-9a-f]{1,4})*"
    r"(?![A-Za-z0-9_:])"
)

_IBAN = r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){3,7}(?:\s?[A-Z0-9]{1,4})?(?![A-Za-z0-9])"
_ROUTING = (
    r"\b(?:rt|routing)(?: (?:no|number))?[.:#]? ?\d{6,9}"
    r"(?:,?\s*(?:and )?(?:acct|account)(?: (?:no|number))?[.:#]? ?\d{4,12})?"
)
# Four digits are personal data only as the end of a card.
_LAST_FOUR = (
    r"(?:尾号|尾號|末四位|(?:end(?:s|ing)?|last (?:four|4))(?:\s(?:in|with|digits|are|is"
    r"|of (?:my|his|her|the) (?:ssn|social(?: security)?|card|phone|cell|account)(?: number)?))*\s)"
    r"\s*(?:是|为|：|:)?\s*(?P<x>[*xX]*\d{4})(?!\d)"
)

_ACCOUNT = (
    r"\b(?:account|acct|a/c)\.?\s?(?:number|num|no)?\.?\s?(?:is|:|#|=)?\s?#?(?P<x>\d{5,17})(?!\d)"
)

# A short number is an identity right behind the word for it: 工号3307.
_ANNOUNCED = (
    r"(?:工号|工號|学号|學號|病历号|病歷號|住院号|就诊号|警号|档案号|准考证号?|短号|分机号?|邮编"
    r"|邮政编码)"
    r"[是为：:\s]{0,3}(?P<x>[A-Za-z]{0,12}\d{3,})(?![A-Za-z0-9])"
)
# A Chinese plate says the province and town before its signs; both are part of it.
PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PLATE = (
    rf"[{PROVINCES}][A-HJ-NP-Z][\s·・.•-]?(?=[A-HJ-NP-Z]{{0,4}}\d)"
    r"[A-HJ-NP-Z0-9]{5,6}(?![A-Za-z0-9])"
)
_ENGLISH_PLATE = (
    r"\b(?:(?:number|licen[cs]e) ?plate|plate|car reg|reg(?:istration)?)"
    r"(?:\s(?:number|no\.?|is|was))*[\s:]+"
    r"(?P<x>[A-Z]{2}\d{2}\s?[A-Z]{3}|[A-Z]{3}[ -]?\d{3,4}|\d[A-Z]{3}\d{3})(?![A-Za-z0-9])"
)
# Shorter than other numbers that belong to somebody, but said to be one.
_BADGE = (
    r"\b(?:(?:employee|staff|student|payroll|patient|member) (?:number|no\.?|id)|badge"
    r"|pin(?: code)?)"
    r"(?:\s(?:number|no\.?|is|was))*[\s:#]+(?P<x>\d{4,6})(?![\d.,]*\d|[A-Za-z%])"
)
_SORT_CODE = (
    r"\bsort\s?code(?:\s|is|was|number|no\.?|:|：|=|#|,){0,4}"
    r"(?P<x>\d{2}[ -]?\d{2}[ -]?\d{2})(?![\d-])"
)

_AT_HANDLE = r"(?<![A-Za-z0-9_.])@[A-Za-z0-9_㐀-鿿](?:[A-Za-z0-9_.-]{2,}|[㐀-鿿]{1,10}_?\d*)"
_PLATFORM_HANDLE = (
    rf"{_PLATFORM}{_LINK}"
    r"(?P<x>(?=[A-Za-z0-9_.#-]*(?:[\d_#]|[.][A-Za-z]))[A-Za-z][A-Za-z0-9_.#-]{3,})(?![A-Za-z0-9])"
)
_REDDIT = r"(?<![A-Za-z0-9_.:/])/?u/(?P<x>[A-Za-z0-9_-]{3,})"
# Letters that run into three digits, or two words with a line under between: nobody talks so.
_DIGIT_HANDLE = (
    r"(?<![A-Za-z0-9_@.$/-])(?=[A-Za-z0-9_.#-]*[A-Za-z]{3})"
    r"[A-Za-z][A-Za-z0-9]*(?:[_.#-][A-Za-z0-9]+)*[_.#-]?\d{3,}(?:_[A-Za-z]+)?(?![A-Za-z0-9_@/-])"
)
_SNAKE_HANDLE = (
    r"(?<![A-Za-z0-9_@.$/])(?=[A-Za-z0-9_]*[A-Za-z])"
    r"[A-Za-z0-9]+(?:_[A-Za-z0-9]+)+(?![A-Za-z0-9_@/])"
)

PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (Kind.URL, re.compile(r"(?:https?://|www\.)[A-Za-z0-9_./?=&%#:~+@!,;-]+", re.I)),
    (Kind.EMAIL_ADDRESS, re.compile(_EMAIL)),
    (Kind.EMAIL_ADDRESS, re.compile(_SPOKEN_EMAIL, re.I)),
    (Kind.EMAIL_ADDRESS, re.compile(_EMAIL_SHORT, re.I)),
    (Kind.URL, re.compile(_BARE_URL, re.I)),
    (Kind.IP_ADDRESS, re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)")),
    (Kind.IP_ADDRESS, re.compile(_IPV6, re.I)),
    (Kind.FINANCIAL, re.compile(r"(?<![A-Za-z0-9_])(?:0x[0-9a-f]{10,}|bc1[0-9a-z]{8,})", re.I)),
    (Kind.FINANCIAL, re.compile(_IBAN)),
    (Kind.FINANCIAL, re.compile(r"(?<!\w)\$[A-Za-z][A-Za-z0-9_-]{3,}")),
    (Kind.FINANCIAL, re.compile(_ROUTING, re.I)),
    (Kind.FINANCIAL, re.compile(_ACCOUNT, re.I)),
    (Kind.ID_NUMBER, re.compile(_ANNOUNCED)),
    (Kind.ID_NUMBER, re.compile(_PLATE)),
    (Kind.ID_NUMBER, re.compile(_ENGLISH_PLATE, re.I)),
    (Kind.ID_NUMBER, re.compile(_BADGE, re.I)),
    (Kind.FINANCIAL, re.compile(_SORT_CODE, re.I)),
    (Kind.FINANCIAL, re.compile(_LAST_FOUR, re.I)),
    (Kind.FINANCIAL, re.compile(r"(?<!\w)[xX*]{2,}[- ]?\d{4}(?!\d)")),
    (Kind.WECHAT_QQ, re.compile(_WECHAT, re.I)),
    (Kind.USERNAME, re.compile(_REDDIT)),
    (Kind.USERNAME, re.compile(_AT_HANDLE, re.I)),
    (Kind.USERNAME, re.compile(_PLATFORM_HANDLE, re.I)),
    (Kind.USERNAME, re.compile(r"(?<![㐀-鿿0-9])[㐀-鿿]{2,12}_?0\d{2,3}(?![\d-])")),
    (
        Kind.USERNAME,
        re.compile(rf"{_PLATFORM}{_LINK}(?P<x>[A-Za-z_]*[㐀-鿿]{{1,10}}_?\d{{2,}})", re.I),
    ),
    (Kind.USERNAME, re.compile(_DIGIT_HANDLE)),
    (Kind.USERNAME, re.compile(_SNAKE_HANDLE)),
)
"""All forms that need no words around them beyond what the pattern itself asks for."""

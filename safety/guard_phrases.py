"""Ways of saying what a draft must not say, per check; data for the guard, English and Chinese."""

import re

_SOURCES: dict[str, tuple[tuple[str, str], ...]] = {
    "diagnosis": (
        (
            r"\byou(?:'re| are| have| suffer| seem to have)\b"
            r"[^.?!]{0,30}\b(?:depress(?:ion|ive disorder)|bipolar|ptsd|adhd|ocd"
            r"|borderline|personality disorder|anxiety disorder|schizophren\w+"
            r"|clinical\w*)",
            "tells a diagnosis",
        ),
        (r"\b(?:diagnos\w+) (?:you|is|of)\b", "tells a diagnosis"),
        (
            r"你(?:得了|患了|患有|是|有)[^。？！]{0,8}(?:抑郁症|焦虑症|双相|强迫症|精神分裂|人格障碍|创伤后应激)",
            "tells a diagnosis",
        ),
    ),
    "medication": (
        (
            r"\b(?:take|stop taking|increase|decrease|double|skip|try)\b"
            r"[^.?!]{0,30}\b(?:mg|milligrams?|dose|dosage|pills?|tablets?|medication|meds"
            r"|antidepressants?|ssris?|sertraline|zoloft|lexapro|prozac|xanax)\b",
            "advises on medication",
        ),
        (r"\b\d+\s?(?:mg|milligrams?|ml)\b", "names a dose"),
        (
            r"(?:吃|服用|停|加|减)[^。？！]{0,8}(?:药|片|毫克|剂量)|\d+\s?毫克",
            "advises on medication",
        ),
    ),
    "promise": (
        (
            r"\bi (?:promise|guarantee)\b|\b(?:everything|it|this|you)(?:'ll"
            r"| will) (?:all )?be (?:okay|ok|fine|alright|all right)\b|\bi(?:'ll"
            r"| will) (?:always|never leave)\b",
            "promises what nobody can",
        ),
        (
            r"我(?:保证|承诺|发誓)|(?:一切|都)会好(?:起来)?的|我会一直(?:陪|在)",
            "promises what nobody can",
        ),
    ),
    "contract": (
        (
            r"\b(?:promise me|no[- ]suicide|sign a contract|agree not to (?:hurt|harm|kill))\b",
            "asks for a contract",
        ),
        (
            r"(?:答应我|向我保证|签)[^。？！]{0,8}(?:不自杀|不伤害|不自残|协议|契约|承诺书)",
            "asks for a contract",
        ),
    ),
    "method": (
        (
            r"\b(?:overdose on|hang yourself|cut your (?:wrists?|arms?)|jump (?:off|from)"
            r"|lethal|shoot yourself)\b",
            "speaks of a method",
        ),
        (r"(?:割腕|上吊|跳楼|吞药|烧炭|致死)", "speaks of a method"),
    ),
    "human_claim": (
        (
            r"\bi(?:'m| am) (?:a |an )?(?:real |licensed |actual )?(?:human|person"
            r"|therapist|counselor|doctor|psychologist)\b|\bi(?:'m"
            r"| am) not (?:an? )?(?:ai|bot|machine|robot|program)\b",
            "claims to be a human",
        ),
        (
            r"我(?:是|也是)(?:一个|一名|一位)?(?:真人|人类|真的人|心理医生|咨询师|治疗师)|我不是(?:AI|机器人|人工智能|程序)",
            "claims to be a human",
        ),
    ),
    "time_up": (
        (
            r"\b(?:our|the|your) (?:time|session|hour) (?:is|has|'s) (?:up|over|ended"
            r"|run out|almost up)\b|\bout of time\b",
            "ends the session by the clock",
        ),
        (
            r"(?:时间到了|我们的时间(?:到|差不多)|今天的咨询(?:结束|到此))",
            "ends the session by the clock",
        ),
    ),
}
PHRASES: dict[str, tuple[tuple[re.Pattern[str], str], ...]] = {
    name: tuple((re.compile(source, re.IGNORECASE), reason) for source, reason in rows)
    for name, rows in _SOURCES.items()
}
SENTENCE_STARTERS = frozenset(
    {
        *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
        *("january", "february", "march", "april", "may", "june", "july", "august"),
        *("september", "october", "november", "december", "christmas", "easter"),
        *("cbt", "god", "english"),
    }
)
"""Capitalised words inside a sentence that name nobody."""

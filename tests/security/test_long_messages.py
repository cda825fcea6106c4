"""No message is too long to be read in time: each pattern on the longest one, of little pieces.

A pattern that tries every way to cut a run holds the interpreter, and with it everybody's messages.
"""

import re
import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import cast

import pytest

from safety import (
    guard,
    recognizers_forms,
    recognizers_han,
    recognizers_names,
    recognizers_numbers,
    recognizers_patterns,
)
from safety.guard_phrases import ASKED, PHRASES, SPARED
from safety.rules import read_rules

LONGEST_MESSAGE = 4000
ENOUGH_S = 2.0
"""Processor time for one pattern; the slowest takes a tenth of a second on an idle core."""
MODULES = (
    guard,
    recognizers_forms,
    recognizers_han,
    recognizers_names,
    recognizers_numbers,
    recognizers_patterns,
)
PIECES = (
    *("里", "路", "街道", "第一", "一", "我", "死", "不", "我叫", "我不想", "，", "大", "里1号"),
    *(
        "a",
        "A",
        "Ab ",
        "a ",
        "1",
        "1 ",
        "1-",
        "1.",
        "(1)",
        "a.",
        "a-",
        "a_",
        "a1",
        "A1-",
        " ",
        "\n",
    ),
    *("-", ".", "*", "@", "a@", "a@a.", "one ", "dot ", "a dot ", "x at ", "5 a st ", "the my "),
    *("i never thought ", "kill ", "not ", "want to ", "he's ", "mum ", "you are ", "take a pill "),
    *("you said ", "don't ", "i will always ", "你说", "可以吃", "会", "'", '"'),
)


class TooSlow(Exception):
    """The time for one pattern is over."""


@contextmanager
def at_most(seconds: float) -> Generator[None]:
    """Give up after so much processor time; other processes' work does not count."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def patterns() -> dict[str, re.Pattern[str]]:
    """Every pattern that reads a client's message or a draft, by where it stands."""
    found: dict[str, re.Pattern[str]] = {}
    for module in MODULES:
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                found[f"{module.__name__}.{name}"] = cast(re.Pattern[str], value)
    forms = enumerate(recognizers_patterns.PATTERNS)
    found |= {f"forms {number} {kind}": pattern for number, (kind, pattern) in forms}
    for name, rows in PHRASES.items():
        found |= {f"guard {name} {number}": row[0] for number, row in enumerate(rows)}
    for name, spared in SPARED.items():
        found |= {f"guard spares {name} {number}": one for number, one in enumerate(spared)}
    found["guard asked"] = ASKED
    for language in ("en", "zh"):
        rules = read_rules(language)
        found |= {f"{language} rule {rule.name}": rule.pattern for rule in rules.rules}
        found |= {f"{language} guard {name}": one for name, one in rules.guards.items()}
        found |= {f"{language} talk {name}": one for name, one in rules.talk.items()}
    return found


@pytest.mark.parametrize("piece", PIECES, ids=ascii)
def test_every_pattern_reads_the_longest_message_in_time(piece: str) -> None:
    message = (piece * LONGEST_MESSAGE)[:LONGEST_MESSAGE] + "#"
    slow: list[str] = []
    for name, pattern in patterns().items():
        try:
            with at_most(ENOUGH_S):
                for _ in pattern.finditer(message):
                    pass
        except TooSlow:
            slow.append(name)
    assert slow == []


def test_an_address_is_found_however_many_kinds_of_place_are_in_it() -> None:
    text = "我住在广东省深圳市南山区科技园南路12号3栋，你呢"
    places = [text[name.start : name.end] for name in recognizers_han.find_chinese_names(text)]
    assert any("广东省深圳市南山区科技园南路12号3栋" in place for place in places)

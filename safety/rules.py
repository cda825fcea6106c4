"""Rules for danger said in plain words, read from the lexicons; exact on negation and idiom."""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypedDict, cast

from safety.normalise import Normalised, fold, normalise
from safety.risk import CALM, Category, Evidence, Language, Line, RiskLevel, RiskReport, combine

_FOLDER = Path(__file__).parent / "lexicons"
_SCORES = {"none": 0.0, "low": 0.25, "moderate": 0.7, "high": 0.9, "imminent": 0.98}
_LOCAL = frozenset({"negation", "other"})
"""Guards that must stand right before the match."""
_OF_THE_SENTENCE = frozenset({"fiction", "work", "idiom", "joke", "study", "story"})
"""Guards that explain only their own sentence; a film told of in the next one explains nothing.
The rest may stand anywhere near the match."""
_TOLD = frozenset({"fiction", "work", "study", "story"})
"""Guards that explain what others do; never the client's own act or intent."""
_END = re.compile(r"[!?;。]|\.(?!\d)")
_NEAR = 160
"""So many characters either side of a match are near it."""


class _RuleRow(TypedDict):
    name: str
    level: str
    category: str
    guards: list[str]
    patterns: list[str]


class _Lexicon(TypedDict):
    rule: list[_RuleRow]


class _Shared(TypedDict):
    words: dict[str, str]
    guards: dict[str, str]
    talk: dict[str, str]


_NAMED = re.compile(r"%(\w+)%")
"""A set of words, named in a pattern."""
_LETTERS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_QUESTION = re.compile(r"[^.!?。]*\?")
_SHORT = 120
"""Without a question mark only the first so many characters may have been the question."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing people say, what it means unguarded, and what may explain it away."""

    name: str
    level: RiskLevel
    category: Category
    guards: tuple[str, ...]
    pattern: re.Pattern[str]
    spelt: re.Pattern[str] | None
    """What of it can be found where no Chinese character is: pinyin, slang, other languages."""


@dataclass(frozen=True, slots=True)
class Rules:
    """One language's rules; finds plain statements, also in the lines just before."""

    rules: tuple[Rule, ...]
    guards: dict[str, re.Pattern[str]]
    talk: dict[str, re.Pattern[str]]

    def find(self, plain: Normalised, history: Sequence[Line]) -> RiskReport:
        """The plain statements in a message, and what it says about earlier ones."""
        return combine((CALM, *self._statements(plain), self._answer(plain, history)))

    def _statements(self, plain: Normalised) -> Iterator[RiskReport]:
        chinese = _HAN.search(plain.text) is not None
        for rule in self.rules:
            pattern = rule.pattern if chinese else rule.spelt
            for match in pattern.finditer(plain.text) if pattern else ():
                if match.start() == match.end():
                    continue
                refused = self.guards["refused"].search(plain.text[: match.end()])
                explained = refused is not None or any(
                    self._explains(one, plain, match) for one in rule.guards
                )
                level = RiskLevel.LOW if explained else rule.level
                start, end = plain.span(*match.span())
                span = Evidence(start, end, rule.category, rule.name)
                yield _report(level, rule.category, (span,))

    def _explains(self, guard: str, plain: Normalised, match: re.Match[str]) -> bool:
        pattern, text = self.guards[guard], plain.text
        if guard in _LOCAL:
            return pattern.search(text[: match.start()]) is not None
        if guard in _OF_THE_SENTENCE:
            sentence = text[slice(*_sentence(plain, *match.span()))]
            own = guard in _TOLD and self._meant(text, match)
            return not own and pattern.search(sentence) is not None
        around = text[max(0, match.start() - _NEAR) : match.end() + _NEAR]
        if guard == "past" and self.guards["still"].search(around):
            return False
        return pattern.search(around) is not None

    def _meant(self, text: str, match: re.Match[str]) -> bool:
        """Whether the words of a match are said as the client's own act or intent."""
        own = (found.span() for found in self.guards["meant"].finditer(text))
        return any(start < match.end() and match.start() < end for start, end in own)

    def _answer(self, plain: Normalised, history: Sequence[Line]) -> RiskReport:
        """A yes to the direct question, or the taking back of what was said in plain words."""
        if not history or not plain.text.strip():
            return CALM
        last = history[-1]
        asked = last.role == "counselor" and self._asks(fold(last.text))
        if asked:
            if self.talk["no"].search(plain.text):
                return CALM
            if self.talk["yes"].search(plain.text):
                return self._spanning(plain, "says yes to the direct question")
        if self.talk["retract"].search(plain.text) and (asked or self._said_before(history)):
            return self._spanning(plain, "takes back an earlier statement")
        return CALM

    def _asks(self, said: str) -> bool:
        """Whether the counselor asked about it: advice that only mentions it was no question."""
        questions = " ".join(_QUESTION.findall(said)) or said[:_SHORT]
        return self.talk["asked"].search(questions) is not None

    def _said_before(self, history: Sequence[Line]) -> bool:
        lines = (normalise(line.text) for line in history[-6:] if line.role == "client")
        return any(report.routes for line in lines for report in self._statements(line))

    def _spanning(self, plain: Normalised, reason: str) -> RiskReport:
        start, end = plain.span(0, len(plain.text))
        span = Evidence(start, end, Category.SUICIDE, reason)
        return _report(RiskLevel.HIGH, Category.SUICIDE, (span,))


@dataclass(frozen=True, slots=True)
class RulesLayer:
    """Both languages' rules on every message: people mix them."""

    def look(self, text: str, history: Sequence[Line], language: Language) -> RiskReport:
        """What is said in plain words."""
        plain = normalise(text)
        return combine(read_rules(one).find(plain, history) for one in ("en", "zh"))


@lru_cache(maxsize=2)
def read_rules(language: Language) -> Rules:
    """Read and compile one language's lexicon.

    Raises: KeyError where a pattern names a set of words that ``shared.toml`` does not have.
    """
    folder = _FOLDER / language
    shared = cast(_Shared, _read(folder / "shared.toml"))
    files = [path for path in sorted(folder.glob("*.toml")) if path.name != "shared.toml"]
    rows = [row for path in files for row in cast(_Lexicon, _read(path))["rule"]]
    return Rules(
        tuple(_rule(row, shared["words"]) for row in rows),
        {name: re.compile(text) for name, text in shared["guards"].items()},
        {name: re.compile(text) for name, text in shared["talk"].items()},
    )


def _sentence(plain: Normalised, start: int, end: int) -> tuple[int, int]:
    """Where the sentence around ``[start, end)`` begins and ends, as far as it is near."""
    first, last = max(0, start - _NEAR), min(len(plain.text), end + _NEAR)
    ends = [found.end() for found in _END.finditer(plain.text, first, last)]
    ends += [line for line in plain.lines if first <= line <= last]
    first = max((one for one in ends if one <= start), default=first)
    return first, min((one for one in ends if one >= end), default=last)


def _read(path: Path) -> object:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _rule(row: _RuleRow, words: dict[str, str]) -> Rule:
    patterns = [_NAMED.sub(lambda named: f"(?:{words[named[1]]})", one) for one in row["patterns"]]
    # Half of all messages have no Chinese character, and need not be searched for any.
    spelt = [one for one in patterns if _LETTERS.search(one) or not _HAN.search(one)]
    return Rule(
        name=row["name"],
        level=RiskLevel(row["level"]),
        category=Category(row["category"]),
        guards=tuple(row["guards"]),
        pattern=_joined(patterns),
        spelt=_joined(spelt) if spelt else None,
    )


def _joined(patterns: Sequence[str]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{one})" for one in patterns))


def _report(level: RiskLevel, category: Category, spans: tuple[Evidence, ...]) -> RiskReport:
    return RiskReport(level, category, _SCORES[level], spans, "rules")

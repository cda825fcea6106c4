"""Rules for danger said in plain words, read from the lexicons; exact on negation and idiom."""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypedDict, cast

from safety.crisis_card import questions
from safety.normalise import Normalised, fold
from safety.risk import Category, Evidence, Language, RiskLevel, RiskReport

_FOLDER = Path(__file__).parent / "lexicons"
SCORES = {"none": 0.0, "low": 0.25, "moderate": 0.7, "high": 0.9, "imminent": 0.98}
"""The score that a rule of each level gives, from 0 to 1."""
_LOCAL = frozenset({"negation", "refused", "other"})
"""Guards that must stand right before the match, in its own clause, or (refused) around it."""
_TOLD = frozenset({"fiction", "work", "study", "story"})
"""Guards that explain what others do; never the client's own act, intent or wish."""
_JOKED = frozenset({"idiom", "joke"})
"""Guards that explain the client's own wish only where they are about the wish itself."""
_OF_THE_SENTENCE = _TOLD | _JOKED
"""Guards that explain only their own sentence; a film told of in the next one explains nothing."""
_DENIED = frozenset({"negation", "refused", "denied", "never_did"})
"""Guards that explain nothing once the message says that it was a lie."""
_DONE_TO = frozenset({Category.HARM_TO_OTHERS, Category.HARM_FROM_OTHERS})
_EVERYDAY = frozenset({"leisure", "food", "errand"})
"""Guards that explain a match by what stands in it or right after it, and nothing once anything
grave is said, in the message or in the lines before it."""
_EARNEST = frozenset({Category.CHILD_AT_RISK, Category.OVERDOSE_SUBSTANCE, Category.SELF_HARM})
_OVER = frozenset({"past", "resolved"})
"""Guards that explain their own sentence and the one before it, where they point back at it,
unless something near shows that it is not over."""
_LONG_AGO = frozenset({"past", "long_past"})
"""Guards that explain nothing said of now, but by what stands before it."""
_AFTER = 12
"""So many characters behind a match are right after it."""
_NEAR = 160
"""So many characters either side of a match are near it."""


class _RuleRow(TypedDict):
    name: str
    level: str
    category: str
    guards: list[str]
    patterns: list[str]


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

    @property
    def grave(self) -> bool:
        """Whether no everyday word makes a joke of it, only a figure of speech."""
        return self.earnest or self.category in _DONE_TO

    @property
    def earnest(self) -> bool:
        """Whether no laugh makes a joke of it either: people laugh about what they did last."""
        return self.level is RiskLevel.IMMINENT or self.category in _EARNEST


@dataclass(frozen=True, slots=True)
class Rules:
    """One language's rules; finds plain statements, also in the lines just before."""

    rules: tuple[Rule, ...]
    guards: dict[str, re.Pattern[str]]
    talk: dict[str, re.Pattern[str]]
    card: tuple[tuple[str, RiskLevel, bool], ...]
    """The crisis card's questions as the rules read them, what a yes to each means, and whether
    the card may begin with it."""

    def grave(self, text: str) -> bool:
        """Whether words stand there beside which no meal or pastime explains anything."""
        pattern = self.guards.get("grave")
        return pattern is not None and pattern.search(text) is not None

    def statements(self, plain: Normalised, *, after_grave: bool = False) -> Iterator[RiskReport]:
        """What each rule's match in the message means, explained or not.

        ``after_grave``: whether the lines before it say anything grave.
        """
        void = _EVERYDAY if after_grave or self.grave(plain.text) else frozenset[str]()
        chinese = _HAN.search(plain.text) is not None
        lies = self.guards["unsaid"].finditer(plain.text)
        lie = max((one.start() for one in lies), default=-1)
        for rule in self.rules:
            pattern, sure = rule.pattern if chinese else rule.spelt, False
            for match in pattern.finditer(plain.text) if pattern else ():
                if match.start() == match.end():
                    continue
                left = {"refused", *rule.guards} - void - (_DENIED if lie >= match.end() else set())
                # A second plain statement says no more: a thousand of them would cost seconds.
                sure = sure or not any(self._explains(one, rule, plain, match) for one in left)
                level = rule.level if sure else RiskLevel.LOW
                span = Evidence(*plain.span(*match.span()), rule.category, rule.name)
                yield RiskReport(level, rule.category, SCORES[level], (span,), "rules")

    def asks(self, said: str, *, begun: bool) -> RiskLevel | None:
        """What a yes to the counselor's words means; None where they are not the question.

        Advice that only mentions it is no question. "Was that lately?" is one of the card's only
        once the card was ``begun``.
        """
        found = [(level, first) for words, level, first in self.card if words in said]
        begun = begun or any(first for _, first in found)
        levels = [level for level, first in found if begun or first]
        for words, *_ in self.card:
            said = said.replace(words, " ")
        if self.talk["asked"].search(" ".join(_QUESTION.findall(said)) or said[:_SHORT]):
            levels.append(RiskLevel.HIGH)
        return max(levels, key=lambda level: level.rank, default=None)

    def _explains(self, guard: str, rule: Rule, plain: Normalised, match: re.Match[str]) -> bool:
        pattern, text = self.guards[guard], plain.text
        if guard in _LOCAL:
            # Not of a slice: what stands before the clause may still undo a denial in it.
            end = match.end() if guard == "refused" else match.start()
            return pattern.search(text, self._clause(plain, match), end) is not None
        if guard in _OF_THE_SENTENCE:
            sentence = text[slice(*plain.sentence(*match.span(), _NEAR))]
            if pattern.search(sentence) is None:
                return False
            if guard in _JOKED and (rule.grave or self._own(plain, match) is not None):
                return self._figure(rule, sentence)
            return guard in _JOKED or not self._first_person(plain, match)
        if guard in _EVERYDAY:
            return pattern.search(text, match.start(), match.end() + _AFTER) is not None
        if guard in _OVER:
            return self._over(guard, plain, match)
        if guard == "settled" and self._own(plain, match) is not None:
            return False
        if guard == "denied":
            return pattern.search(_around(text, match)) is not None
        return self._said_of_it(guard, plain, match)

    def _figure(self, rule: Rule, sentence: str) -> bool:
        """Whether it is a figure of speech; a laugh alone makes none of an act or of a child's."""
        laugh = self.guards["laugh"] if rule.earnest else None
        found = self.guards["figure"].finditer(sentence)
        return any(laugh is None or laugh.fullmatch(one[0]) is None for one in found)

    def _said_of_it(self, guard: str, plain: Normalised, match: re.Match[str]) -> bool:
        """Whether its own sentence explains it, or the next where that points back at it.

        What forbids an explanation, fear or a weapon, may stand anywhere near.
        """
        pattern = self.guards[guard]
        if pattern.search(_around(plain.text, match)) is None:
            return False
        return pattern.search(self._sentence_with(guard, "of_it", plain, match)) is not None

    def _sentence_with(
        self, guard: str, pointing: str, plain: Normalised, match: re.Match[str]
    ) -> str:
        """The sentence of a match, and the next where it points back.

        What is said of now is not past for what the sentence goes on with.
        """
        text = plain.text
        start, end = plain.sentence(*match.span(), _NEAR)
        then = plain.sentence(end + 1, end + 1, _NEAR)
        after = text[slice(*then)] if end + 1 < len(text) else ""
        if guard in _LONG_AGO and self.guards["present"].search(match[0]) is not None:
            end = match.end()
        return text[start:end] + (after if self.guards[pointing].search(after) else "")

    def _over(self, guard: str, plain: Normalised, match: re.Match[str]) -> bool:
        """Whether it is said to be long ago, or past, there or in a sentence that points back."""
        text = plain.text
        own = self._said_own(text, match)
        start, _ = plain.sentence(*match.span(), _NEAR)
        said = self._sentence_with(guard, f"{guard}_after", plain, match)
        found = self.guards[guard].finditer(said)
        if guard == "resolved":
            # A wish of now may be taken back after it was said, never before.
            return any(own is None or one.end() > match.end() - start for one in found)
        if own is not None:
            on = self.guards["now"].search(text, match.end(), match.end() + _NEAR)
            return on is None and self.guards["past_own"].search(text[start:own]) is not None
        return self.guards["still"].search(_around(text, match)) is None and any(found)

    def _first_person(self, plain: Normalised, match: re.Match[str]) -> bool:
        """Whether the client does, suffers or wishes it, and nobody is quoted as saying so."""
        own = self._own(plain, match) is not None
        start, _ = plain.sentence(*match.span(), _NEAR)
        told = self.guards["told"].search(plain.text, start, match.end())
        return own or (told is None and self.guards["myself"].search(match[0]) is not None)

    def _own(self, plain: Normalised, match: re.Match[str]) -> int | None:
        """As ``_said_own``, or where a wish without a subject does: "failed again, want to die"."""
        text = plain.text
        for one in self.guards["bare"].finditer(text, max(0, match.start() - _NEAR), match.end()):
            start, _ = plain.sentence(*one.span(), _NEAR)
            if match.start() < one.end() and self.guards["begun"].search(text[start : one.start()]):
                return one.start()
        return self._said_own(text, match)

    def _said_own(self, text: str, match: re.Match[str]) -> int | None:
        """Where the client's own act, intent or wish begins that a match is part of."""
        first = max(0, match.start() - _NEAR)
        found = self.guards["meant"].finditer(text, first, match.end() + _NEAR)
        own = (one.span(1) for one in found if one[1])
        return next((a for a, b in own if a < match.end() and match.start() < b), None)

    def _clause(self, plain: Normalised, match: re.Match[str]) -> int:
        """Where the clause begins that a match begins in: at a line, or where someone speaks anew.

        What "I don't think I" and the like begin is one clause with it.
        """
        first = max(0, match.start() - _NEAR)
        found = self.guards["clause"].finditer(plain.text, first, match.end())
        line = plain.lines[: bisect_right(plain.lines, match.start())][-1:]
        cuts = (*(one.start(one.lastindex) for one in found if one.lastindex), *line)
        return max((one for one in cuts if first <= one <= match.start()), default=first)


@lru_cache(maxsize=2)
def read_rules(language: Language) -> Rules:
    """Read and compile one language's lexicon.

    Raises: KeyError where a pattern names a set of words that ``shared.toml`` does not have.
    """
    folder = _FOLDER / language
    shared = cast(_Shared, _read(folder / "shared.toml"))
    words = shared["words"]
    files = [path for path in sorted(folder.glob("*.toml")) if path.name != "shared.toml"]
    lexicons = (cast(dict[str, list[_RuleRow]], _read(path)) for path in files)
    rows = [row for one in lexicons for row in one["rule"]]
    card = questions(language)
    # A Chinese character is a letter to "\b": in "i want to die了" no word would end.
    edges = re.ASCII if language == "en" else re.NOFLAG
    wordings = ((one, text) for one in card for text in (one.text, *one.heard))
    asked = ((fold(text).rstrip("?"), one.yes, not one.ask_if) for one, text in wordings)
    return Rules(
        tuple(_rule(row, words, edges) for row in rows),
        {name: re.compile(_full(one, words), edges) for name, one in shared["guards"].items()},
        {name: re.compile(_full(one, words)) for name, one in shared["talk"].items()},
        tuple((words, level, first) for words, level, first in asked if level is not None),
    )


def _around(text: str, match: re.Match[str]) -> str:
    return text[max(0, match.start() - _NEAR) : match.end() + _NEAR]


def _read(path: Path) -> object:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _full(pattern: str, words: dict[str, str]) -> str:
    """A pattern with the sets of words that it names written out."""
    return _NAMED.sub(lambda named: f"(?:{words[named[1]]})", pattern)


def _rule(row: _RuleRow, words: dict[str, str], edges: re.RegexFlag = re.NOFLAG) -> Rule:
    patterns = [_full(one, words) for one in row["patterns"]]
    # Half of all messages have no Chinese character, and need not be searched for any.
    spelt = [one for one in patterns if _LETTERS.search(one) or not _HAN.search(one)]
    return Rule(
        name=row["name"],
        level=RiskLevel(row["level"]),
        category=Category(row["category"]),
        guards=tuple(row["guards"]),
        pattern=_joined(patterns, edges),
        spelt=_joined(spelt, edges) if spelt else None,
    )


def _joined(patterns: Sequence[str], edges: re.RegexFlag) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{one})" for one in patterns), edges)

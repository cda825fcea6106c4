"""What lies beside an alert: questions in order, a safety plan, resources, what to mind.

The words and the decision table are data (``safety/crisis``); this module only reads them.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import TypedDict, cast

from safety.risk import FROM_OTHERS, Category, Language, RiskLevel

_FOLDER = Path(__file__).parent / "crisis"
MOST_RESOURCES = 3
FRESH_DAYS = 365
"""A resource verified longer ago than this is stale; a test fails then."""

_OWN_LIFE = frozenset({Category.SUICIDE, Category.SELF_HARM, Category.NONE})


@dataclass(frozen=True, slots=True)
class Question:
    """One question; ``ask_if`` holds the answers that must have been given before it."""

    key: str
    text: str
    yes: RiskLevel | None
    """What a yes means; None where the answer is for the therapist alone."""

    ask_if: tuple[tuple[str, bool], ...]
    heard: tuple[str, ...] = ()
    """Other wordings of it: a yes to them means the same. The card shows none."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A place a client can turn to."""

    name: str
    region: str
    languages: tuple[str, ...]
    contact: str
    hours: str
    kinds: tuple[str, ...]
    last_verified: date

    def stale(self, today: date) -> bool:
        """Whether nobody has verified this entry for too long."""
        return (today - self.last_verified).days > FRESH_DAYS


@dataclass(frozen=True, slots=True)
class Card:
    """All that the therapist sees beside an alert."""

    questions: tuple[Question, ...]
    safety_plan: tuple[str, ...]
    resources: tuple[Resource, ...]
    guidance: tuple[str, ...]


class _QuestionRow(TypedDict, total=False):
    key: str
    yes: str
    ask_if: dict[str, bool]
    en: str
    zh: str
    heard_en: list[str]
    heard_zh: list[str]


class _CardRows(TypedDict):
    question: list[_QuestionRow]
    harm_question: list[_QuestionRow]
    safety_plan: dict[str, list[str]]
    guidance: dict[str, dict[str, list[str]]]


class _ResourceRow(TypedDict):
    name: str
    region: str
    languages: list[str]
    contact: str
    hours: str
    kinds: list[str]
    last_verified: date


def crisis_card(categories: Iterable[Category], language: Language, region: str) -> Card:
    """One card for all dangers at once, in the therapist's language and the client's region.

    Harm from others comes first: whether it is safe to write has to be known before the rest.
    """
    named = set(categories) - {Category.NONE} or {Category.NONE}
    others, own = sorted(named & FROM_OTHERS), sorted(named - FROM_OTHERS)
    rows = _rows()
    asked = (rows["harm_question"] if others else []) + (rows["question"] if own else [])
    advice = ["harm_from_others"] if others else []
    advice += ["suicide" if _OWN_LIFE.intersection(own) else "other"] if own else []
    near = [resources_for(category, language, region) for category in (*others, *own)]
    return Card(
        questions=tuple(_question(row, language) for row in asked),
        safety_plan=tuple(rows["safety_plan"][language]) if own else (),
        # The best of each kind before the second of any.
        resources=tuple(dict.fromkeys(one for row in zip_longest(*near) for one in row if one))[
            :MOST_RESOURCES
        ],
        guidance=tuple(line for kind in advice for line in rows["guidance"][kind][language]),
    )


def next_question(answers: Mapping[str, bool]) -> str | None:
    """The key of the question that comes next; None when all that apply are answered."""
    for question in questions("en"):
        due = all(answers.get(key) is value for key, value in question.ask_if)
        if due and question.key not in answers:
            return question.key
    return None


def needless(answers: Mapping[str, bool]) -> frozenset[str]:
    """The keys of the unanswered questions that one of the answers rules out."""
    return frozenset(
        question.key
        for question in questions("en")
        if question.key not in answers
        and any(answers.get(key, value) is not value for key, value in question.ask_if)
    )


def level_of(answers: Mapping[str, bool]) -> RiskLevel:
    """What the answers so far mean: the furthest level that any yes stands for."""
    reached = [
        question.yes
        for question in questions("en")
        if answers.get(question.key) and question.yes is not None
    ]
    return max(reached, key=lambda level: level.rank, default=RiskLevel.LOW)


def questions(language: Language) -> tuple[Question, ...]:
    """The follow-up questions about the client's own life, in order."""
    return tuple(_question(row, language) for row in _rows()["question"])


def resources_for(category: Category, language: Language, region: str) -> tuple[Resource, ...]:
    """At most three: made for this danger first, then the emergency number, then near ones."""
    kind = _kind(category)
    wanted = {"emergency"} if kind == "emergency" else {kind, "suicide", "emergency"}
    found = [one for one in _near(region) if wanted & set(one.kinds)]
    rank = {kind: 0, "emergency": 1}
    found.sort(
        key=lambda one: (
            language not in one.languages,
            min(rank.get(name, 2) for name in one.kinds),
        )
    )
    return tuple(found[:MOST_RESOURCES])


def resource_names(region: str) -> frozenset[str]:
    """What the places of a region are called, or those that serve anywhere."""
    return frozenset(one.name for one in _near(region))


@cache
def all_resources() -> tuple[Resource, ...]:
    """Every resource on file."""
    content = tomllib.loads((_FOLDER / "resources.toml").read_text(encoding="utf-8"))
    return tuple(
        Resource(
            name=row["name"],
            region=row["region"],
            languages=tuple(row["languages"]),
            contact=row["contact"],
            hours=row["hours"],
            kinds=tuple(row["kinds"]),
            last_verified=row["last_verified"],
        )
        for row in cast(list[_ResourceRow], content["resource"])
    )


def _near(region: str) -> list[Resource]:
    near = [one for one in all_resources() if one.region == region]
    return near or [one for one in all_resources() if one.region == "*"]


def _kind(category: Category) -> str:
    if category is Category.HARM_FROM_OTHERS:
        return "harm_from_others"
    if category is Category.CHILD_AT_RISK:
        return "child"
    return "suicide" if category in _OWN_LIFE else "emergency"


def _question(row: _QuestionRow, language: Language) -> Question:
    return Question(
        key=row.get("key", ""),
        text=row.get(language, ""),
        yes=RiskLevel(row["yes"]) if "yes" in row else None,
        ask_if=tuple(row.get("ask_if", {}).items()),
        heard=tuple(row.get("heard_en" if language == "en" else "heard_zh", ())),
    )


@cache
def _rows() -> _CardRows:
    content = (_FOLDER / "card.toml").read_text(encoding="utf-8")
    return cast(_CardRows, tomllib.loads(content))

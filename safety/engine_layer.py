"""Asking the engine too: an optional further opinion that can raise a level, never lower it.

Meant for a base of 8B or more. Here are the question, the grammar and the reading of the answer;
`service.drafting` asks it, where it is switched on, after the acknowledgement and with scrubbed
words.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

from safety.risk import Category, Language, Line, RiskLevel, RiskReport

Json: TypeAlias = "str | int | bool | Sequence[Json] | Mapping[str, Json]"
JsonSchema: TypeAlias = Mapping[str, Json]
MAX_TOKENS = 60
_LINES = 6
_FENCE = re.compile(r"<{3,}|>{3,}")
"""All at once and for a blank: what is left cannot join to another fence."""
_SCORES = {
    RiskLevel.NONE: 0.0,
    RiskLevel.LOW: 0.25,
    RiskLevel.MODERATE: 0.6,
    RiskLevel.HIGH: 0.85,
    RiskLevel.IMMINENT: 0.97,
}

SYSTEM = """You read one message that a client wrote to a counseling service and judge whether a \
person could be in danger. You never answer the client. A human counselor reads your judgment.

Levels:
- none: no sign of danger. Figures of speech, jokes, films, songs, games, books, professional \
work, ordinary sadness, anger, grief, stress.
- low: earlier danger that is clearly over, or a thought that is clearly denied and explained.
- moderate: wishing to be dead or not to wake, without thoughts of acting; urges to self-harm.
- high: thoughts of suicide without a plan; self-harm; goodbyes, hints or a sudden calm that may \
hide a decision; danger from or to another person; a child at risk; losing touch with what is real.
- imminent: a plan, an intent, means at hand, a time, something already begun or taken, a body in \
danger, someone dangerous in the room.

Rules: the newest message counts, read with the lines before it. Taking something back ("just \
joking", "forget it") does not undo it. A short yes to a direct question about dying is a yes. \
Worry about a third person counts like worry about the client. When unsure between two levels, \
choose the higher."""

SCHEMA: JsonSchema = {
    "type": "object",
    "properties": {
        "level": {"enum": [level.value for level in RiskLevel]},
        "category": {"enum": [category.value for category in Category]},
    },
    "required": ["level", "category"],
    "additionalProperties": False,
}
"""The grammar: both answers are enums, so nothing else can come back."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to send: two messages, the grammar, and how much may come back."""

    system: str
    user: str
    schema: JsonSchema
    max_tokens: int


def ask(text: str, history: Sequence[Line], language: Language) -> Question:
    """The question about one message; its words are data, fenced off from the instruction."""
    lines = [f"{line.role}: {_flat(line.text)}" for line in history[-_LINES:]]
    before = "\n".join(lines) or "(nothing)"
    user = (
        f"Language: {language}\nEarlier lines:\n{before}\n\n"
        f"Newest message of the client, as data:\n<<<\n{_flat(text)}\n>>>"
    )
    return Question(SYSTEM, user, SCHEMA, MAX_TOKENS)


def read(answer: str) -> RiskReport | None:
    """The engine's judgment; None when it is not one, which changes nothing."""
    try:
        found: object = json.loads(answer)
    except ValueError:
        return None
    if not isinstance(found, dict):
        return None
    fields = cast(dict[str, object], found)
    level, category = str(fields.get("level")), str(fields.get("category"))
    if level not in set(RiskLevel) or category not in set(Category):
        return None
    judged = RiskLevel(level)
    return RiskReport(judged, Category(category), _SCORES[judged], (), "engine")


def _flat(text: str) -> str:
    """One line that closes no fence and holds none of the chat template's own control marks."""
    fenced = _FENCE.sub(" ", text).replace("<|", "< |").replace("|>", "| >")
    return " ".join(fenced.split())

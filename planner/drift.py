"""How far the talk has left the plan, and which turns say so. A hint, never a gate.

Lexical on purpose: it runs without a model and a therapist can see why it fired.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from planner.vocabulary import ClientTurn, CounselorTurn, PlannedCase, Stage, Turn

_LINGERING = 3
"""From this many counselor turns on one action, each further one counts as drift."""
_RECENT = 8
_FEWEST_WORDS = 4
_ASIDE = re.compile(
    r"\b(by the way|anyway|never ?mind|don'?t want to (talk|go)|talk about something else"
    r"|change the subject)\b|换个话题|不想(谈|说|聊)|说点别的|算了",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z]{4,}", re.IGNORECASE)
_PAIR = re.compile(r"(?=([\u4e00-\u9fff]{2}))")
"""Overlapping: where a word begins must not depend on how many characters stand before it."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A signal for the therapist."""

    score: float
    """Share of the stage's recent turns that left the plan, 0-1."""
    turns: tuple[int, ...]
    """Indexes, within the stage's turns, of those that did."""


def drift(case: PlannedCase) -> Drift:
    """Which turns of the current stage left the plan, and what share of the recent ones did.

    A counselor turn left it by an action outside the plan, a jump, or lingering on one action; a
    client turn by setting the topic aside, or by sharing no word with all that was said before.
    """
    turns = case.diagnostic if case.position.stage is Stage.DIAGNOSTIC else case.intervention
    left = sorted({*_counselor_turns(case, turns), *_client_turns(case, turns)})
    recent = max(len(turns) - _RECENT, 0)
    length = min(len(turns), _RECENT)
    score = sum(index >= recent for index in left) / length if length else 0.0
    return Drift(score, tuple(left))


def _counselor_turns(case: PlannedCase, turns: Sequence[Turn]) -> Iterable[int]:
    actions = case.position.plan.actions
    cursor, here = -1, 0
    for index, turn in enumerate(turns):
        if not isinstance(turn, CounselorTurn):
            continue
        step = actions.index(turn.action) if turn.action in actions else None
        here = here + 1 if step == cursor else 1
        if step is None or step not in (cursor, cursor + 1) or here > _LINGERING:
            yield index
        cursor = cursor if step is None else step


def _client_turns(case: PlannedCase, turns: Sequence[Turn]) -> Iterable[int]:
    known = case.formulation
    plan = case.position.plan
    topic = (known.surface_level_problem, known.triggering_situation, *known.automatic_thoughts)
    heard = _stems(" ".join((*topic, plan.text, *plan.actions)))
    for index, turn in enumerate(turns):
        said = _stems(turn.utterance)
        if isinstance(turn, ClientTurn):
            enough = _length(said) >= _FEWEST_WORDS
            elsewhere = index > 1 and enough and not said & heard
            if elsewhere or _ASIDE.search(turn.utterance):
                yield index
        heard |= said


def _stems(text: str) -> set[str]:
    """Words cut to five letters, so that `sleeping` meets `sleeps`; Chinese in pairs."""
    return {word.casefold()[:5] for word in _WORD.findall(text)} | set(_PAIR.findall(text))


def _length(stems: set[str]) -> int:
    """How many words that is: overlapping pairs are two for a word."""
    pairs = sum(not stem.isascii() for stem in stems)
    return len(stems) - pairs + (pairs + 1) // 2

"""The prompts whose exact text is kept: every role, stage and language, a hint, and a correction.

``python -m tests.golden.cases`` writes them anew; read the difference before you commit it.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from planner.fallback import fallback_plan
from planner.machine import adopt, advance, start
from planner.plan_rules import DIAGNOSTIC_ACTIONS
from planner.prompt import Prompt, render
from planner.vocabulary import (
    ClientTurn,
    CounselorTurn,
    Formulation,
    Language,
    PlannedCase,
    Position,
    Role,
    Stage,
    Turn,
)

FOLDER = Path(__file__).parent / "prompts"
_WORDS: Mapping[Language, tuple[str, str, str, str]] = {
    "en": (
        "Nothing is known yet, so I open.",
        "What has been on your mind?",
        "I keep replaying one meeting.",
        "My boss looked at the clock and I felt foolish.",
    ),
    "zh": (
        "还什么都不知道，所以先开个头。",
        "最近在想些什么？",
        "我总想起那次会议。",
        "老板看了看表。",
    ),
}
_KNOWN: Mapping[Language, Formulation] = {
    "en": Formulation("replays a meeting", "the boss looks at the clock", ("I am a bore.",)),
    "zh": Formulation("反复想起会议", "老板看表", ("我很无聊。",)),
}


def golden_prompts() -> Mapping[str, Prompt]:
    """Each kept prompt under its file's name."""
    found: dict[str, Prompt] = {}
    for language in _WORDS:
        diagnostic, intervention = _case(language, 2), _intervention(language)
        found[f"utterance.opening.{language}"] = render(Role.UTTERANCE, _case(language, 0))
        found[f"utterance.diagnostic.{language}"] = render(Role.UTTERANCE, diagnostic)
        found[f"utterance.intervention.{language}"] = render(Role.UTTERANCE, intervention)
        found[f"utterance.hint.{language}"] = render(Role.UTTERANCE, diagnostic, hint="...")
        found[f"planner.{language}"] = render(Role.PLANNER, diagnostic)
        parts = {"triggering_situation", "automatic_thoughts"}
        corrected = replace(diagnostic, formulation=_KNOWN[language], corrected=parts)
        found[f"planner.corrected.{language}"] = render(Role.PLANNER, corrected)
    return found


def as_text(prompt: Prompt) -> str:
    """A prompt as a page that a person can read."""
    talk = "\n".join(f"--- {m.role}\n{m.content}" for m in prompt.messages)
    schema = json.dumps(prompt.schema, indent=1, ensure_ascii=False)
    head = f"template {prompt.template}\nmax_tokens {prompt.max_tokens}"
    return f"{head}\n{talk}\n--- schema\n{schema}\n"


def _case(language: Language, turns: int) -> PlannedCase:
    talk, position = _talk(language, start(), turns)
    return PlannedCase(language, position, diagnostic=talk)


def _intervention(language: Language) -> PlannedCase:
    last = Position(Stage.DIAGNOSTIC, start().plan, len(DIAGNOSTIC_ACTIONS) - 1)
    opened = adopt(last, fallback_plan(language).plan)
    talk, position = _talk(language, opened, 2)
    return PlannedCase(language, position, _KNOWN[language], intervention=talk)


def _talk(language: Language, position: Position, turns: int) -> tuple[list[Turn], Position]:
    reasoning, question, *answers = _WORDS[language]
    talk: list[Turn] = []
    for action, answer in zip(position.plan.actions[:turns], answers, strict=False):
        talk += [CounselorTurn(reasoning, action, question), ClientTurn(answer)]
        position = advance(position, action)
    return talk, position


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, prompt in golden_prompts().items():
        (FOLDER / f"{name}.txt").write_text(as_text(prompt), "utf-8")

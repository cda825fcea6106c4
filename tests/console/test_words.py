"""Whatever word of the service a page shows has a text in both languages."""

from collections.abc import Iterable
from typing import get_args

import pytest
from pydantic import BaseModel

from models.completion import EngineFault
from models.rollout import Phase
from models.rollout import Reason as RolloutReason
from planner.plan_rules import DIAGNOSTIC_PLAN
from planner.vocabulary import END_SESSION, Role, Stage, Strategy
from safety import surrogates
from safety.guard import GuardContext, check
from safety.guard_phrases import PHRASES
from safety.risk import Category, RiskLevel
from safety.rules import read_rules
from service.schemas.alerts import Outcome
from service.schemas.client import Status
from service.schemas.plans import Reason
from service.schemas.review import Kind, Verdict
from service.schemas.workspace import Line
from service.session import events
from service.views import _MEANING
from ui import texts
from ui.panels import draft

NO_ENGINE = (*(f"engine_{fault}" for fault in EngineFault), "answer_unreadable", "scrub_failed")
"""Why a template stands on the desk, or nothing: see service/drafting.py and service/turn.py."""
NO_DRAFT = ("crisis", "closed", "reply_is_held", "nothing_to_answer", "paused", "drafting")
"""See service/views.py."""


def event_types() -> list[str]:
    groups: Iterable[type[BaseModel]] = [
        one for group in get_args(events.Event) for one in (get_args(group) or (group,))
    ]
    return [str(one.model_fields["type"].default) for one in groups]


SHOWN = {
    "event": event_types(),
    "phase": list(Phase),
    "rollout_reason": list(RolloutReason),
    "adapters": list(Role),
    "stage": list(Stage),
    "strategy_name": [one.name.lower() for one in Strategy],
    "strategy": [one.name.lower() for one in Strategy],
    "level": list(RiskLevel),
    "category": list(Category),
    "outcome": get_args(Outcome),
    "status": get_args(Status),
    "reason": get_args(Reason),
    "kind": get_args(Kind),
    "verdict": get_args(Verdict),
    "part": ["service", "store", "engine", "scrub", "drafting"],
    "part_state": ["ok", "on", "down", "paused"],
    "no_draft": [draft.known(reason) for reason in (*NO_ENGINE, *NO_DRAFT)],
    "cause": [draft.known(reason) for reason in NO_ENGINE],
}


@pytest.mark.parametrize("section", SHOWN)
def test_every_word_that_is_shown_has_a_text_in_both_languages(section: str) -> None:
    wanted = {f"{section}.{name}" for name in SHOWN[section]}
    assert wanted - set(texts.catalogue()) == set()


def test_all_kinds_of_events_are_looked_for() -> None:
    assert {"session_opened", "alert_raised", "plan_proposed", "words_read"} <= set(event_types())
    assert len(event_types()) > 20


def test_a_line_across_the_transcript_has_a_name() -> None:
    kinds = get_args(Line.model_fields["kind"].annotation)
    named = [kind for kind in kinds if kind not in {"client", "reply"}]
    assert {f"transcript.{kind}" for kind in named} <= set(texts.catalogue())


def test_what_raised_an_alert_and_the_fixed_steps_are_told_in_chinese() -> None:
    found = {rule.name for language in ("en", "zh") for rule in read_rules(language).rules}
    found |= {"says yes to the direct question", "takes back an earlier statement"}
    found |= {"these words as a whole", *DIAGNOSTIC_PLAN.actions, END_SESSION}
    found |= {DIAGNOSTIC_PLAN.text, DIAGNOSTIC_PLAN.reason}
    assert len(found) > 60
    assert [said for said in found if texts.retell("zh", "told", said).isascii()] == []
    assert {texts.retell("en", "told", said) for said in found} == found


def test_a_guard_s_reasons_and_a_card_s_meanings_are_told_in_chinese() -> None:
    row = surrogates.Surrogate("Gregor", "嘉树", surrogates.Kind.PERSON, "PERSON-1")
    known = surrogates.Surrogates("s", (row,))
    context = GuardContext("en", "model", known)
    lines = ("", "a\nb", "- one", "Why? Why?", "a" * 999, "I met Adalbert.", "嘉树 called.")
    found = {one.detail for text in lines for one in check(text, context) if one.verdict == "fail"}
    assert len(found) == len(lines)
    found |= {reason for reasons in PHRASES.values() for _, reason in reasons}
    found |= {*_MEANING.values(), "a yes means low"}
    assert [said for said in found if texts.retell("zh", "told", said).isascii()] == []
    assert {texts.retell("en", "told", said) for said in found} == found
    assert texts.retell("zh", "told", "said by a newer service") == "said by a newer service"

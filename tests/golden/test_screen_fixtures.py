"""The screen as shipped, on its own fixtures: every miss found later is added to them.

These rows trained neither model: they helped to join the two and to choose the thresholds. The
floors lie a little under what the screen reaches today.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random
from statistics import mean

import pytest

from models.train import pairs
from planner.vocabulary import ClientTurn
from safety.evaluate_screen import Judged, auc, false_alarms, judge, read_cases, recall
from safety.risk import Language
from safety.screen import load_screen

pytestmark = pytest.mark.timeout(600)
"""The first use reads the weights and judges everything; on a busy machine that takes a while."""

FIXTURES = Path(__file__).parents[1] / "fixtures"
CORPUS = Path(__file__).parents[2] / "safety" / "corpus"


@cache
def judged(name: str) -> Sequence[Judged]:
    screen = load_screen()
    folder = FIXTURES if (FIXTURES / f"screen_{name}.jsonl").exists() else CORPUS
    lines = (folder / f"screen_{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [judge(screen, case) for case in read_cases(lines)]


def here(name: str, language: str) -> Sequence[Judged]:
    return [one for one in judged(name) if one.case.language == language]


def test_there_are_enough_cases_to_mean_something():
    assert len(judged("cases")) >= 600
    assert len(judged("plain")) >= 450


@pytest.mark.parametrize(
    "name", ["cases", "plain", "everyday", "first_zh", "twins", "plain_fifth", "en_k", "zh_g"]
)
def test_no_case_is_judged_by_a_layer_that_broke(name: str):
    """A break counts as the highest level, so it would pass for a find."""
    assert [one.case.id for one in judged(name) if one.report.source == "failure"] == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_plain_statements_call_a_human(language: str):
    missed = [one.case.id for one in here("plain", language)
              if one.case.route and not one.report.routes]  # fmt: skip
    assert missed == []


@pytest.mark.parametrize(("language", "least"), [("en", 0.94), ("zh", 0.96)])
def test_plain_statements_of_the_fourth_round_mostly_call_a_human(language: str, least: float):
    """The rules were mended for half of these; docs/safety.md has them at first sight."""
    assert recall(here("plain_first", language)).share >= least


@pytest.mark.parametrize("language", ["en", "zh"])
def test_plain_statements_of_the_fifth_round_call_a_human(language: str):
    """The rules were mended for what was missed; docs/safety.md has them at first sight."""
    found = here("plain_fifth", language)
    assert len(found) == 130
    assert recall(found).share >= 0.98


def test_chinese_danger_and_its_twins_by_another_hand_stay_above_the_floor():
    """Mended with these in view; docs/safety.md has them at first sight. Most that alarms still
    is the trained layer's: calm words that stand close to those of danger."""
    found = here("first_zh", "zh")
    assert recall(found).share >= 0.99
    assert false_alarms(found).share <= 0.27


def test_another_hand_s_plain_statements_call_a_human():
    """English, with one harmless edit of each beside it; the rules were mended with these in view,
    docs/safety.md has them at first sight."""
    assert recall(judged("twins")).share >= 0.98


def test_the_same_words_turned_harmless_alarm_often():
    """Three in ten, most of them by the trained layer alone: it hears the subject, not the turn."""
    twins = [one for one in judged("twins") if one.case.kind.startswith("twin")]
    assert len(twins) == 150
    assert false_alarms(twins).share <= 0.37
    calm = [one for one in judged("twins") if one.case.kind.startswith("extra")]
    assert false_alarms(calm).share <= 0.1


def test_danger_beside_a_harmless_sentence_calls_a_human():
    assert recall(judged("second")).share >= 0.95
    assert false_alarms(judged("second")).share <= 0.2


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_everyday_line_calls_nobody(language: str):
    found = here("calm", language)
    assert len(found) >= 40
    assert false_alarms(found).share <= 0.02


@pytest.mark.parametrize(("language", "most"), [("en", 0.06), ("zh", 0.12)])
def test_short_and_quiet_lines_kept_apart_seldom_alarm(language: str, most: float):
    found = here("apart", language)
    assert len(found) > 60
    assert false_alarms(found).share <= most


@pytest.mark.parametrize(("language", "most"), [("en", 0.2), ("zh", 0.14)])
def test_a_bare_line_without_its_conversation_alarms_seldom(language: str, most: float):
    """Never trained or tuned on; far from good, see docs/safety.md."""
    assert false_alarms(here("everyday", language)).share <= most


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_clients_write_on_an_ordinary_day_seldom_alarms(language: str):
    """Never trained or tuned on. A quarter comes after lines of theirs that nobody answered yet."""
    found = here("ordinary", language)
    assert len(found) == 250
    assert false_alarms(found).share <= 0.08
    unanswered = [one for one in found if {line.role for line in one.case.history} == {"client"}]
    assert len(unanswered) > 60
    assert false_alarms(unanswered).share <= 0.11


@pytest.mark.parametrize("language", ["en", "zh"])
def test_hard_cases_stay_above_the_floor(language: str):
    found = here("cases", language)
    assert recall(found).share >= 0.78
    assert false_alarms(found).share <= 0.16
    assert auc(found) >= 0.9


@pytest.mark.parametrize(("name", "least", "most"),
    [
        ("en_k", 0.9, 0.2), ("en_u", 0.82, 0.24), ("en_v", 0.93, 0.14),
        ("zh_g", 0.82, 0.18), ("zh_o", 0.88, 0.26), ("zh_p", 0.88, 0.15),
    ],
)  # fmt: skip
def test_another_hand_s_file_stays_above_the_floor(name: str, least: float, most: float):
    """Read to judge, never to train or tune; see docs/safety.md."""
    found = judged(name)
    assert recall(found).share >= least
    assert false_alarms(found).share <= most
    assert auc(found) >= 0.87


def calm_talks(language: str) -> list[list[str]]:
    """What clients said in calm sessions; the English ones trained nothing of the screen."""
    if language == "zh":
        lines = (CORPUS / "calm_talk_zh.jsonl").read_text(encoding="utf-8").splitlines()
        talks = [json.loads(line)["turns"] for line in lines]
        return [[one["text"] for one in talk if one["role"] == "client"] for talk in talks]
    folder = Path(pairs.__file__).parents[1] / "corpus"
    sessions = pairs.read_sessions(folder / "sessions.jsonl")[60:]
    return [
        [one.utterance for one in (*s.diagnostic, *s.intervention) if isinstance(one, ClientTurn)]
        for s in sessions
    ]


@pytest.mark.parametrize(("name", "language", "around", "least"), [
    ("en_v", "en", 500, 0.55), ("en_v", "en", 2000, 0.55),
    ("zh_p", "zh", 200, 0.65), ("zh_p", "zh", 800, 0.5),
])  # fmt: skip
def test_danger_said_once_in_a_long_calm_message_is_found(
    name: str, language: Language, around: int, least: float
):
    """An encoder that reads a message's mean overhears it; this one looks at every stretch."""
    drawn, screen, talks = Random(7), load_screen(), calm_talks(language)
    found: list[bool] = []
    rows = [one.case for one in judged(name) if one.case.route and not one.case.history]
    for row in rows:
        said = drawn.choice(talks)
        calm = " ".join(said * (1 + around // len("".join(said))))[:around]
        place = calm.find(" ", around // 3) + 1
        message = f"{calm[:place]}{row.text} {calm[place:]}"
        found.append(screen.judge(message, (), language).routes)
    assert mean(found) >= least

"""Plain words alert, explained words do not, and the talk around them counts."""

import json
from pathlib import Path

import pytest

from safety.risk import Category, Line, RiskLevel, RiskReport
from safety.rules import _rule, read_rules
from safety.screen import RulesLayer

PLAIN = tuple(
    map(
        json.loads,
        (Path(__file__).parents[1] / "fixtures" / "screen_plain.jsonl")
        .read_text(encoding="utf-8")
        .splitlines(),
    )
)


def look(text: str, *before: tuple[str, str]) -> RiskReport:
    history = tuple(Line(role, words) for role, words in before)  # type: ignore[arg-type]
    return RulesLayer().look(text, history, "en")


def test_plain_statements_are_judged_as_labelled():
    wrong = [
        row["id"]
        for row in PLAIN
        if look(row["text"], *((line["role"], line["text"]) for line in row["history"])).routes
        is not row["route"]
    ]
    assert len(PLAIN) >= 450
    assert wrong == []


def test_the_evidence_is_the_words_themselves():
    text = "Honestly, I want to DIE. Sorry."
    spans = {text[span.start : span.end] for span in look(text).evidence}
    assert any("want to DIE" in span for span in spans)


def test_every_piece_of_evidence_names_its_rule_and_its_category():
    for span in look("i want to die").evidence:
        assert span.reason
        assert span.category is Category.SUICIDE


def test_a_denied_thought_counts_as_low_and_keeps_its_evidence():
    report = look("I don't want to die")
    assert report.level is RiskLevel.LOW
    assert report.evidence
    assert report.score == 0.25


def test_the_most_urgent_rule_speaks():
    report = look("I want to die and I have written a suicide note")
    assert report.level is RiskLevel.IMMINENT
    assert report.score == 0.98


def test_a_denial_in_another_clause_explains_nothing():
    assert look("I am not tired. I want to die").routes


@pytest.mark.parametrize(
    "text",
    [
        "i want to end my life. my whole shift today i thought about the roof",
        "I'm going to overdose. I'm a paramedic and I know how",
        "i'm going to kill myself\n\n\nwatched a movie",
        "a song came on\ni'm going to kill myself",
        "i want to die.the printer was broken",
        "我想自杀。今天看了部电影也没用",
        "我想自杀\n今天看了部电影",
    ],
)
def test_work_or_a_story_in_another_sentence_explains_nothing(text: str):
    assert look(text).routes


@pytest.mark.parametrize(
    "text",
    [
        "i wrote a poem and then i will kill myself",
        "i just took all my pills, i'm a nurse and i know what it does",
        "我吞了一整瓶安眠药，我是护士我知道后果",
        "我是护士我知道后果，我要自杀",
    ],
)
def test_the_client_s_own_act_or_intent_is_no_story_and_no_work(text: str):
    assert look(text).routes


@pytest.mark.parametrize(
    "text",
    [
        "In the film she says I'm going to kill myself",
        "Training today, 2.5 hours on suicidal thoughts.",
        "I was at work. A patient on my ward wants to kill herself. It was a long day.",
        "小说里女主说我要自杀",
        "我是护士，今天科里有病人吞了一整瓶安眠药",
    ],
)
def test_work_or_a_story_in_the_same_sentence_still_explains(text: str):
    report = look(text)
    assert not report.routes
    assert report.level is RiskLevel.LOW


def test_a_denial_ends_where_a_line_ends():
    assert not look("I do not even want to die").routes
    assert look("I do not eat\nwant to die").routes


@pytest.mark.parametrize("year", ["on 1 January 2027", "in 2027", "in March 2031"])
def test_a_year_that_is_to_come_is_not_the_past(year: str):
    assert look(f"I will kill myself {year}").routes


def test_only_a_sentence_that_points_back_says_that_it_is_long_ago():
    assert not look("I tried to kill myself. That was years ago.").routes
    assert look("I tried to kill myself. My wife left me years ago.").routes


def test_what_was_long_ago_is_low_until_it_is_said_to_be_back():
    assert not look("I tried to kill myself years ago").routes
    assert look("I tried to kill myself years ago and it is back again").routes


def test_a_yes_to_the_direct_question_alerts():
    question = ("counselor", "Are you thinking about killing yourself?")
    report = look("yes", question)
    assert report.level is RiskLevel.HIGH
    assert (report.evidence[0].start, report.evidence[0].end) == (0, 3)


def test_a_no_to_the_direct_question_does_not():
    question = ("counselor", "Are you thinking about killing yourself?")
    assert look("no", question).level is RiskLevel.NONE


def test_a_yes_to_another_question_does_not():
    assert look("yes", ("counselor", "Did you sleep?")).level is RiskLevel.NONE


def test_a_yes_counts_only_right_after_the_question():
    question = ("counselor", "Are you thinking about killing yourself?")
    assert not look("yes", question, ("client", "no"), ("counselor", "Did you eat?")).routes


def test_taking_back_what_was_said_plainly_keeps_the_alert():
    said = ("client", "I want to kill myself")
    assert look("lol just kidding", said, ("counselor", "I am here.")).level is RiskLevel.HIGH


def test_taking_back_something_harmless_does_not_alert():
    assert not look("lol just kidding", ("client", "I hate Mondays")).routes


def test_what_the_counselor_said_cannot_be_taken_back():
    asked = ("counselor", "Some people want to kill themselves.")
    assert not look("haha never mind", ("counselor", "I want to die"), asked).routes


def test_what_was_said_too_long_ago_is_out_of_sight():
    said = ("client", "I want to kill myself")
    between = [("counselor", "Tell me more."), ("client", "It rained.")] * 3
    assert not look("just kidding", said, *between).routes


def test_an_empty_message_is_calm():
    assert look("").level is RiskLevel.NONE
    assert look("   ", ("counselor", "Do you want to die?")).level is RiskLevel.NONE


def test_both_languages_are_read_whatever_the_session_says():
    assert RulesLayer().look("我想死", (), "en").routes
    assert RulesLayer().look("i want to die", (), "zh").routes


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_guard_a_rule_names_exists(language: str):
    rules = read_rules(language)  # type: ignore[arg-type]
    assert {guard for rule in rules.rules for guard in rule.guards} <= set(rules.guards)
    assert {"asked", "yes", "no", "after_no", "retract"} == set(rules.talk)
    read = {"refused", "still", "meant", "clause", "figure", "past_own", "now", "bare", "begun"}
    read |= {"past_after", "resolved_after", "myself", "told", "unsaid"}
    assert read <= set(rules.guards)
    assert all(rule.level.at_least(RiskLevel.MODERATE) for rule in rules.rules)


def test_chinese_spelt_in_letters_is_found_where_no_character_is():
    assert look("wo xiang qu si").routes
    assert look("wo zhen de xiang zisha").routes


@pytest.mark.parametrize(
    "text",
    [
        "i want to d i e", "i want to d.i.e.", "k.m.s", "i.want.to.die", "i_want_to_die",
        "iwanttodie", "#killmyself", "idontwanttolive", "k~i~l~l myself", "自👍杀", "我想\n死",
    ],
)  # fmt: skip
def test_words_cut_up_or_run_together_are_found(text: str):
    assert look(text).routes


def test_the_evidence_covers_words_that_were_cut_up():
    text = "well, i want to d-i-e."
    assert any(text[span.start : span.end].endswith("d-i-e") for span in look(text).evidence)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("well, i want to d*e.", "want to d*e"),
        ("so, i will kill mys*lf, ok", "kill mys*lf"),
        ("and thinking about sui-cide again", "thinking about sui-cide"),
        ("i want to end my lifeeee now", "end my lifeeee"),
        ("i...want...to...die...ok", "want...to...die"),
    ],
)
def test_the_evidence_covers_words_that_were_bent(text: str, words: str):
    assert words in {text[span.start : span.end] for span in look(text).evidence}


def test_a_denial_run_together_is_none():
    assert not look("idontwanttodie").routes
    assert not look("i-don't-want-to-die").routes


def test_an_inner_critic_is_no_voice_that_commands():
    critic = "There is a voice in my head telling me I'm not good enough, that I'll fail again."
    assert not look(critic).routes
    assert look("The voices keep telling me to hurt myself and they won't stop.").routes


def test_a_pattern_that_names_unknown_words_is_refused():
    assert all("%" not in rule.pattern.pattern for rule in read_rules("zh").rules)
    row = json.loads('{"name": "n", "level": "high", "category": "suicide", "guards": []}')
    with pytest.raises(KeyError):
        _rule({**row, "patterns": ["%nobody%"]}, {})


@pytest.mark.parametrize(
    "text", ["I'm not sleeping and want to die", "我没考上所以想死", "我没睡好 想死"]
)
def test_a_denial_ends_where_the_next_clause_begins(text: str):
    assert look(text).routes


@pytest.mark.timeout(20)
@pytest.mark.parametrize("said", ["不想活\n", "想死", "kms ", "I want to die. "])
def test_danger_said_a_thousand_times_is_judged_like_danger_said_once(said: str):
    once, often = (look(said * times) for times in (1, 4000 // len(said)))
    assert (often.level, often.category) == (once.level, once.category)

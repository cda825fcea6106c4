"""What a client answers to the direct question, the crisis card's own questions first."""

import pytest

from safety.crisis_card import Question, questions
from safety.risk import Language, Line, RiskLevel, RiskReport
from safety.screen import RulesLayer

YES = {
    "en": [
        "Yes", "yes.", "yesss", "Yeah, I think so", "Honestly, yes", "um, yes", "I have.", "i do",
        "Well... sometimes", "Every single day", "never stopped", "can't stop", "a few times",
        "kind of", "true", "idk, maybe", "No. Well, yes.", "not a day without it",
    ],
    "zh": [
        "有", "有。", "有的", "有想过", "是", "是。", "是的", "对。", "嗯", "想过", "我有",
        "我想过", "没错", "没有一天不想", "其实有", "说实话，有过", "一直都有", "没停过",
        "偶尔", "没有，但是想过",
    ],
}  # fmt: skip
NO = {
    "en": [
        "No", "no, not at all", "Never", "nope", "Honestly, no", "Probably not", "of course not",
        "I have not", "I do not", "I am not", "um, no", "I guess not", "not really",
    ],
    "zh": [
        "没有", "没有。", "没", "从来没有", "不会", "我没有", "没想过", "嗯，没有", "真的没有",
        "怎么会",
    ],
}  # fmt: skip
AFTER_ALL = {
    "en": [
        "Actually, yes", "but sometimes", "I have thought about it", "I do sometimes", "no but yes",
    ],
    "zh": ["但有时候会", "其实有"],
}  # fmt: skip
DENIED = {
    "en": ("Are you thinking about killing yourself?", "No.", "I am just tired"),
    "zh": ("你有没有想过自杀？", "没有。", "我只是累"),
}
"""What was asked, a no to it, and words after it that are no yes."""
ASKED = [(language, one) for language in ("en", "zh") for one in questions(language)]
NAMES = [f"{language}-{one.key}" for language, one in ASKED]


def answer(said: str, asked: str, *since: str, before: tuple[Line, ...] = ()) -> RiskReport:
    history = (*before, Line("counselor", asked), *(Line("client", one) for one in since))
    return RulesLayer().look(said, history, "en")


def begun(language: Language, question: Question) -> tuple[Line, ...]:
    """What was asked before a question that follows from another."""
    first = {one.key: one.text for one in questions(language)}
    asked = tuple(Line("counselor", first[key]) for key, _ in question.ask_if)
    return (*asked, Line("client", "It is hard to talk about.")) if asked else ()


@pytest.mark.parametrize(("language", "question"), ASKED, ids=NAMES)
def test_a_yes_to_each_question_of_the_card_means_what_the_card_says(
    language: Language, question: Question
):
    before = begun(language, question)
    assert question.heard, "the card's own words are not the only ones"
    for asked in (question.text, *question.heard):
        found = {said: answer(said, asked, before=before).level for said in YES[language]}
        assert found == dict.fromkeys(YES[language], question.yes)


@pytest.mark.parametrize(("language", "question"), ASKED, ids=NAMES)
def test_a_no_to_a_question_of_the_card_calls_nobody(language: Language, question: Question):
    before = begun(language, question)
    for asked in (question.text, *question.heard):
        wrong = [said for said in NO[language] if answer(said, asked, before=before).routes]
        assert wrong == []


def test_the_question_may_stand_among_other_words():
    asked = "Thank you for telling me. Have you thought about how you might do it, Sam? I am here."
    thoughts = questions("en")[1].text
    assert answer("yes", asked, before=(Line("counselor", thoughts),)).level is RiskLevel.HIGH


@pytest.mark.parametrize(("language", "question"), ASKED, ids=NAMES)
def test_a_question_that_follows_from_another_means_nothing_alone(
    language: Language, question: Question
):
    yes = "yes" if language == "en" else "有"
    assert answer(yes, question.text).routes is not bool(question.ask_if)


@pytest.mark.parametrize("language", AFTER_ALL)
def test_a_yes_after_a_no_is_a_yes(language: Language):
    asked, no, tired = DENIED[language]
    calm = [said for said in AFTER_ALL[language] if not answer(said, asked, no).routes]
    assert calm == []
    assert not answer(tired, asked, no).routes


def test_of_two_questions_the_graver_counts():
    both = " ".join(one.text for one in questions("en")[:4])
    assert answer("yes", both).level is RiskLevel.IMMINENT


def test_a_yes_in_the_other_language_counts():
    assert answer("有", "Have you had thoughts of killing yourself?").routes
    assert answer("yes", "你有没有想过结束自己的生命?").routes


def test_a_yes_counts_after_another_line_of_the_client_s():
    asked = "Have you had thoughts of killing yourself?"
    assert answer("yes", asked, "hm", "that is a hard question").level is RiskLevel.HIGH
    assert not answer("I am so tired", asked, "no, I'm not").routes
    assert answer("ok, yes", asked, "no").level is RiskLevel.HIGH


@pytest.mark.parametrize("said", ["never ending rain here", "对不起我迟到了", "没人在家", "想睡觉"])
def test_what_begins_like_an_answer_to_another_question_is_none(said: str):
    assert not answer(said, "Did you sleep?").routes


def test_who_takes_back_what_was_asked_about_calls_a_human():
    said = "actually no i didn't, i was exaggerating"
    assert answer(said, "Hurt yourself?").routes

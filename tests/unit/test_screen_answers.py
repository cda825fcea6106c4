"""What a client answers to the direct question, the crisis card's own questions first."""

import pytest

from safety.crisis_card import Question, questions
from safety.risk import Language, Line, RiskLevel, RiskReport
from safety.rules import RulesLayer

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
ASKED = [(language, one) for language in ("en", "zh") for one in questions(language)]
NAMES = [f"{language}-{one.key}" for language, one in ASKED]


def answer(said: str, asked: str, *since: str) -> RiskReport:
    history = (Line("counselor", asked), *(Line("client", one) for one in since))
    return RulesLayer().look(said, history, "en")


@pytest.mark.parametrize(("language", "question"), ASKED, ids=NAMES)
def test_a_yes_to_each_question_of_the_card_means_what_the_card_says(
    language: Language, question: Question
):
    found = {said: answer(said, question.text).level for said in YES[language]}
    assert found == dict.fromkeys(YES[language], question.yes)


@pytest.mark.parametrize(("language", "question"), ASKED, ids=NAMES)
def test_a_no_to_a_question_of_the_card_calls_nobody(language: Language, question: Question):
    wrong = [said for said in NO[language] if answer(said, question.text).routes]
    assert wrong == []


def test_the_question_may_stand_among_other_words():
    asked = "Thank you for telling me. Have you thought about how you might do it, Sam? I am here."
    assert answer("yes", asked).level is RiskLevel.HIGH


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

"""The card asks in the Columbia scale's order and offers few, fresh, fitting resources."""

from datetime import date, timedelta
from itertools import product

import pytest

from safety.crisis_card import (
    FRESH_DAYS,
    MOST_RESOURCES,
    all_resources,
    crisis_card,
    level_of,
    needless,
    next_question,
    questions,
    resources_for,
)
from safety.risk import Category, RiskLevel

ORDER = ("wish", "thoughts", "method", "intent", "plan", "behaviour", "behaviour_recent")
REGIONS = sorted({one.region for one in all_resources()} - {"*"})


def asked(truth: dict[str, bool]) -> tuple[str, ...]:
    """The keys that would be asked, one after the other, if these were the answers."""
    answers: dict[str, bool] = {}
    while (key := next_question(answers)) is not None:
        answers[key] = truth.get(key, False)
    return tuple(answers)


def test_the_questions_stand_in_the_scale_s_order():
    assert tuple(question.key for question in questions("en")) == ORDER
    assert tuple(question.key for question in questions("zh")) == ORDER


def test_wish_thoughts_and_behaviour_are_always_asked():
    assert asked({}) == ("wish", "thoughts", "behaviour")


def test_a_yes_to_thoughts_opens_method_intent_and_plan():
    assert asked({"thoughts": True}) == (*ORDER[:5], "behaviour")


def test_a_yes_to_behaviour_asks_how_recent_it_was():
    assert asked({"behaviour": True}) == ("wish", "thoughts", "behaviour", "behaviour_recent")


def test_all_yes_asks_everything_once():
    assert asked(dict.fromkeys(ORDER, True)) == ORDER


def test_what_is_never_asked_after_these_answers_is_needless_and_nothing_else():
    for answers in product((False, True), repeat=len(ORDER)):
        truth = dict(zip(ORDER, answers, strict=True))
        given: dict[str, bool] = {}
        for key in asked(truth):
            assert needless(given) <= set(ORDER) - set(asked(truth))
            given[key] = truth[key]
        assert needless(given) == set(ORDER) - set(given)


@pytest.mark.parametrize(
    ("yes", "level"),
    [
        ((), RiskLevel.LOW),
        (("wish",), RiskLevel.MODERATE),
        (("wish", "thoughts"), RiskLevel.HIGH),
        (("thoughts", "method"), RiskLevel.HIGH),
        (("thoughts", "intent"), RiskLevel.IMMINENT),
        (("thoughts", "plan"), RiskLevel.IMMINENT),
        (("behaviour",), RiskLevel.MODERATE),
        (("behaviour", "behaviour_recent"), RiskLevel.IMMINENT),
    ],
)
def test_the_answers_mean_what_the_table_says(yes: tuple[str, ...], level: RiskLevel):
    assert level_of(dict.fromkeys(yes, True)) is level


def test_another_yes_never_lowers_the_level():
    for answers in product((False, True), repeat=len(ORDER)):
        given = dict(zip(ORDER, answers, strict=True))
        before = level_of(given)
        for key in ORDER:
            assert level_of(given | {key: True}).at_least(before)


@pytest.mark.parametrize("category", list(Category))
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_card_is_complete_in_both_languages(category: Category, language: str):
    card = crisis_card({category}, language, "GB")  # type: ignore[arg-type]
    assert card.questions
    assert all(question.text for question in card.questions)
    assert card.guidance
    assert 1 <= len(card.resources) <= MOST_RESOURCES


@pytest.mark.parametrize("category", [Category.HARM_FROM_OTHERS, Category.CHILD_AT_RISK])
def test_harm_from_others_asks_first_whether_it_is_safe_to_write(category: Category):
    card = crisis_card({category}, "en", "US")
    assert card.questions[0].key == "safe_now"
    assert card.safety_plan == ()


def test_harm_from_others_asks_for_nothing_that_endangers():
    asked_for = " ".join(
        q.text for q in crisis_card({Category.HARM_FROM_OTHERS}, "en", "US").questions
    )
    assert not {"address", "name", "photo", "police"} & set(asked_for.lower().split())


def test_two_dangers_at_once_give_one_card_that_asks_about_both():
    both = crisis_card({Category.SUICIDE, Category.HARM_FROM_OTHERS}, "en", "GB")
    keys = [question.key for question in both.questions]
    assert keys[0] == "safe_now"
    assert set(ORDER) <= set(keys)
    assert both.safety_plan
    kinds = {kind for one in both.resources for kind in one.kinds}
    assert {"suicide", "harm_from_others"} <= kinds
    assert len(both.resources) <= MOST_RESOURCES


@pytest.mark.parametrize("region", REGIONS)
def test_every_region_offers_a_line_to_talk_and_an_emergency_number(region: str):
    language = "zh" if region in {"CN", "TW"} else "en"
    kinds = {
        kind for one in resources_for(Category.SUICIDE, language, region) for kind in one.kinds
    }
    assert {"suicide", "emergency"} <= kinds


def test_what_is_made_for_the_danger_comes_first():
    assert "harm_from_others" in resources_for(Category.HARM_FROM_OTHERS, "en", "GB")[0].kinds
    assert "child" in resources_for(Category.CHILD_AT_RISK, "en", "GB")[0].kinds
    assert resources_for(Category.MEDICAL_EMERGENCY, "en", "GB")[0].kinds == ("emergency",)


def test_a_region_without_entries_gets_what_serves_anywhere():
    assert {one.region for one in resources_for(Category.SUICIDE, "en", "XX")} == {"*"}


def test_the_client_s_language_comes_before_others():
    found = resources_for(Category.SUICIDE, "zh", "SG")
    assert "zh" in found[0].languages


def test_no_resource_is_stale():
    stale = [(one.name, one.region) for one in all_resources() if one.stale(date.today())]
    assert stale == []


def test_a_resource_goes_stale_after_a_year():
    one = all_resources()[0]
    assert not one.stale(one.last_verified + timedelta(days=FRESH_DAYS))
    assert one.stale(one.last_verified + timedelta(days=FRESH_DAYS + 1))

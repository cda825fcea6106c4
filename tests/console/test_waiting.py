"""What comes by itself: the next session, a new alert, the service after a while away."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.console.conftest import Open
from tests.console.reader import Reader

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def visit(reading: Open, scenes: str) -> Callable[..., Reader]:
    return lambda token, path="": reading(scenes, token, path)


@pytest.mark.parametrize(
    ("scene", "said"),
    [
        ("held", "All 130 waiting sessions are held by colleagues"),
        ("raced", "All 8 waiting sessions are held by colleagues"),
        ("empty", "Nobody is waiting. Well done"),
        ("throttled", "Too many requests"),
    ],
)
def test_taking_the_next_says_why_there_is_none(
    visit: Callable[..., Reader], scene: str, said: str
) -> None:
    reader = visit(f"therapist-{scene}")
    reader.sees(".st-key-filters")
    reader.waits("n", f":text('{said}')")
    reader.misses(".transcript")


def test_the_one_free_session_is_found_behind_many_that_are_held(
    visit: Callable[..., Reader],
) -> None:
    reader = visit("therapist-deep")
    reader.sees(".st-key-queue_list li")
    reader.waits("n", ".transcript")
    expect(reader.page).to_have_url(re.compile("session=ses_1$"))


def test_nobody_else_waits_when_only_this_session_does(visit: Callable[..., Reader]) -> None:
    reader = visit("therapist-alone", "workspace?session=ses_1")
    reader.sees(".transcript")
    reader.waits("n", ":text('Nobody else is waiting')")


def test_a_new_alert_joins_the_desk_beside_the_one_that_is_open(
    visit: Callable[..., Reader],
) -> None:
    reader = visit("therapist-rising.beside", "crisis?session=ses_2")
    reader.sees(".st-key-open_alr_2 button")
    reader.sees(".alarm mark")
    reader.sees(".st-key-open_alr_1 button")
    reader.part("open_alr_1").locator("button").click()
    reader.reads(".alarm blockquote", "not wake up")
    expect(reader.page).to_have_url(re.compile("session=ses_9$"))


def test_the_first_alert_comes_to_an_empty_desk(visit: Callable[..., Reader]) -> None:
    reader = visit("therapist-dawning.first", "crisis")
    reader.sees(".blank.calm")
    reader.sees(".st-key-open_alr_1 button")
    reader.misses(".blank.calm")


def test_a_newcomer_is_offered_the_tour_once(reading: Open, scenes: str) -> None:
    reader = reading(scenes, "therapist-full", toured=False)
    reader.sees(".st-key-tour_later button").click()
    reader.misses(".st-key-tour")
    reader.page.reload()
    reader.sees(".st-key-queue_list li")
    reader.idle()
    reader.misses(".st-key-tour")


@pytest.mark.parametrize(
    ("role", "page", "appears"),
    [
        ("supervisor", "insights", ".st-key-chart_times"),
        ("supervisor", "audit", ".figures.log"),
        ("therapist", "crisis", ".blank.calm"),
        ("therapist", "workspace?session=ses_1", ".transcript"),
        ("therapist", "plan?session=ses_1", ".ladder"),
    ],
)
def test_a_page_comes_back_by_itself_as_its_card_says(
    visit: Callable[..., Reader], role: str, page: str, appears: str
) -> None:
    reader = visit(f"{role}-waking.{page.split('?')[0]}", page)
    reader.sees(".blank.offline")
    reader.sees(appears)
    reader.misses(".blank.offline")

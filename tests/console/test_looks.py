"""How the console looks and how fast it is: pictures of every page, axe's rules, speed."""

import re
import statistics
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.console.conftest import Open
from tests.console.reader import Reader

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

PAGES = {
    "queue": ("therapist-full", "", ".st-key-queue_list li"),
    "workspace": ("therapist-full", "workspace?session=ses_1", ".st-key-send_row"),
    "plan": ("therapist-full", "plan?session=ses_5", ".st-key-approve_plan"),
    "crisis": ("therapist-full", "crisis?session=ses_9", ".alarm mark"),
    "insights": ("supervisor-full", "insights", ".st-key-chart_alert_times .stVegaLiteChart"),
    "audit": ("supervisor-full", "audit?session=ses_1", ".figures.log"),
    "adapters": ("supervisor-full", "adapters", ".adapter.serving"),
    "signin": ("", "", ".st-key-signin_card input"),
}
STATES = {
    "workspace-dark": ("therapist-full", "workspace?session=ses_1", ".st-key-send_row"),
    "workspace-stale": ("therapist-stale", "workspace?session=ses_1", ".draft.stale"),
    "workspace-taken": ("therapist-taken", "workspace?session=ses_1", ".banner.taken"),
    "workspace-unplugged": ("therapist-unplugged", "workspace?session=ses_1", ".banner.trouble"),
    "queue-empty": ("therapist-empty", "", ".blank"),
    "queue-offline": ("therapist-away", "", ".blank.offline"),
    "queue-expired": ("therapist-expired", "", ".st-key-sign_in_again button"),
}
SMALL = {"queue": "queue", "workspace": "workspace", "crisis": "crisis"}
TABLET = {"width": 820, "height": 1100}
RERUNS = 9


@pytest.fixture
def visit(reading: Open, scenes: str) -> Callable[..., Reader]:
    def begin(token: str, path: str, appears: str, **window: object) -> Reader:
        reader = reading(scenes, token, path, **window)
        reader.sees(appears)
        reader.idle()
        return reader

    return begin


@pytest.mark.parametrize("name", [*PAGES, *STATES])
def test_a_page_is_pictured_and_breaks_no_serious_rule_of_axe(
    name: str, visit: Callable[..., Reader], pictures: Path
) -> None:
    window = {"color_scheme": "dark"} if name.endswith("dark") else {}
    reader = visit(*(PAGES | STATES)[name], **window)
    reader.picture(pictures / f"{name}.png")
    if name in SMALL:
        reader.picture(pictures / f"{name}-small.png", width=640)
    assert _violations(reader) == []
    assert reader.page.locator("html").get_attribute("lang") is not None


def test_answered_questions_are_pictured_and_break_no_serious_rule_of_axe(
    visit: Callable[..., Reader], pictures: Path
) -> None:
    reader = visit(*PAGES["crisis"])
    following = reader.page.locator(".ask.next")

    def press(place: int, answer: str) -> None:
        reader.page.get_by_role("radiogroup").nth(place).get_by_text(answer, exact=True).click()
        reader.idle()

    press(0, "Yes")
    press(1, "No")
    expect(following).to_contain_text("Did you ever try")
    following.scroll_into_view_if_needed()
    reader.picture(pictures / "crisis-questions.png")
    assert _violations(reader) == []
    # Pressed again an answer is taken back; the next reader of these scenes finds none kept.
    press(1, "No")
    press(0, "Yes")
    expect(following).to_contain_text("Are there times")


@pytest.mark.parametrize("page", ["queue", "workspace", "crisis"])
def test_a_page_fits_a_tablet(page: str, visit: Callable[..., Reader], pictures: Path) -> None:
    reader = visit(*PAGES[page], viewport=TABLET)
    reader.picture(pictures / f"{page}-tablet.png")
    wide = "document.querySelector('[data-testid=stMain]').scrollWidth"
    assert reader.page.evaluate(wide) <= TABLET["width"]


@pytest.mark.parametrize("width", [768, 1024])
def test_a_supervisor_reaches_every_page_on_a_tablet(
    width: int, visit: Callable[..., Reader]
) -> None:
    shown = visit(*PAGES["insights"], viewport=TABLET | {"width": width}).page
    more = shown.get_by_text(re.compile(r"^\d more$"))
    if more.count():
        more.click()
    # A link that something lies over is never clicked.
    shown.locator("a[href$='/adapters']:visible").last.click()
    expect(shown.locator(".adapter.serving").first).to_be_visible()


def test_the_tab_key_walks_from_the_draft_to_the_decision(visit: Callable[..., Reader]) -> None:
    reader = visit(*PAGES["workspace"])
    reader.editor.focus()
    order = []
    for _ in range(3):
        reader.key("Tab")
        order.append(
            reader.page.evaluate(
                "document.activeElement.closest('[class*=st-key-]').className"
                ".match(/st-key-(\\w+)/)[1]"
            )
        )
    assert order == ["send", "send_next", "own"]


def test_a_hundred_waiting_and_two_hundred_turns_appear_at_once_and_stay_live(
    visit: Callable[..., Reader], capsys: pytest.CaptureFixture[str]
) -> None:
    reader = visit("therapist-busy", "plan?session=ses_1", ".ladder")
    figures = {
        "queue of 100": _opens(reader, "1", ".st-key-queue_list li:nth-child(100)"),
        "transcript of 200": _opens(reader, "2", ".line:nth-of-type(100)"),
    }
    expect(reader.page.locator(".line")).to_have_count(200)
    reruns = [_rerun(reader) for _ in range(RERUNS)]
    figures["rerun, median"] = statistics.median(reruns)
    reader.key("1")
    expect(reader.page.locator(".st-key-queue_list li")).to_have_count(100)
    reader.sees(".st-key-queue_list li .wait")
    with capsys.disabled():
        print("\n" + "\n".join(f"{name:>20}: {ms:.0f} ms" for name, ms in figures.items()))


def _opens(reader: Reader, key: str, appears: str) -> float:
    """Go to a page by its key, twice, and give the milliseconds of the second time."""
    reader.idle()
    reader.waits(key, appears)
    reader.idle()
    reader.key("3")
    reader.sees(".ladder")
    reader.idle()
    return reader.waits(key, appears)


def _rerun(reader: Reader) -> float:
    """From a key press to the question it opens or closes."""
    reader.idle()
    opened = reader.waits("x", ".st-key-question")
    reader.idle()
    question = reader.page.locator(".st-key-question")
    while question.count():
        reader.key("Escape")
        reader.idle()
    return opened


def _violations(reader: Reader) -> list[str]:
    """The serious rules broken, each with the part that breaks it."""
    found = Axe().run(reader.page, context={"exclude": [["iframe"]]}).response["violations"]
    return [
        f"{one['id']}: {re.sub(r'css-.*? ', '', str(node['target'][0]))}"
        for one in found
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]

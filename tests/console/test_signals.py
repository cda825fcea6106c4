"""The sound: once for each alert that nobody looks at, however many there were before."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page

from tests.console.test_pages import opened, shows
from tests.console.watched import Line, over
from ui import parts

SOURCE = Path(parts.__file__).parent / "static" / "signals.js"
SPEAKER = """
window.contexts = 0; window.tones = 0; window.asleep = false;
const ramp = { setValueAtTime() {}, exponentialRampToValueAtTime() {} };
window.AudioContext = class {
  constructor() {
    window.contexts += 1;
    this.state = window.asleep ? "suspended" : "running";
    this.currentTime = 0;
  }
  resume() {
    if (window.asleep) return new Promise(() => {});
    this.state = "running";
    return Promise.resolve();
  }
  createOscillator() {
    window.tones += 1;
    return { frequency: ramp, connect: (to) => to, start() {}, stop() {} };
  }
  createGain() { return { gain: ramp, connect: (to) => to }; }
};
"""
LOAD = """async (source) => {
  window.look = (await import("data:text/javascript," + encodeURIComponent(source))).default;
}"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    made = browser.new_page()
    made.add_init_script(SPEAKER)
    made.goto("about:blank")
    made.evaluate(LOAD, SOURCE.read_text(encoding="utf-8"))
    yield made
    made.close()


def tones(page: Page, *alerts: str) -> int:
    """How many have sounded after a look at these alerts."""
    page.evaluate("(alerts) => window.look({ data: { alerts, pages: [] } })", list(alerts))
    return page.evaluate("window.tones")


@pytest.mark.browser
def test_every_alert_sounds_once_also_when_another_went_and_at_the_start(page: Page) -> None:
    assert tones(page, "alr_1") == 1
    assert tones(page, "alr_1") == 1
    assert tones(page, "alr_2") == 2
    assert tones(page) == 2
    assert tones(page, "alr_3", "alr_4") == 3
    assert tones(page, "alr_4") == 3
    assert page.evaluate("window.contexts") == 1


@pytest.mark.browser
def test_a_screen_reader_hears_of_each_new_alert(page: Page) -> None:
    def look(*alerts: str) -> None:
        data = {"alerts": alerts, "spoken": "A new alert.", "pages": []}
        page.evaluate("(data) => window.look({ data })", data)

    spoken = page.locator("[role=alert]")
    look()
    assert spoken.count() == 0
    for alert in ("alr_1", "alr_2"):
        look(alert)
        assert spoken.inner_text() == "", "the same words again are spoken only if they went first"
        page.wait_for_function("document.querySelector('[role=alert]').textContent !== ''")


@pytest.mark.browser
def test_a_browser_nobody_has_touched_sounds_with_the_first_touch(page: Page) -> None:
    page.evaluate("window.asleep = true")
    assert tones(page, "alr_1") == 0
    page.evaluate("window.asleep = false")
    page.keyboard.press("x")
    page.keyboard.press("x")
    assert page.evaluate("window.tones") == 1


@pytest.mark.browser
def test_what_somebody_looks_at_by_then_stays_silent(page: Page) -> None:
    page.evaluate("window.asleep = true")
    tones(page, "alr_1")
    tones(page)
    page.evaluate("window.asleep = false")
    page.keyboard.press("x")
    assert page.evaluate("window.tones") == 0


@pytest.mark.browser
@pytest.mark.parametrize(("letters", "asked"), [(True, 1), (False, 0)])
def test_single_keys_ask_for_nothing_once_they_are_turned_off(
    page: Page, letters: bool, asked: int
) -> None:
    page.set_content('<p class="st-key-help_open"><button onclick="window.asked += 1"></button>')
    page.evaluate("window.asked = 0")
    page.evaluate("(letters) => window.look({ data: { alerts: [], pages: [], letters } })", letters)
    page.keyboard.press("?")
    page.wait_for_timeout(400)
    assert page.evaluate("window.asked") == asked


def test_turned_off_no_button_has_a_single_key(line: Line) -> None:
    script = over(line, "workspace")
    bound = {one.proto.shortcut for one in script.button} - {""}
    assert {key for key in bound if len(key) == 1} >= set("apnwx")
    script.toggle(key="single_keys").set_value(False).run()
    left = {one.proto.shortcut for one in script.button} - {""}
    assert left == {key for key in bound if len(key) > 1}


def test_the_browser_is_told_which_alerts_nobody_looks_at(http: TestClient) -> None:
    script = opened(http, "queue", "therapist-full")
    told = [str(one.proto) for one in script.get("bidi_component")]
    assert any("alr_1" in one for one in told)
    assert not any("alr_2" in one for one in told)


@pytest.mark.parametrize("page", ["insights", "audit"])
@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (401, "unauthenticated", "account.signed_out"),
        (503, "unavailable", "account.unwatched"),
        (429, "rate_limited", "account.unwatched"),
    ],
)
def test_a_page_that_asks_for_no_alerts_says_that_new_ones_cannot_be_seen(
    line: Line, page: str, status: int, code: str, said: str
) -> None:
    script = over(line, page, "supervisor-full")
    assert not shows(script, said, "en")
    line.refuses["/alerts"] = (status, code)
    assert shows(script.run(), said, "en")
    line.refuses.clear()
    assert not shows(script.run(), said, "en")


def test_the_last_known_alerts_stand_while_the_service_is_away(line: Line) -> None:
    script = over(line, "insights", "supervisor-full")
    line.cut = True
    script.run()
    assert shows(script, "account.unwatched", "en")
    told = [str(one.proto) for one in script.get("bidi_component")]
    assert any("alr_1" in one for one in told)

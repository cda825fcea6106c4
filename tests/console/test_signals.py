"""The sound: once for each alert that nobody looks at, however many there were before."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page

from tests.console.test_pages import opened
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


def test_the_browser_is_told_which_alerts_nobody_looks_at(http: TestClient) -> None:
    script = opened(http, "queue", "therapist-full")
    told = [str(one.proto) for one in script.get("bidi_component")]
    assert any("alr_1" in one for one in told)
    assert not any("alr_2" in one for one in told)

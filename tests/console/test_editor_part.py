"""The editor's script alone: the tab keeps each word that the server is not known to have."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from ui import parts

pytestmark = [pytest.mark.browser]

SOURCE = Path(parts.__file__).parent / "static" / "editor.js"
BLANK = "http://editor.example.com/"
LOAD = """async (source) => {
  const draw = (await import("data:text/javascript," + encodeURIComponent(source))).default;
  const fixed = { slot: "R/ses_1", label: "", placeholder: "", disabled: false, limit: 200 };
  let place;
  window.reports = [];
  window.leaves = () => { place = document.createElement("div"); document.body.append(place); };
  window.draws = (data) => draw({
    parentElement: place, data: { said: "", confirmed: true, ...fixed, ...data },
    setStateValue: (_, text) => window.reports.push(text), setTriggerValue: () => {},
  });
  window.box = () => place.querySelector("textarea");
  window.types = (words) => { window.box().value += words; window.box().oninput(); };
  window.leaves();
}"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    made = browser.new_page()
    made.route(BLANK, lambda route: route.fulfill(body="<body></body>", content_type="text/html"))
    made.goto(BLANK)
    made.evaluate(LOAD, SOURCE.read_text(encoding="utf-8"))
    yield made
    made.close()


def draws(page: Page, value: str, revision: int = 1, **more: object) -> str:
    """What stands in the box after this was drawn."""
    page.evaluate("(data) => window.draws(data)", {"value": value, "revision": revision, **more})
    return page.evaluate("window.box().value")


def types(page: Page, words: str, *, reported: bool = True) -> None:
    page.evaluate("(words) => window.types(words)", words)
    if reported:
        page.evaluate("window.box().onblur()")


def test_words_stay_in_the_tab_while_the_server_does_not_take_them(page: Page) -> None:
    draws(page, "draft")
    types(page, " and mine")
    draws(page, "draft and mine", confirmed=False)
    page.evaluate("window.leaves()")
    assert draws(page, "draft") == "draft and mine"


def test_words_the_server_has_leave_the_tab(page: Page) -> None:
    draws(page, "draft")
    types(page, " and mine")
    draws(page, "draft and mine")
    assert page.evaluate("sessionStorage.length") == 0


def test_words_put_there_are_kept_until_the_server_has_them(page: Page) -> None:
    draws(page, "")
    draws(page, "taken back", revision=2, confirmed=False)
    page.evaluate("window.leaves()")
    assert draws(page, "", revision=3) == "taken back"


def test_words_that_were_sent_are_not_offered_again(page: Page) -> None:
    draws(page, "")
    types(page, "mine")
    page.evaluate("window.leaves()")
    assert draws(page, "draft", revision=3, said="mine") == "draft"


def test_what_is_added_leaves_the_words_being_typed(page: Page) -> None:
    draws(page, "")
    types(page, "mine")
    types(page, ", going on", reported=False)
    assert draws(page, "mine\n\nback", revision=2, confirmed=False) == "mine, going on\n\nback"
    page.wait_for_function("window.reports.at(-1) === 'mine, going on\\n\\nback'")

"""A reader's language and keys are the browser's to keep: beyond a reload and beyond a sign-out."""

import pytest
from playwright.sync_api import expect

from tests.console.conftest import Open
from tests.console.reader import Reader

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]


def speaks(reader: Reader, lang: str) -> None:
    expect(reader.page.locator("html")).to_have_attribute("lang", lang)


def test_a_reload_and_a_sign_out_keep_language_and_keys(reading: Open, scenes: str) -> None:
    reader = reading(scenes, "therapist-full")
    reader.sees(".st-key-filters")
    speaks(reader, "en")
    reader.page.get_by_role("button", name="R. Therapist").click()
    reader.part("single_keys").locator("label").click()
    reader.part("tongue").get_by_role("radio").last.click()
    speaks(reader, "zh-CN")
    reader.go("")
    reader.sees(".st-key-filters")
    speaks(reader, "zh-CN")
    reader.page.get_by_role("button", name="R. Therapist").click()
    expect(reader.part("single_keys").get_by_role("switch")).not_to_be_checked()
    reader.part("sign_out").get_by_role("button").click()
    reader.sees(".st-key-signin_card")
    speaks(reader, "zh-CN")
    reader.go("")
    reader.reads(".st-key-signin_card", "进入|登录")
    speaks(reader, "zh-CN")


def test_a_first_visit_speaks_what_the_browser_asks_for(reading: Open, scenes: str) -> None:
    reader = reading(scenes, "", locale="zh-CN")
    reader.sees(".st-key-signin_card")
    speaks(reader, "zh-CN")

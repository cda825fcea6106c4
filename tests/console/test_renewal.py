"""What draws itself again takes no press away from the reader."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.console import stack as stacks
from tests.console.conftest import Open

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]


def test_no_press_is_forgotten_while_the_page_draws_itself_anew(
    reading: Open, tmp_path: Path
) -> None:
    env = stacks.settings(tmp_path, 1, 1, 5_000)
    started, address = stacks.console(tmp_path, env, "tests/console/restless_app.py")
    try:
        reader = reading(address, "nobody")
        for presses in range(8):
            reader.reads(".presses", f"^{presses}$")
            reader.part("press").locator("button").click()
        reader.reads(".presses", "^8$")
    finally:
        started.stop_all()


@pytest.mark.parametrize("part", ["resolve", "back"])
def test_a_press_right_after_typing_into_a_safety_plan_counts(
    reading: Open, scenes: str, part: str
) -> None:
    reader = reading(scenes, f"therapist-crisis.typed_{part}", "crisis?session=ses_1")
    reader.sees(".alarm mark")
    reader.idle()
    reader.unfolds(reader.page.locator("summary", has_text="safety plan").first)
    reader.part("plan_ses_1_0").locator("textarea").fill("the evenings")
    # At once, as a tap does: leaving the field and pressing become one message of the browser.
    reader.part(part).locator("button").click()
    reader.sees(".st-key-agreed_ses_1" if part == "resolve" else ".transcript")


def test_a_press_right_after_typing_into_the_formulation_counts(reading: Open, scenes: str) -> None:
    reader = reading(scenes, "therapist-full", "plan?session=ses_5")
    trigger = reader.part("formulation_ses_5_triggering_situation").locator("input")
    reader.unfolds(reader.sees(".st-key-formulation_open summary"))
    trigger.fill("The review on Tuesday.")
    reader.part("back").locator("button").click()
    reader.sees(".transcript")
    reader.part("go_plan").locator("button").click()
    reader.unfolds(reader.sees(".st-key-formulation_open summary"))
    expect(trigger).to_have_value("The review on Tuesday.")
    reader.idle()
    reader.part("save_formulation").locator("button").click()
    reader.sees(":text('The formulation is corrected')")

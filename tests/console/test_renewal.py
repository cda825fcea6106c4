"""What draws itself again by itself takes no press away from the reader."""

from pathlib import Path

import pytest

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

"""Real browsers in front of the real product, and of canned scenes."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.console import fake_api
from tests.console import stack as stacks
from tests.console.reader import FLAGS, Reader
from tests.console.stack import ClientApp, Stack
from tests.console.watched import Line
from tests.ports import free_port

Open = Callable[..., Reader]


@pytest.fixture(scope="session")
def browser(require: Callable[[str], str]) -> Iterator[Browser]:
    expect.set_options(timeout=60_000)
    chromium = require("chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield started
        started.close()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The whole product, freshly started on a store of its own."""
    whole = stacks.whole(tmp_path_factory.mktemp("stack"))
    yield whole
    whole.stop_all()


@pytest.fixture(scope="session")
def console(stack: Stack) -> Iterator[str]:
    """A console in front of the whole product."""
    started, address = stacks.console(stack.folder, stack.env)
    yield address
    started.stop_all()


@pytest.fixture(scope="module")
def http() -> Iterator[TestClient]:
    """The canned scenes in this process, without a browser."""
    with TestClient(fake_api.app) as client:
        yield client


@pytest.fixture
def line(http: TestClient) -> Line:
    """The wire between a page and those scenes: what goes over it is kept, and may be refused."""
    return Line(http)


@pytest.fixture(scope="session")
def canned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service that answers with canned scenes; the token names the scene."""
    folder, port = tmp_path_factory.mktemp("canned"), free_port()
    env = stacks.settings(folder, port, port, 5_000)
    started = Stack(folder, env)
    started.start("canned", "-m", "tests.console.fake_api", str(port))
    stacks.until_up(f"{started.api}/readyz")
    yield started.api
    started.stop_all()


@pytest.fixture(scope="session")
def scenes(canned: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A console in front of the canned scenes."""
    folder = tmp_path_factory.mktemp("scenes")
    env = stacks.settings(folder, 1, int(canned.rsplit(":", 1)[1]), 5_000)
    started, address = stacks.console(folder, env)
    yield address
    started.stop_all()


@pytest.fixture
def client_app(stack: Stack) -> Iterator[ClientApp]:
    with closing(stacks.caller(stack, "demo-app")) as http:
        yield ClientApp(http)


@pytest.fixture
def reading(browser: Browser) -> Iterator[Open]:
    """Open a console as somebody, each time in a browser window of its own."""
    opened = []

    def begin(
        address: str, token: str, path: str = "", *, toured: bool = True, **context: object
    ) -> Reader:
        wanted: dict[str, object] = {"viewport": {"width": 1280, "height": 800}}
        window = browser.new_context(**(wanted | context))  # type: ignore[arg-type]
        opened.append(window)
        page: Page = window.new_page()
        # Once only: signing out and refreshing must behave as for anybody.
        page.add_init_script(
            "if (!sessionStorage.getItem('asked')) { sessionStorage.setItem('asked', 1);"
            f"sessionStorage.setItem('secondchair.token', '{token}') }}"
        )
        if toured:
            # Not a newcomer: the tour's offer would lie over what the tests look at.
            page.add_init_script("localStorage.setItem('secondchair.toured', '1')")
        reader = Reader(page, address)
        reader.go(path)
        return reader

    yield begin
    for window in opened:
        window.close()


@pytest.fixture
def therapist(reading: Open, console: str, stack: Stack) -> Callable[[str], Reader]:
    return lambda path="": reading(console, stack.keys["demo-therapist"], path)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pages' pictures go: into the documentation when SECONDCHAIR_PICTURES is set."""
    if not os.environ.get("SECONDCHAIR_PICTURES"):
        return tmp_path_factory.mktemp("pictures")
    folder = stacks.ROOT / "docs" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder

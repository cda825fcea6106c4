"""A person at the console: presses keys, reads the page, waits for what should come."""

import io
import re
import time
from pathlib import Path
from typing import Final, Literal

from PIL import Image
from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
)
COLOURS = 128
TRIES = 6


class Reader:
    """One browser window."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address

    def go(self, path: str) -> None:
        self.page.goto(f"{self.address}/{path}")

    def key(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def part(self, name: str) -> Locator:
        """A part of the page by the key the console gave it."""
        return self.page.locator(f".st-key-{name}")

    def sees(self, selector: str) -> Locator:
        found = self.page.locator(selector).first
        expect(found).to_be_visible()
        return found

    def misses(self, selector: str) -> None:
        expect(self.page.locator(selector)).to_have_count(0)

    def reads(self, selector: str, pattern: str) -> None:
        expect(self.page.locator(selector).first).to_contain_text(re.compile(pattern))

    @property
    def editor(self) -> Locator:
        return self.part("editor").locator("textarea")

    def holds(self) -> None:
        """Take the session; from here on the decision is this reader's."""
        self.sees(".transcript")
        self.part("take").locator("button").click()
        self.sees(".st-key-send_row")

    def draft(self) -> str:
        self.sees(".draft:not(.stale) blockquote")
        self.idle()
        return self.page.locator(".draft blockquote").first.inner_text()

    def idle(self) -> None:
        """Wait until the page is drawn and nothing runs."""
        self.page.wait_for_function(
            "document.querySelector('.stApp')?.dataset.testScriptState === 'notRunning'"
            " && !document.querySelector('[data-stale=true], [data-testid=stSkeleton]')"
        )

    def unfolds(self, summary: Locator) -> None:
        """Open a part that is folded, and wait until it stands: a press on what moves misses."""
        summary.click()
        stands = (
            "part => (part = part.closest('details')).open && !part.getAnimations({subtree: true})"
        )
        self.page.wait_for_function(f"{stands}.length", arg=summary.element_handle())

    def edits(self, words: str) -> None:
        """Go into the editor and type."""
        self.waits("e", ".st-key-editor textarea:focus")
        self.page.keyboard.type(words)

    def waits(self, key: str, appears: str) -> float:
        """Press a key until something is there; give the milliseconds it took to come."""
        return self._presses(key, appears, "attached")

    def loses(self, key: str, leaves: str) -> float:
        """Press a key until something is gone; give the milliseconds it took to go."""
        return self._presses(key, leaves, "detached")

    def _presses(self, key: str, what: str, becomes: Literal["attached", "detached"]) -> float:
        """Press again where nothing came of it, as people do; the press that counted is timed."""
        wanted = self.page.locator(what).first
        for _ in range(TRIES):
            self.idle()
            started = time.perf_counter()
            self.key(key)
            try:
                wanted.wait_for(state=becomes, timeout=15_000)
            except PlaywrightTimeout:
                continue
            return (time.perf_counter() - started) * 1000
        raise TimeoutError(f"{key} was pressed and nothing came")

    def picture(self, path: Path, width: int | None = None) -> None:
        """Keep what is on the screen, small enough for a repository."""
        self.idle()
        shot = Image.open(io.BytesIO(self.page.screenshot(animations="disabled")))
        if width is not None:
            shot = shot.resize((width, width * shot.height // shot.width), Image.Resampling.LANCZOS)
        shot.convert("RGB").quantize(COLOURS).save(path, optimize=True)

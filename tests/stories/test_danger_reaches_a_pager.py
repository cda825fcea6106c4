"""From the client's words to a pager's door, over real HTTP, with everything else going wrong.

The time is printed, not asserted: `pytest -s tests/stories/test_danger_reaches_a_pager.py`.
"""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from safety.risk import Language, Line, RiskLevel, RiskReport
from service.pager import WebhookPager
from service.session.duties import Policy
from service.stores.memory import MemoryStore
from service.stores.sqlite import SqliteStore
from tests.driving import Town, town
from tests.receiving import receiving

SECRET = "a shared secret of the tests"
PATIENCE_S = 60.0
"""Generous on purpose: what is promised is printed, and a busy machine fails no test."""


@dataclass
class Receiver:
    """Whoever is on call: takes signed pages over HTTP, and notes when each came."""

    address: str = ""
    pages: list[tuple[float, bytes, str]] = field(default_factory=list[tuple[float, bytes, str]])
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Note one page."""
        self.pages.append((time.monotonic(), body, headers["x-secondchair-signature"]))
        self.came.set()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A pager's receiver on a free port."""
    made = Receiver()
    async with receiving(made.take) as address:
        made.address = f"{address}/page"
        yield made


@dataclass
class Babbles:
    """A screen that answers something which is no report."""

    answer: Any

    def judge(self, text: str, history: Sequence[Line], language: Language) -> RiskReport:
        """Give it."""
        return self.answer


@pytest.mark.parametrize("kept", ["memory", "sqlite"])
@pytest.mark.parametrize("model", ["down", "paused"])
async def test_a_page_arrives_signed_after_a_restart_without_a_model(
    kept: str, model: str, receiver: Receiver, tmp_path: Path
) -> None:
    store = MemoryStore() if kept == "memory" else SqliteStore(tmp_path / "secondchair.db")
    policy = Policy(hold_ms=0, drafting=model == "down")
    async with town(store, policy) as here, httpx.AsyncClient(trust_env=False) as http:
        here.engine.manner = "down"
        here.ports = replace(here.ports, pager=WebhookPager(http, receiver.address, SECRET))
        session = await _left_by_a_dead_worker(here)
        began = time.monotonic()
        await here.say(session, "[imminent]")
        here.restart()
        working = asyncio.create_task(here.worker.run())
        async with asyncio.timeout(PATIENCE_S):
            await receiver.came.wait()
        working.cancel()
    at, body, signature = receiver.pages[0]
    print(f"{kept}, model {model}: words to pager {1000 * (at - began):.0f} ms")
    assert signature == f"sha256={hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}"
    assert json.loads(body)["level"] == RiskLevel.IMMINENT
    assert b"[imminent]" not in body


async def _left_by_a_dead_worker(here: Town) -> str:
    """A session whose lease a worker took and never gave back."""
    session = await here.open()
    await here.say(session, "Everything feels heavy lately.")
    now = here.clock.now_ms()
    await here.store.lease_due(now, now + 15_000, 10)
    return session


@pytest.mark.parametrize(
    "answer", [None, "calm", 7, (), object()], ids=lambda one: type(one).__name__
)
async def test_a_screen_that_answers_nonsense_calls_a_human_at_the_highest_level(
    here: Town, answer: object
) -> None:
    here.ports = replace(here.ports, screen=Babbles(answer))
    here.restart()
    session = await here.open()
    assert (await here.say(session, "Hello.")).status_code == 202
    await here.work()
    (alert,) = (await here.desk("ada", session))["alerts"]
    assert (alert["level"], alert["source"]) == (RiskLevel.IMMINENT, "failure")
    assert [page.level for page in here.pager.pages] == [RiskLevel.IMMINENT]

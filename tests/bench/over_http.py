"""The service as it runs: API and worker as processes, real screen, real scrub, over HTTP.

Only the engine is a stub. The people who drive it share the machine with it.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.bench.figures import Spread, Stopwatch, spread
from tests.bench.in_process import LONG, TEXT, together
from tests.household import Household

_LOOK_S = 0.005
"""How often the reviewer's console reads the queue."""
_PATIENCE_S = 120.0


@dataclass
class Front:
    """One client app and one reviewer at a running service."""

    http: httpx.AsyncClient
    app: str
    ada: str
    claims: dict[str, str] = field(default_factory=dict[str, str])
    drafts: dict[str, asyncio.Future[dict[str, Any]]] = field(
        default_factory=dict[str, asyncio.Future[dict[str, Any]]]
    )
    """Who waits for a draft, and the queue's item once there is one."""
    asked: int = 0

    async def call(self, who: str, method: str, path: str, **given: Any) -> Any:
        """Send a request and give its JSON; every post is fresh."""
        self.asked += 1
        headers = {"Authorization": f"Bearer {who}", "Idempotency-Key": f"k{self.asked}"}
        headers |= given.pop("headers", {})
        answer = await self.http.request(method, path, headers=headers, **given)
        assert answer.is_success, (method, answer.status_code)
        return answer.json()

    async def open(self) -> str:
        """Open a session and have the reviewer take it."""
        asked = {"client_ref": "c", "language": "en", "region": "US"}
        session = (await self.call(self.app, "POST", "/v1/sessions", json=asked))["id"]
        claim = await self.call(self.ada, "POST", f"/v1/sessions/{session}/claim", json={})
        self.claims[session] = claim["claim"]
        return session

    async def say(self, session: str) -> int:
        """Post a message; give its place in the log."""
        path = f"/v1/sessions/{session}/messages"
        return (await self.call(self.app, "POST", path, json={"text": TEXT}))["seq"]

    async def turn(self, session: str) -> None:
        """Message, draft, decision, reply."""
        said, item = await self.say(session), {"seq": 0}
        while item["seq"] <= said:  # a page of the queue read before may still be on its way
            waiting = self.drafts[session] = asyncio.get_running_loop().create_future()
            async with asyncio.timeout(_PATIENCE_S):
                item = await waiting
        asked = {"verdict": "approve", "basis": item["seq"]}
        path = f"/v1/drafts/{item['draft_id']}/decisions"
        claim = {"X-Claim": self.claims[session]}
        await self.call(self.ada, "POST", path, json=asked, headers=claim)
        heard = await self.call(self.app, "GET", f"/v1/sessions/{session}/replies?after={said}")
        assert len(heard["items"]) == 1

    async def watch(self) -> None:
        """Read the queue as a console does and tell who waits for a draft."""
        while True:
            if self.drafts:
                page = await self.call(self.ada, "GET", "/v1/queue?kind=draft&page_size=200")
                for item in page["items"]:
                    waiting = self.drafts.pop(item["session_id"], None)
                    if waiting is not None:
                        waiting.set_result(item)
            await asyncio.sleep(_LOOK_S)


@asynccontextmanager
async def front(home: Household) -> AsyncGenerator[Front]:
    """Start the processes and give people at their door."""
    app, ada = await home.issue("app", "client_app"), await home.issue("ada", "therapist")
    home.start()
    try:
        await home.ready()
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
        async with httpx.AsyncClient(
            base_url=home.url, trust_env=False, limits=limits, timeout=_PATIENCE_S
        ) as http:
            here = Front(http, app, ada)
            watching = asyncio.create_task(here.watch())
            # Once through everything: the worker has loaded what it needs.
            await here.turn(await here.open())
            try:
                yield here
            finally:
                watching.cancel()
    finally:
        home.stop()


async def measure(folder: Path, wanted: int) -> dict[str, Spread]:
    """Give accepted messages and whole turns, one at a time and 16 at once."""
    home = Household(folder / "home", f"sqlite:///{folder / 'http.db'}")
    found: dict[str, Spread] = {}
    async with front(home) as here:
        for at_once in (1, 16):
            found[f"turns_{at_once}"] = await turns(here, wanted, at_once)
        found["messages"] = await messages(here, wanted * 2, 16)
    return found


async def turns(here: Front, wanted: int, at_once: int) -> Spread:
    """How fast whole turns go."""
    sessions = [await here.open() for _ in range(at_once * (wanted // at_once // LONG + 1))]
    watches = [Stopwatch() for _ in range(at_once)]

    async def talk(number: int) -> None:
        for turn in range(wanted // at_once):
            with watches[number]:
                await here.turn(sessions[turn // LONG * at_once + number])

    seconds = await together(at_once, talk)
    return spread([wait for one in watches for wait in one.waits], seconds)


async def messages(here: Front, wanted: int, at_once: int) -> Spread:
    """How fast messages are accepted, judged by the real screen, while the worker drains."""
    sessions = [await here.open() for _ in range(at_once * 4)]
    watches = [Stopwatch() for _ in range(at_once)]
    began = time.perf_counter()

    async def talk(number: int) -> None:
        for turn in range(wanted // at_once):
            with watches[number]:
                await here.say(sessions[(turn % 4) * at_once + number])

    await together(at_once, talk)
    return spread([w for one in watches for w in one.waits], time.perf_counter() - began)

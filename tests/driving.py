"""A whole service in one process, driven over HTTP as client apps and therapists drive it."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from models.adapters import Fit
from safety.guard import check
from service.aliases import StoredAliases
from service.app import create_app
from service.auth import Authenticator, Caller, Role, issue
from service.house import House
from service.ledger import Ledger
from service.limits import Allowance, Strangers
from service.ports import Drafting, Ports
from service.rolling import Rolling, Shelf
from service.sealing import MasterKeys
from service.session.duties import Policy
from service.stores.memory import MemoryStore
from service.stores.port import Store
from service.worker import Worker
from tests.fakes import (
    BASE,
    CountingIds,
    FakePager,
    FixedAliases,
    ManualClock,
    NamedScrubber,
    ScriptedEngine,
    WordScreen,
)

Answer = httpx.Response
Json = Any
MASTER = MasterKeys((bytes(range(32)),))
PEOPLE: Mapping[str, tuple[Role, str]] = {
    "app": ("client_app", "north"),
    "ada": ("therapist", "north"),
    "ben": ("therapist", "north"),
    "tom": ("therapist", "north"),
    "sue": ("supervisor", "north"),
    "oli": ("ops", "north"),
    "far_app": ("client_app", "south"),
    "far": ("therapist", "south"),
    "far_sue": ("supervisor", "south"),
    "lab_app": ("client_app", "simulation"),
}
"""Everybody in the tests: name, role, team."""


@cache
def one_app() -> FastAPI:
    """The application is the same for every house; making it is what takes time."""

    @asynccontextmanager
    async def never(app: FastAPI) -> AsyncGenerator[House]:
        raise AssertionError("tests put the house in place themselves")
        yield

    # A thousand requests at once on a busy machine are not what the time limit is for.
    return create_app(never, patience_s=600.0)  # pyright: ignore[reportArgumentType]


@dataclass
class Town:
    """A service with its fakes, its worker, and everybody's keys."""

    ports: Ports
    policy: Policy
    keys: Mapping[str, str]
    engine: ScriptedEngine
    screen: WordScreen
    scrubber: NamedScrubber
    pager: FakePager
    clock: ManualClock
    http: httpx.AsyncClient
    house: House = field(init=False)
    worker: Worker = field(init=False)
    master: MasterKeys = MASTER
    claims: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    _numbers: Any = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        """Open for the first time."""
        self.restart()

    def restart(self) -> None:
        """Forget everything that a process keeps in memory; only the store is left."""
        ledger = Ledger(self.ports.store, self.master, self.clock, self.policy)
        auth = Authenticator(self.ports.store, self.clock, self.master)
        bare = Shelf(Path("no-adapters"), Fit("unknown"), BASE, 0, auto=False)
        aliases = StoredAliases(self.ports.store, BASE)
        rolling = Rolling(self.ports.store, (), aliases, self.clock, self.ports.ids, bare)
        free = Allowance(1e9, 1e9)
        self.house = House(
            ledger, self.ports, self.master, auth, free, rolling, strangers=Strangers(free)
        )
        self.worker = Worker(ledger, self.ports)
        one_app().state.house = self.house

    def refit(self, **parts: Any) -> None:
        """Replace parts of the house, until the next restart."""
        self.house = one_app().state.house = replace(self.house, **parts)

    async def admit(self, who: str, caller: Caller, until_ms: int | None = None) -> str:
        """Issue somebody a key, and give it."""
        key = await issue(self.store, self.master, caller, until_ms)
        self.keys = {**self.keys, who: key}
        return key

    def prefix(self, who: str) -> str:
        """Give the part of somebody's key that everybody may know."""
        return self.keys[who].split("_")[1]

    @property
    def store(self) -> Store:
        """What survives a crash."""
        return self.ports.store

    async def call(
        self, who: str, method: str, path: str, body: Json = None, **headers: str
    ) -> Answer:
        """Send a request as somebody; client apps get a fresh idempotency key."""
        sent = {"Authorization": f"Bearer {self.keys[who]}"} if who else {}
        if who.endswith("app") and method == "POST":
            sent["Idempotency-Key"] = f"key-{next(self._numbers)}"
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.request(method, path, json=body, headers=sent)

    async def open(self, language: str = "en", **more: Json) -> str:
        """Open a session and give its id."""
        body = {"client_ref": "c-1", "language": language, "region": "US", **more}
        answer = await self.call("app", "POST", "/v1/sessions", body)
        assert answer.status_code == 201, answer.json()["code"]
        return answer.json()["id"]

    async def say(self, session: str, text: str, **headers: str) -> Answer:
        """Post a client's message."""
        path = f"/v1/sessions/{session}/messages"
        return await self.call("app", "POST", path, {"text": text}, **headers)

    async def work(self, pass_ms: int = 0) -> None:
        """Let time go by and the worker do what is due."""
        self.clock.tick(pass_ms)
        await self.worker.drain()

    async def claim(self, who: str, session: str) -> None:
        """Take a session; later writes of that person carry the claim."""
        answer = await self.call(who, "POST", f"/v1/sessions/{session}/claim", {})
        assert answer.status_code == 200, answer.json()["code"]
        self.claims[who, session] = answer.json()["claim"]

    async def desk(self, who: str, session: str) -> Json:
        """Give what a therapist sees."""
        answer = await self.call(who, "GET", f"/v1/sessions/{session}/workspace")
        assert answer.status_code == 200, answer.json()["code"]
        return answer.json()

    async def write(
        self, who: str, session: str, method: str, path: str, body: Json = None
    ) -> Answer:
        """Send a reviewer's write under the claim they hold."""
        claim = self.claims.get((who, session), "clm_0")
        return await self.call(who, method, path, body, X_Claim=claim)

    async def decide(self, who: str, session: str, verdict: str, **more: Json) -> Answer:
        """Decide on the draft that lies on the desk."""
        desk = await self.desk(who, session)
        body = {"verdict": verdict, "basis": desk["seq"], **more}
        path = f"/v1/drafts/{desk['draft']['draft_id']}/decisions"
        return await self.write(who, session, "POST", path, body)

    async def replies(self, session: str) -> list[Json]:
        """Give what has reached the client."""
        answer = await self.call("app", "GET", f"/v1/sessions/{session}/replies?page_size=200")
        return answer.json()["items"]

    async def length(self, session: str) -> int:
        """Give how many events the log has."""
        return len(await self.store.read(session))

    async def drafted(
        self, text: str = "Everything feels heavy lately.", who: str = "ada", **more: Json
    ) -> str:
        """Open a session, say something, have somebody claim the draft; the common beginning."""
        session = await self.open(**more)
        await self.say(session, text)
        await self.work()
        await self.claim(who, session)
        return session

    async def edited(self, **more: Json) -> str:
        """Open a session in which ada wrote a draft anew; the next one lies on the desk."""
        session = await self.drafted("It was a long week.", **more)
        await self.decide("ada", session, "edit", text="What made it long?", reasons=["style"])
        await self.say(session, "It was work.")
        await self.work()
        return session

    async def alarmed(self, level: str = "high") -> tuple[str, str]:
        """Open a session with an alert; give both ids."""
        session = await self.open()
        await self.say(session, f"[{level}]")
        (alert,) = (await self.desk("ada", session))["alerts"]
        return session, alert["alert_id"]

    async def acknowledge(self, who: str, alert: str) -> None:
        """Say that somebody has seen an alert."""
        answer = await self.call(who, "POST", f"/v1/alerts/{alert}/acknowledge")
        assert answer.status_code == 200, answer.json()["code"]


@asynccontextmanager
async def town(
    store: Store | None = None,
    policy: Policy | None = None,
    safety_timeout_s: float = 5.0,
    engine: ScriptedEngine | None = None,
    pager: FakePager | None = None,
) -> AsyncGenerator[Town]:
    """Open a service for the length of a ``with``; a hold of 0 unless the policy says more."""
    kept, asked, called = store or MemoryStore(), engine or ScriptedEngine(), pager or FakePager()
    screen, scrubber, clock = WordScreen(), NamedScrubber(), ManualClock()
    ports = Ports(
        store=kept, engine=asked, aliases=FixedAliases(), screen=screen, scrubber=scrubber,
        guard=check, pager=called, clock=clock, ids=CountingIds(), drafting=Drafting(),
        safety_timeout_s=safety_timeout_s,
    )  # fmt: skip
    keys = {who: await issue(kept, MASTER, Caller(who, *of)) for who, of in PEOPLE.items()}
    transport = httpx.ASGITransport(one_app())
    async with httpx.AsyncClient(
        transport=transport, base_url="http://town", trust_env=False
    ) as http:
        yield Town(
            ports, policy or Policy(hold_ms=0), keys, asked, screen, scrubber, called, clock, http
        )
    await kept.close()

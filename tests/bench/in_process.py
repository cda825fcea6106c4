"""The service in one process, on a real SQLite file, driven by calling its routes as functions.

Screen, scrub and guard are stubbed and the engine answers at once, so that what is left is ours:
the log, the seals, the store, the worker, the review desk.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

from fastapi import Response

from models.completion import Ask, Completion
from planner.prompt import Prompt
from safety.guard import Check, GuardContext
from service.auth import Authenticator, Caller
from service.house import House
from service.idempotency import OnceOnly
from service.ids import RandomIds, SystemClock
from service.ledger import Ledger
from service.limits import Allowance
from service.messages import post_message
from service.ports import Drafting, Ports
from service.review import claim_session, decide_draft
from service.schemas.client import MessageRequest, SessionRequest
from service.schemas.review import DecisionRequest
from service.session.duties import Policy
from service.session.state import State
from service.sessions import ReplyWindow, open_session, read_replies
from service.stores.sqlite import SqliteStore
from service.stores.sqlite_writer import empty_log
from service.worker import Worker
from tests.bench.figures import Spread, Stopwatch, spread
from tests.driving import MASTER
from tests.fakes import FakePager, FixedAliases, PlainScrubber, WordScreen
from tests.stub_engine import example

TEXT = "I am a bit nervous about the exam next week, and I would like to talk about how to prepare."
"""What the client says each time, calm to any screen; the same for the other side."""
APP, REVIEWER = Caller("app", "client_app", "north"), Caller("ada", "therapist", "north")
LONG = 20
"""Turns of a session, as the papers' sessions have; the same for the other side."""
_PATIENCE_S = 300.0


class InstantEngine:
    """Answers at once with what the schema asks for; says it every time."""

    async def complete(self, prompt: Prompt, ask: Ask) -> tuple[Completion, ...]:
        """Give the one answer."""
        text = json.dumps(example(prompt.schema))
        return (Completion(text, ask.model, 100, 20, 50, 0),) * ask.candidates


@dataclass
class Bureau:
    """A house with a worker at work in it, and the people who call its routes."""

    house: House
    store: SqliteStore
    path: Path
    claims: dict[str, str] = field(default_factory=dict[str, str])
    _keys: Iterator[int] = field(default_factory=count)

    def _once(self) -> OnceOnly:
        return OnceOnly(self.house, APP, {f"key-{next(self._keys)}": b"hash"})

    async def open(self) -> str:
        """Open a session and have the reviewer take it."""
        asked = SessionRequest(client_ref="c", language="en", region="US")
        session = (await open_session(asked, Response(), self._once())).id
        claim = await claim_session(session, OnceOnly(self.house, REVIEWER, {}))
        self.claims[session] = claim.claim
        return session

    async def say(self, session: str, text: str = TEXT) -> int:
        """Post a message, durable when this returns; give its place in the log."""
        asked = MessageRequest(text=text)
        return (await post_message(session, asked, Response(), self._once())).seq

    async def drafted(self, session: str) -> State:
        """Wait until the worker has laid a draft on the desk."""
        seen, deadline = 0, time.monotonic() + _PATIENCE_S
        while not (state := await self.house.ledger.load(session)).draft_is_fresh:
            if time.monotonic() > deadline:
                raise TimeoutError("no draft came")
            seen = await self.store.changed(seen, 1.0)
        return state

    async def turn(self, session: str, text: str = TEXT, reply: str | None = None) -> None:
        """Message, draft, decision, reply; the draft is approved unless words are given."""
        said = await self.say(session, text)
        state = await self.drafted(session)
        assert state.draft is not None
        verdict = "approve" if reply is None else "respond"
        asked = DecisionRequest(verdict=verdict, text=reply, basis=state.seq)
        draft, claim = state.draft.prepared.draft_id, self.claims[session]
        await decide_draft(draft, asked, OnceOnly(self.house, REVIEWER, {}), claim)
        heard = await read_replies(session, self.house, APP, ReplyWindow(after=said))
        assert len(heard.items) == 1

    def bytes(self) -> int:
        """What the store takes on the disk, its write-ahead log brought in."""
        empty_log(self.path)
        return self.path.stat().st_size


def _unchecked(text: str, context: GuardContext) -> tuple[Check, ...]:
    return ()


@asynccontextmanager
async def bureau(folder: Path, *, working: bool = True, **parts: Any) -> AsyncGenerator[Bureau]:
    """Open a fresh service for the length of a ``with``, its worker beside it.

    ``parts`` take the place of stubs.
    """
    path = folder / "bench.db"
    store = SqliteStore(path)
    stubs = Ports(
        store=store, engine=InstantEngine(), aliases=FixedAliases(), screen=WordScreen(),
        scrubber=PlainScrubber(), guard=_unchecked, pager=FakePager(), clock=SystemClock(),
        ids=RandomIds(), drafting=Drafting(), safety_timeout_s=_PATIENCE_S,
    )  # fmt: skip
    ports = replace(stubs, **parts)
    ledger = Ledger(store, MASTER, ports.clock, Policy(hold_ms=0))
    auth = Authenticator(store, ports.clock, MASTER)
    house = House(
        ledger, ports, MASTER, auth, Allowance(1e9, 1e9), claim_ms=3_600_000
    )  # fmt: skip
    work = asyncio.create_task(Worker(ledger, ports, turns=16).run()) if working else None
    try:
        yield Bureau(house, store, path)
    finally:
        if work is not None:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        await store.close()


async def messages(folder: Path, wanted: int, at_once: int) -> Spread:
    """How fast messages are accepted, each durable before it counts; no worker runs."""
    async with bureau(folder, working=False) as here:
        sessions = [await here.open() for _ in range(max(at_once, 50))]
        watches = [Stopwatch() for _ in range(at_once)]

        async def talk(number: int) -> None:
            for turn in range(wanted // at_once):
                with watches[number]:
                    await here.say(sessions[(number + turn * at_once) % len(sessions)])

        seconds = await together(at_once, talk)
    return spread([wait for one in watches for wait in one.waits], seconds)


async def turns(folder: Path, wanted: int, at_once: int, **parts: Any) -> Spread:
    """How fast whole turns go, in sessions of `LONG` turns, each one after the other.

    ``parts`` take the place of stubs.
    """
    async with bureau(folder, **parts) as here:
        sessions = [await here.open() for _ in range(at_once * (wanted // at_once // LONG + 1))]
        watches = [Stopwatch() for _ in range(at_once)]
        for session in sessions[:at_once]:
            await here.turn(session)

        async def talk(number: int) -> None:
            for turn in range(wanted // at_once):
                with watches[number]:
                    await here.turn(sessions[turn // LONG * at_once + number])

        before = time.process_time()
        seconds = await together(at_once, talk)
        spent = time.process_time() - before
    found = spread([wait for one in watches for wait in one.waits], seconds)
    return replace(found, cpu_ms=spent / found.count * 1000)


async def together(at_once: int, talk: Callable[[int], Awaitable[None]]) -> float:
    """Let so many talk at once; give how long all took, s."""
    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number in range(at_once):
            tasks.create_task(_run(talk, number))
    return time.perf_counter() - began


async def _run(talk: Callable[[int], Awaitable[None]], number: int) -> None:
    await talk(number)

"""One run: load, kills, quiet, and the reckoning. Everything random comes from one seed."""

import asyncio
import random
import statistics
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from service.stores.redis import RedisStore
from tests.chaos.checker import Findings, check
from tests.chaos.fleet import Fleet
from tests.chaos.people import Address, Script, client, therapist
from tests.chaos.witness import WINDOW_S, Witness
from tests.receiving import receiving

HUMANS = ("anna", "berta", "carla")
_VICTIMS = ("api-0", "api-1", "worker-0", "worker-1", "redis")
_QUIET_S = 180.0
"""How long the fleet may take to do all it owes once nobody asks for more."""
_RECOVERY_S = 20.0


@dataclass(frozen=True, slots=True)
class Wish:
    """How hard to try."""

    kills: int
    seed: int
    clients: int = 8
    between_s: tuple[float, float] = (0.5, 2.5)
    limit_s: float = 360.0
    """No more kills after this long; what follows takes another three minutes at most."""
    rolling: bool = False
    """Restart API and workers one after the other by asking them, and kill nobody."""


@dataclass
class Outcome:
    """What happened and what was found."""

    witness: Witness
    kills: Counter[str] = field(default_factory=Counter[str])
    others: Counter[str] = field(default_factory=Counter[str])
    """Engine kills and pauses, which come on top."""
    silences: list[float] = field(default_factory=list[float])
    """After each kill of API, worker or Redis: longest stretch without an accepted message, s."""
    plain: list[float] = field(default_factory=list[float])
    """The same where Redis was not also cut off or paused about then, for seconds of its own."""
    restarts: list[float] = field(default_factory=list[float])
    """From the kill of an API replica until it answers again, s."""
    findings: Findings = field(default_factory=Findings)
    seconds: float = 0.0

    def table(self) -> str:
        """Give the run as lines to print."""
        found, waits = self.findings, sorted(self.witness.waits) or [0.0]
        rows = [
            ("SIGKILLs", sum(self.kills.values())),
            ("killed", ", ".join(f"{name} {n}" for name, n in sorted(self.kills.items()))),
            ("also", ", ".join(f"{name} {n}" for name, n in sorted(self.others.items()))),
            ("length", f"{self.seconds:.0f} s"),
            ("sessions", found.sessions),
            ("messages acknowledged", len(self.witness.accepted)),
            ("messages in the logs", found.messages),
            ("decisions / replies / alerts", f"{found.decisions} / {found.replies} / "
             f"{found.alerts}"),
            ("accepted after, median / p99", f"{statistics.median(waits) * 1000:.0f} / "
             f"{waits[int(len(waits) * 0.99)] * 1000:.0f} ms"),
            ("accepting again, median / worst", f"{statistics.median(self.silences or [0]):.1f} / "
             f"{max(self.silences, default=0):.1f} s after a kill"),
            ("- with Redis never out of reach", f"{statistics.median(self.plain or [0]):.1f} / "
             f"{max(self.plain, default=0):.1f} s"),
            ("killed replica back after", f"{max(self.restarts, default=0):.1f} s at worst"),
            ("violations", ", ".join(f"{name}: {n}" for name, n in found.wrong.items()) or "0"),
        ]  # fmt: skip
        return "\n".join(f"{name:32} {value}" for name, value in rows)


async def run(wish: Wish, folder: Path, redis_binary: str) -> Outcome:
    """Start a fleet, hurt it, let it settle, and compare what it says with what it did."""
    witness = Witness()
    outcome = Outcome(witness)
    began = time.monotonic()
    async with receiving(witness.page) as pager:
        fleet = Fleet(folder, redis_binary, pager)
        try:
            fleet.start()
            await fleet.ready()
            await _hurt(wish, fleet, outcome)
            await _reckon(fleet, outcome)
        finally:
            fleet.stop()
    outcome.seconds = time.monotonic() - began
    return outcome


async def _hurt(wish: Wish, fleet: Fleet, outcome: Outcome) -> None:
    app = await fleet.issue("app", "client_app")
    keys = [await fleet.issue(name, "therapist") for name in HUMANS]
    bases = [f"http://127.0.0.1:{one.port}" for one in fleet.apis]
    async with httpx.AsyncClient(trust_env=False) as http:
        stop = asyncio.Event()
        script = Script(Address(bases, http), outcome.witness, random.Random(wish.seed), stop)
        async with asyncio.TaskGroup() as people:
            for number in range(wish.clients):
                people.create_task(client(script, app, f"c{number}"))
            for key in keys:
                people.create_task(therapist(script, key))
            try:
                await (_roll(fleet, outcome) if wish.rolling else _kill(wish, fleet, outcome))
            finally:
                stop.set()
        if not await _settle(fleet):
            outcome.others["did not settle in time"] += 1
        await _listen(script, app)


async def _kill(wish: Wish, fleet: Fleet, outcome: Outcome) -> None:
    dice = random.Random(wish.seed + 1)
    moments: list[float] = []
    away: list[tuple[float, float]] = []
    await _warm(outcome.witness)
    began = time.monotonic()
    async with asyncio.TaskGroup() as watches:
        for _ in range(wish.kills):
            if time.monotonic() - began > wish.limit_s:
                outcome.others["time was up"] += 1
                break
            victim = dice.choice(_VICTIMS)
            if victim.startswith("api-"):
                # Killing what has not come back yet would only measure how slowly it starts.
                await fleet.alive(fleet.members[victim], _RECOVERY_S)
            outcome.kills[victim] += 1
            moments.append(time.monotonic())
            await fleet.kill(victim)
            if victim.startswith("api-"):
                watches.create_task(_watch(fleet, victim, outcome))
            before = _out_of_reach(outcome)
            await _trouble(dice, fleet, outcome)
            if _out_of_reach(outcome) > before:
                away.append((moments[-1], time.monotonic()))
            await asyncio.sleep(dice.uniform(*wish.between_s))
    await asyncio.sleep(WINDOW_S)
    for one in moments:
        silence = outcome.witness.silence_after(one)
        outcome.silences.append(silence)
        if not any(begins < one + WINDOW_S and one < ends for begins, ends in away):
            outcome.plain.append(silence)


def _out_of_reach(outcome: Outcome) -> int:
    return outcome.others["redis cut off"] + outcome.others["redis paused"]


async def _roll(fleet: Fleet, outcome: Outcome) -> None:
    """An upgrade: workers first, then API replicas, each back before the next one goes."""
    await _warm(outcome.witness)
    for name in sorted(_VICTIMS[:-1], reverse=True):
        ended = await fleet.roll(name)
        outcome.others[f"{name} restarted" if ended else f"{name} did not end"] += 1
        await asyncio.sleep(1.0)


async def _watch(fleet: Fleet, name: str, outcome: Outcome) -> None:
    began = time.monotonic()
    if await fleet.alive(fleet.members[name]):
        outcome.restarts.append(time.monotonic() - began)


async def _trouble(dice: random.Random, fleet: Fleet, outcome: Outcome) -> None:
    """Now and then something else goes wrong as well."""
    if dice.random() < 0.15:
        outcome.others["engine killed"] += 1
        await fleet.kill("engine")
    if dice.random() < 0.1:
        paused = dice.choice(("redis", "worker-0", "engine"))
        outcome.others[f"{paused} paused"] += 1
        await fleet.pause(paused, dice.uniform(0.2, 1.5))
    # The dice fall alike with and without cables, so that a seed gives the same kills.
    cut, seconds = dice.choice(("redis", "engine")), dice.uniform(0.2, 3.0)
    if dice.random() < 0.12 and fleet.cables:
        outcome.others[f"{cut} cut off"] += 1
        await fleet.cut_off(cut, seconds)


async def _warm(witness: Witness) -> None:
    """Wait for the first decision: from here on every part is at work."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_QUIET_S):
            await witness.began.wait()


async def _settle(fleet: Fleet) -> bool:
    """Wait until nothing is owed: the workers do what the logs imply, however often they died."""
    store = RedisStore(fleet.redis.url)
    deadline = time.monotonic() + _QUIET_S
    try:
        while time.monotonic() < deadline:
            due = await store.next_due_ms()
            # What is left is due later than anything a turn or a hold takes: reminders of alerts.
            if due is None or due > (time.time() + 30) * 1000:
                return True
            await asyncio.sleep(0.5)
        return False
    finally:
        await store.close()


async def _listen(script: Script, key: str) -> None:
    """Read as a client does everything that left, page by page."""
    for session_id in script.witness.sessions:
        heard, after = script.witness.received.setdefault(session_id, {}), 0
        while True:
            path = f"/v1/sessions/{session_id}/replies?after={after}&page_size=200"
            answer = await script.address.ask("GET", path, key)
            if answer is None or not answer.is_success:
                await asyncio.sleep(0.2)
                continue
            items = answer.json()["items"]
            if not items:
                break
            heard |= {one["reply_id"]: one["text"] for one in items}
            after = items[-1]["seq"]


async def _reckon(fleet: Fleet, outcome: Outcome) -> None:
    store = RedisStore(fleet.redis.url)
    try:
        outcome.findings = await check(store, outcome.witness, HUMANS)
    finally:
        await store.close()

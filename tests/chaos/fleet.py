"""The processes under test: Redis, a stub engine, API replicas and workers, each killable."""

import asyncio
import base64
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from service.auth import Caller, Role, issue
from service.sealing import MasterKeys
from service.stores.redis import RedisStore
from tests.chaos.cable import Cable, cables_can_be_laid
from tests.contract.redis_server import RedisServer
from tests.ports import free_port

MASTER_KEY = bytes(range(32))
_APIS, _WORKERS = 2, 2
_HOLD_MS = 300
_START_S = 240.0
_DRAIN_S = 60.0
_REPLACE_S = 0.2
"""A supervisor notices and starts a dead process again after about this long."""


@dataclass
class Member:
    """One process and how it is started."""

    name: str
    words: list[str]
    port: int = 0
    process: subprocess.Popen[bytes] | None = None


@dataclass
class Fleet:
    """A small clinic on one machine; `apis` stand behind one address that tries them in turn."""

    folder: Path
    redis_binary: str
    pager: str
    """Where pages go."""
    members: dict[str, Member] = field(default_factory=dict[str, Member])

    def __post_init__(self) -> None:
        """Choose ports; nothing starts yet."""
        self.cables = {one: Cable() for one in ("redis", "engine")} if cables_can_be_laid() else {}
        away, before = self._place("redis")
        self.redis = RedisServer(self.redis_binary, self.folder / "redis", away, before)
        python = sys.executable
        engine_port = free_port()
        away, before = self._place("engine")
        self.engine_url = f"http://{away}:{engine_port}"
        stub = [python, "-m", "tests.stub_engine", "--host", away, "--port", str(engine_port)]
        self._add("engine", [*before, *stub], engine_port)
        command = str(Path(python).with_name("secondchair"))
        for number in range(_APIS):
            port = free_port()
            self._add(f"api-{number}", [command, "api", "--port", str(port)], port)
        for number in range(_WORKERS):
            self._add(f"worker-{number}", [command, "worker"])

    @property
    def apis(self) -> list[Member]:
        """The replicas behind the address."""
        return [one for name, one in self.members.items() if name.startswith("api-")]

    def start(self) -> None:
        """Start everything."""
        self.redis.start()
        for member in self.members.values():
            self._spawn(member)

    async def issue(self, name: str, role: Role, team: str = "north") -> str:
        """Make an API key."""
        store = RedisStore(self.redis.url)
        try:
            return await issue(store, MasterKeys((MASTER_KEY,)), Caller(name, role, team))
        finally:
            await store.close()

    async def ready(self) -> None:
        """Wait until every API replica is alive."""
        for member in self.apis:
            if not await self.alive(member):
                raise TimeoutError(f"{member.name} did not start")

    async def alive(self, member: Member, patience_s: float = _START_S) -> bool:
        """Wait until one API replica answers; False when it has not in time."""
        deadline = time.monotonic() + patience_s
        async with httpx.AsyncClient(trust_env=False) as client:
            while time.monotonic() < deadline:
                try:
                    answer = await client.get(f"http://127.0.0.1:{member.port}/healthz", timeout=1)
                    if answer.is_success:
                        return True
                except httpx.HTTPError:
                    await asyncio.sleep(0.05)
        return False

    async def kill(self, name: str) -> None:
        """End one process without warning and start it again, as a supervisor would."""
        if name == "redis":
            self.redis.kill()
            await asyncio.sleep(_REPLACE_S)
            await asyncio.to_thread(self.redis.start)
            return
        member = self.members[name]
        assert member.process is not None
        member.process.kill()
        await asyncio.to_thread(member.process.wait)
        await asyncio.sleep(_REPLACE_S)
        self._spawn(member)

    async def roll(self, name: str) -> bool:
        """Ask one process to end, as an upgrade does, and start it anew; whether it ended."""
        member = self.members[name]
        assert member.process is not None
        member.process.terminate()
        try:
            await asyncio.to_thread(member.process.wait, _DRAIN_S)
        except subprocess.TimeoutExpired:
            return False
        self._spawn(member)
        return not member.port or await self.alive(member)

    async def pause(self, name: str, seconds: float) -> None:
        """Stop one process in its tracks for a while: a full disk, a stolen core."""
        process = self.redis.process if name == "redis" else self.members[name].process
        assert process is not None
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        process.send_signal(signal.SIGCONT)

    async def cut_off(self, name: str, seconds: float) -> None:
        """Let nothing reach Redis or the engine for a while, nor anything come back."""
        await self.cables[name].cut(seconds)

    def stop(self) -> None:
        """End everything."""
        for member in self.members.values():
            if member.process is not None:
                member.process.kill()
                member.process.wait()
        self.redis.stop()
        for cable in self.cables.values():
            cable.remove()

    def _place(self, name: str) -> tuple[str, tuple[str, ...]]:
        cable = self.cables.get(name)
        return (cable.address, cable.words) if cable else ("127.0.0.1", ())

    def _add(self, name: str, words: list[str], port: int = 0) -> None:
        self.members[name] = Member(name, words, port)

    def _spawn(self, member: Member) -> None:
        with (self.folder / f"{member.name}.log").open("ab") as log:
            member.process = subprocess.Popen(
                member.words, env=self._environment(), stdout=log, stderr=log
            )

    def _environment(self) -> dict[str, str]:
        given: dict[str, Any] = {
            "STORE": self.redis.url,
            "MASTER_KEY": base64.b64encode(MASTER_KEY).decode(),
            "ENGINE_URL": self.engine_url,
            "ENGINE_TIMEOUT_S": 5,
            # A starved machine must not turn every message into a crisis: this run is about loss.
            "SAFETY_TIMEOUT_S": 30,
            "HOLD_MS": _HOLD_MS,
            "RATE_PER_S": 100_000,
            "PAGER_WEBHOOK_URL": f"{self.pager}/page",
            "PAGER_SECRET": "chaos",
            "METRICS_PORT": 0,
        }
        return os.environ | {f"SECONDCHAIR_{name}": str(value) for name, value in given.items()}

"""The service's own processes on this machine: a stub engine, one API, workers; each killable."""

import asyncio
import base64
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from service.auth import Caller, Role, issue
from service.main import open_store
from service.sealing import MasterKeys
from tests.chaos.fleet import MASTER_KEY, Member
from tests.ports import free_port

_START_S = 240.0


@dataclass
class Household:
    """What one folder's processes are; nothing starts before `start`."""

    folder: Path
    store: str
    workers: int = 1
    settings: Mapping[str, object] = field(default_factory=dict[str, object])
    """Further settings of the service, without the prefix."""
    members: dict[str, Member] = field(default_factory=dict[str, Member])

    def __post_init__(self) -> None:
        """Choose ports."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._engine_port, self._api_port = free_port(), free_port()
        stub = [sys.executable, "-m", "tests.stub_engine", "--port", str(self._engine_port)]
        command = str(Path(sys.executable).with_name("secondchair"))
        api = [command, "api", "--port", str(self._api_port)]
        self.members["engine"] = Member("engine", stub, self._engine_port)
        self.members["api"] = Member("api", api, self._api_port)
        for number in range(self.workers):
            name = f"worker-{number}"
            self.members[name] = Member(name, [command, "worker"])

    @property
    def url(self) -> str:
        """Where the API answers."""
        return f"http://127.0.0.1:{self._api_port}"

    def start(self) -> None:
        """Start every process that is not running."""
        for member in self.members.values():
            if member.process is None:
                self._spawn(member)

    async def issue(self, name: str, role: Role) -> str:
        """Make an API key; the service need not run."""
        store = open_store(self.store)
        try:
            return await issue(store, MasterKeys((MASTER_KEY,)), Caller(name, role, "north"))
        finally:
            await store.close()

    async def ready(self) -> None:
        """Wait until the API answers. Raises: TimeoutError."""
        deadline = time.monotonic() + _START_S
        async with httpx.AsyncClient(trust_env=False) as client:
            while time.monotonic() < deadline:
                try:
                    if (await client.get(f"{self.url}/healthz", timeout=2)).is_success:
                        return
                except httpx.HTTPError:
                    await asyncio.sleep(0.05)
        raise TimeoutError("the API did not start")

    def kill(self, name: str) -> None:
        """End one process without warning (SIGKILL); it stays down until `start`."""
        member = self.members[name]
        if member.process is not None:
            member.process.kill()
            member.process.wait()
            member.process = None

    def stop(self) -> None:
        """End everything."""
        for name in self.members:
            self.kill(name)

    def _spawn(self, member: Member) -> None:
        with (self.folder / f"{member.name}.log").open("ab") as log:
            member.process = subprocess.Popen(
                member.words, env=self._environment(), stdout=log, stderr=log
            )

    def _environment(self) -> dict[str, str]:
        given: dict[str, object] = {
            "STORE": self.store, "MASTER_KEY": base64.b64encode(MASTER_KEY).decode(),
            "ENGINE_URL": f"http://127.0.0.1:{self._engine_port}", "ENGINE_TIMEOUT_S": 10,
            "ADAPTERS_AUTO": "false", "SAFETY_TIMEOUT_S": 60, "HOLD_MS": 0,
            "RATE_PER_S": 1_000_000, "METRICS_PORT": 0, "LOG_LEVEL": "warning", **self.settings,
        }  # fmt: skip
        return os.environ | {f"SECONDCHAIR_{name}": str(value) for name, value in given.items()}

"""Real processes that are told to stop, as a container's first process is told."""

import asyncio
import base64
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from manifests import PODS, containers

from service import cli
from service.ids import SystemClock
from service.stores.sqlite import SqliteStore
from service.worker import DRAIN_S
from tests.driving import Town, town
from tests.ports import free_port
from tests.stub_engine import StubEngine, serving

ROOT = Path(__file__).parents[2]
_SERVICE = [sys.executable, "-m", "service"]
_FIRST = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
"""Makes what follows the first process of its own world, as a container does."""
_LONG_S = 120.0


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Town]:
    """A service in this process, on a store and with a clock that others share."""
    async with town(SqliteStore(tmp_path / "log.db")) as made:
        made.clock.at_ms = SystemClock().now_ms()
        yield made


@pytest.fixture
async def stub() -> AsyncIterator[StubEngine]:
    """An engine that takes its time."""
    async with serving() as made:
        made.mode, made.delay_s = "slow", 2.0
        yield made


class Children:
    """Processes of the service on the same store; `end` ends exactly those."""

    def __init__(self, folder: Path, engine_port: int) -> None:
        self._folder, self._started = folder, list[subprocess.Popen[bytes]]()
        given = {
            "STORE": f"sqlite:///{folder}/log.db", "ENGINE_URL": f"http://127.0.0.1:{engine_port}",
            "MASTER_KEY": base64.b64encode(bytes(range(32))).decode(), "METRICS_PORT": 0,
        }  # fmt: skip
        self._environment = {f"SECONDCHAIR_{name}": str(value) for name, value in given.items()}

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Start one, its output in a file."""
        with (self._folder / "out.log").open("ab") as log:
            child = subprocess.Popen(
                words, cwd=ROOT, env=os.environ | self._environment, stdout=log, stderr=log
            )
        self._started.append(child)
        return child

    def end(self) -> None:
        """End what is left."""
        for one in self._started:
            one.kill()
            one.wait()


@pytest.fixture
def children(tmp_path: Path, stub: StubEngine) -> Iterator[Children]:
    """Nothing runs before the test starts it."""
    made = Children(tmp_path, stub.port)
    yield made
    made.end()


def first_process() -> list[str]:
    """How to start something as a first process; skips where nobody may, and fails in CI."""
    found = shutil.which(_FIRST[0])
    may = found and subprocess.run([*_FIRST, "true"], capture_output=True, check=False)
    if not may or may.returncode:
        said = "this machine lets nobody make a world of processes"
        if os.environ.get("CI") == "true":
            pytest.fail(said)
        pytest.skip(said)
    return _FIRST


def children_of(parent: subprocess.Popen[bytes]) -> list[int]:
    """Who was started by another process."""
    listed = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text()
    return [int(one) for one in listed.split()]


async def test_a_worker_that_is_its_containers_first_process_drafts_to_the_end_and_goes(
    here: Town, stub: StubEngine, children: Children
) -> None:
    begun = await here.open()
    await here.say(begun, "It was a long week.")
    outer = children.start(*first_process(), *_SERVICE, "worker")
    async with asyncio.timeout(_LONG_S):
        while not stub.asked:
            assert outer.poll() is None
            await asyncio.sleep(0.05)
    (worker,) = children_of(outer)
    os.kill(worker, signal.SIGTERM)
    await asyncio.sleep(0.3)
    late = await here.open()
    await here.say(late, "And another one.")
    assert await asyncio.to_thread(outer.wait, DRAIN_S) == 0
    drafted, waiting = await here.desk("ada", begun), await here.desk("ada", late)
    assert drafted["draft"]["source"] == "model"
    assert waiting["draft"] is None


async def test_open_streams_do_not_keep_the_api_from_going(here: Town, children: Children) -> None:
    port = free_port()
    api = children.start(*_SERVICE, "api", "--port", str(port))
    headers = {"Authorization": f"Bearer {here.keys['ada']}"}
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(trust_env=False, base_url=url, timeout=_LONG_S) as client:
        async with asyncio.timeout(_LONG_S):
            while True:
                try:
                    await client.get("/healthz")
                    break
                except httpx.TransportError:
                    assert api.poll() is None
                    await asyncio.sleep(0.1)
        async with client.stream("GET", "/v1/stream", headers=headers) as stream:
            assert stream.status_code == 200
            api.send_signal(signal.SIGTERM)
            await asyncio.to_thread(api.wait, 0.5 * cli._DRAIN_S)


def test_whoever_ends_the_service_waits_longer_than_it_needs() -> None:
    compose = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]
    pods = {one["metadata"]["name"]: one for one in PODS}
    for name, needs_s in (("api", cli._DRAIN_S), ("worker", DRAIN_S)):
        assert int(compose[name]["stop_grace_period"].rstrip("s")) >= needs_s + 10
        (container,) = containers(pods[name])
        hook = container.get("lifecycle", {}).get("preStop", {}).get("exec", {})
        slept_s = int(hook.get("command", ["sleep", "0"])[1])
        given_s = pods[name]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        assert given_s >= slept_s + needs_s + 10

"""Real processes that are told to stop, as a container's first process is told."""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import yaml
from manifests import PODS, containers
from running import COMMAND, ROOT, Running, ask, until

from service import cli
from service.ids import SystemClock
from service.stores.sqlite import SqliteStore
from service.worker import DRAIN_S
from tests.conftest import lacking
from tests.driving import Town, town
from tests.stub_engine import StubEngine, serving

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


@pytest.fixture
def running(tmp_path: Path, stub: StubEngine) -> Iterator[Running]:
    """Processes of the service on the same store; none runs before the test starts it."""
    made = Running(tmp_path, engine_port=stub.port)
    yield made
    made.end()


def first_process() -> list[str]:
    """How to start something as a first process; skips where nobody may, and fails in CI."""
    found = shutil.which(_FIRST[0])
    may = found and subprocess.run([*_FIRST, "true"], capture_output=True, check=False)
    if not may or may.returncode:
        lacking("this machine lets nobody make a world of processes")
    return _FIRST


def children_of(parent: subprocess.Popen[bytes]) -> list[int]:
    """Who was started by another process."""
    listed = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text()
    return [int(one) for one in listed.split()]


async def test_a_worker_that_is_its_containers_first_process_drafts_to_the_end_and_goes(
    here: Town, stub: StubEngine, running: Running
) -> None:
    begun = await here.open()
    await here.say(begun, "It was a long week.")
    outer = running.child("worker", [*first_process(), *COMMAND, "worker"])
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


async def test_open_streams_do_not_keep_the_api_from_going(here: Town, running: Running) -> None:
    api = running.child("api", [*COMMAND, "api", "--port", str(running.api_port)])

    def answers() -> bool:
        assert api.poll() is None
        return ask(running.api("/healthz"))[0] == 200

    await asyncio.to_thread(until, answers, "the API")
    headers = {"Authorization": f"Bearer {here.keys['ada']}"}
    client = httpx.AsyncClient(trust_env=False, timeout=_LONG_S)
    async with client, client.stream("GET", running.api("/v1/stream"), headers=headers) as stream:
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

"""A real vLLM on the CPU, started once for the whole folder, or the one that is pointed at."""

import json
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from models.base_model import DEFAULT_FOLDER, RECORD
from models.vllm_engine import VllmEngine, open_client
from tests.conftest import Require

ROOT = Path(__file__).parents[2]
BASE = DEFAULT_FOLDER.name
START_SECONDS = 600
"""Generous: the first start also unpacks the base, and other work may hold the cores."""


@dataclass(frozen=True, slots=True)
class Running:
    """Where an engine listens."""

    url: str
    key: str


@pytest.fixture(scope="session")
def running(require: Require, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give an engine with no adapter loaded."""
    given = os.environ.get("SECONDCHAIR_TEST_ENGINE_URL")
    if given:
        yield Running(given, os.environ.get("SECONDCHAIR_ENGINE_KEY", ""))
        return
    python = require(".venv-engine/bin/python")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    key = secrets.token_hex(16)
    log = tmp_path_factory.mktemp("engine") / "engine.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [python, "-m", "models.cpu_engine", "--port", str(port)],
            cwd=ROOT,
            env={**os.environ, "SECONDCHAIR_ENGINE_KEY": key},
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        engine = Running(f"http://127.0.0.1:{port}", key)
        _wait(engine, process, log)
        yield engine
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
async def engine(running: Running) -> AsyncIterator[VllmEngine]:
    """Give our client of the running engine."""
    async with open_client(running.url, running.key) as client:
        yield VllmEngine(client, BASE)


@pytest.fixture(scope="session")
def base_sha256(running: Running) -> str:
    """Name the weights that the engine runs on."""
    record = json.loads((ROOT / DEFAULT_FOLDER / RECORD).read_text())
    return str(record["weights_sha256"])


def _wait(engine: Running, process: subprocess.Popen[bytes], log: Path) -> None:
    headers = {"Authorization": f"Bearer {engine.key}"}
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{engine.url}/v1/models", headers=headers, timeout=5).is_success:
                return
        except httpx.TransportError:
            time.sleep(1)
    pytest.fail(f"the engine did not start:\n{log.read_text(errors='replace')[-3000:]}")

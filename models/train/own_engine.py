"""Starts a real vLLM on the CPU and ends it; for the evaluation, the tests and the bench."""

import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from models.base_model import DEFAULT_FOLDER

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-engine" / "bin" / "python"
START_SECONDS = 900
"""Generous: the first start also unpacks the base, and other work may hold the cores."""


class NotStarted(Exception):
    """The engine ended or stayed silent; carries the end of its log."""


@dataclass(frozen=True, slots=True)
class Running:
    """Where an engine listens."""

    url: str
    key: str


@contextmanager
def engine_running(log: Path, base: Path = DEFAULT_FOLDER) -> Iterator[Running]:
    """Give an engine of that base with no adapter loaded.

    Where SECONDCHAIR_TEST_ENGINE_URL points at a running one, give that. Raises: NotStarted.
    """
    given = os.environ.get("SECONDCHAIR_TEST_ENGINE_URL")
    if given:
        yield Running(given, os.environ.get("SECONDCHAIR_ENGINE_KEY", ""))
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    key = secrets.token_hex(16)
    with log.open("wb") as sink:
        process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            [PYTHON, "-m", "models.cpu_engine", "--port", str(port), "--folder", base],
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


def _wait(engine: Running, process: subprocess.Popen[bytes], log: Path) -> None:
    headers = {"Authorization": f"Bearer {engine.key}"}
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{engine.url}/v1/models", headers=headers, timeout=5).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(1)
    raise NotStarted(log.read_text(errors="replace")[-3000:])

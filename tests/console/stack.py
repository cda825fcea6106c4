"""The whole product on loopback: stub engine, API, worker and console, on a store of its own."""

import base64
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.ports import free_port

ROOT = Path(__file__).parents[2]
PATIENCE_S = 180.0


@dataclass
class Stack:
    """Processes and how to reach them."""

    folder: Path
    env: dict[str, str]
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def api(self) -> str:
        return self.env["SECONDCHAIR_API_URL"]

    def start(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *command], cwd=ROOT, env=self.env, stdout=log, stderr=log
            )

    def stop(self, name: str) -> None:
        process = self.processes.pop(name)
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def start_api(self) -> None:
        port = self.api.rsplit(":", 1)[1]
        self.start("api", "-m", "service", "api", "--port", port)
        until_up(f"{self.api}/healthz")

    def make_keys(self) -> None:
        keys = self.folder / "keys.json"
        self.start("keys", "-m", "service", "keys", "demo", "--file", str(keys))
        if self.processes.pop("keys").wait(PATIENCE_S):
            raise RuntimeError("no demo keys: see keys.log in the stack's folder")
        self.keys = json.loads(keys.read_text(encoding="utf-8"))

    def stop_all(self) -> None:
        for name in tuple(self.processes):
            self.stop(name)


def until_up(url: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(url, timeout=2, trust_env=False).status_code < 500:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise TimeoutError(url.rsplit("/", 1)[1])


def settings(folder: Path, engine: int, api: int, hold_ms: int) -> dict[str, str]:
    """The environment of every process; nothing of the caller's own service settings."""
    kept = {name: value for name, value in os.environ.items() if "SECONDCHAIR" not in name}
    return kept | {
        "SECONDCHAIR_STORE": f"sqlite:////{str(folder / 'store.db').lstrip('/')}",
        "SECONDCHAIR_MASTER_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
        "SECONDCHAIR_ENGINE_URL": f"http://127.0.0.1:{engine}",
        "SECONDCHAIR_API_URL": f"http://127.0.0.1:{api}",
        "SECONDCHAIR_HOLD_MS": str(hold_ms),
        "SECONDCHAIR_METRICS_PORT": "0",
        "OMP_NUM_THREADS": "1",
    }


def whole(folder: Path, hold_ms: int = 8_000) -> Stack:
    """Start engine stub, API and worker, and make demo keys."""
    engine, api = free_port(), free_port()
    stack = Stack(folder, settings(folder, engine, api, hold_ms))
    stack.start("engine", "-m", "tests.stub_engine", "--port", str(engine))
    try:
        stack.make_keys()
        stack.start("worker", "-m", "service", "worker")
        stack.start_api()
    except BaseException:
        stack.stop_all()
        raise
    return stack


def console(folder: Path, env: Mapping[str, str], script: str = "ui/app.py") -> tuple[Stack, str]:
    """Start a console against the API named in ``env``; give it and its address."""
    stack, address = Stack(folder, dict(env)), f"http://127.0.0.1:{free_port()}"
    start_console(stack, address, script)
    return stack, address


def start_console(stack: Stack, address: str, script: str = "ui/app.py") -> None:
    """Start a console at an address and wait until it answers."""
    stack.start(
        "console", "-m", "streamlit", "run", script,
        "--server.port", address.rsplit(":", 1)[1], "--server.address", "127.0.0.1",
        "--server.headless", "true", "--browser.gatherUsageStats", "false",
    )  # fmt: skip
    until_up(f"{address}/_stcore/health")


@dataclass
class ClientApp:
    """The other side: a client app that opens sessions, writes, and reads what was sent."""

    http: httpx.Client

    def open(self, reference: str, language: str = "en") -> str:
        body = {"client_ref": reference, "language": language, "region": "US"}
        return str(self._post("/v1/sessions", body)["id"])

    def write(self, session: str, text: str) -> None:
        self._post(f"/v1/sessions/{session}/messages", {"text": text})

    def replies(self, session: str) -> list[str]:
        answer = self.http.get(f"/v1/sessions/{session}/replies", params={"page_size": 200})
        answer.raise_for_status()
        return [reply["text"] for reply in answer.json()["items"]]

    def react(self, session: str, answers: Mapping[str, int]) -> None:
        body = {"kind": "srs", "answers": dict(answers)}
        self._post(f"/v1/sessions/{session}/questionnaires", body)

    def _post(self, path: str, body: Mapping[str, object]) -> dict[str, object]:
        key = {"Idempotency-Key": secrets.token_hex(8)}
        answer = self.http.post(path, json=body, headers=key)
        answer.raise_for_status()
        return dict(answer.json())


def caller(stack: Stack, name: str) -> httpx.Client:
    """An HTTP client that speaks as one of the demo callers."""
    bearer = {"Authorization": f"Bearer {stack.keys[name]}"}
    return httpx.Client(base_url=stack.api, headers=bearer, timeout=20, trust_env=False)

"""The service's processes on free ports with a store of their own, and a real Prometheus."""

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import yaml

from tests.driving import MASTER
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
TOKEN = "0123456789abcdef"
COMMAND = [sys.executable, "-m", "service"]
_PATIENCE_S = 90


def ask(
    url: str, token: str = "", body: object = None, headers: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """One HTTP call: status and text; 0 where nobody answered."""
    sent = dict(headers or {}) | ({"Authorization": f"Bearer {token}"} if token else {})
    try:
        if body is None:
            answer = httpx.get(url, headers=sent, timeout=20, trust_env=False)
        else:
            answer = httpx.post(url, headers=sent, json=body, timeout=20, trust_env=False)
    except httpx.TransportError:
        return 0, ""
    return answer.status_code, answer.text


def until(met: Callable[[], bool], what: str) -> None:
    """Wait until it is so; fail with ``what`` was waited for."""
    ends = time.monotonic() + _PATIENCE_S
    while not met():
        assert time.monotonic() < ends, f"waited in vain for {what}"
        time.sleep(0.3)


@dataclass
class Running:
    """Processes under one temporary folder; `end` ends exactly those."""

    folder: Path
    api_port: int = field(default_factory=free_port)
    worker_port: int = field(default_factory=free_port)
    engine_port: int = field(default_factory=free_port)
    prometheus_port: int = field(default_factory=free_port)
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """What every process of the service is told."""
        shared = self.folder / "metrics"
        shared.mkdir(exist_ok=True)
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
            "SECONDCHAIR_STORE": f"sqlite:///{self.folder}/log.db",
            "SECONDCHAIR_MASTER_KEY": base64.b64encode(MASTER.keys[0]).decode(),
            "SECONDCHAIR_ENGINE_URL": f"http://127.0.0.1:{self.engine_port}",
            "SECONDCHAIR_METRICS_TOKEN": TOKEN,
            "SECONDCHAIR_METRICS_PORT": str(self.worker_port),
        }

    def start(self) -> None:
        """Start the stub engine, two API processes behind one port, and a worker."""
        self.child("engine", [sys.executable, "-m", "tests.stub_engine", "--port",
                              str(self.engine_port)])  # fmt: skip
        self.child("api", [*COMMAND, "api", "--port", str(self.api_port), "--workers", "2"],
                   {"PROMETHEUS_MULTIPROC_DIR": str(self.folder / "metrics")})  # fmt: skip
        self.child("worker", [*COMMAND, "worker"])
        until(lambda: ask(self.api("/readyz"))[0] == 200, "the API")
        until(lambda: ask(self.numbers(), TOKEN)[0] == 200, "the worker's numbers")

    def child(
        self, name: str, command: list[str], more: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start one process in a group of its own, its output in a file."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.children[name] = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**self.environment, **(more or {})},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self.children[name]

    def api(self, path: str) -> str:
        return f"http://127.0.0.1:{self.api_port}{path}"

    def numbers(self) -> str:
        return f"http://127.0.0.1:{self.worker_port}/metrics"

    def key(self, name: str, role: str) -> str:
        """A fresh API key."""
        told = subprocess.run(
            [*COMMAND, "keys", "issue", name, role, "team-a"],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return told.stdout.strip().splitlines()[-1]

    def watch(self) -> None:
        """Start Prometheus on the shipped configuration, pointed here and made impatient."""
        shipped = ROOT / "deploy" / "prometheus"
        config = yaml.safe_load((shipped / "prometheus.yml").read_text())
        config["global"] |= {
            "scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"
        }  # fmt: skip
        config["alerting"] = {}
        ports = {
            "secondchair-api": self.api_port,
            "secondchair-worker": self.worker_port,
            "vllm": self.engine_port,
            "prometheus": self.prometheus_port,
        }
        (self.folder / "token").write_text(TOKEN)
        for job in config["scrape_configs"]:
            job.pop("dns_sd_configs", None)
            target = f"127.0.0.1:{ports[job['job_name']]}"
            job["static_configs"] = [{"targets": [target]}]
            if "authorization" in job:
                job["authorization"] = {"credentials_file": str(self.folder / "token")}
        (self.folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        for name in ("recording.yml", "alerts.yml"):
            (self.folder / name).write_text(_impatient((shipped / name).read_text()))
        self.child(
            "prometheus",
            [
                "prometheus",
                f"--config.file={self.folder}/prometheus.yml",
                f"--storage.tsdb.path={self.folder}/tsdb",
                f"--web.listen-address=127.0.0.1:{self.prometheus_port}",
            ],
        )
        until(lambda: self.query("vector(1)") == [1.0], "Prometheus")

    def query(self, expression: str) -> list[float]:
        """The values of an instant query; empty where there is none, or no Prometheus yet."""
        at = f"http://127.0.0.1:{self.prometheus_port}/api/v1/query"
        status, text = ask(f"{at}?{httpx.QueryParams({'query': expression})}")
        if status != 200:
            return []
        return [float(one["value"][1]) for one in json.loads(text)["data"]["result"]]

    def told(self, path: str) -> object:
        """What Prometheus answers at one of its own addresses."""
        return json.loads(ask(f"http://127.0.0.1:{self.prometheus_port}{path}")[1])["data"]

    def stop(self, name: str) -> None:
        """Kill one process with its children, at once; it may have gone by itself."""
        child = self.children.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()

    def end(self) -> None:
        """End everything that was started here."""
        for name in list(self.children):
            self.stop(name)


def _impatient(rules: str) -> str:
    """The shipped rules with their waits cut short; what they ask for stays as it is."""
    groups = yaml.safe_load(rules)
    for group in groups["groups"]:
        for rule in group["rules"]:
            rule.pop("for", None)
            if rule.get("alert") == "ImminentAlertUnacknowledged":
                rule["expr"] = rule["expr"].replace("> 60", "> 1")
    return yaml.safe_dump(groups)

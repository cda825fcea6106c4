"""`make stop` ends everything that `make run` started, also after its supervisor was killed."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import Require
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
PARTS = {"engine": "ENGINE", "api": "API", "console": "CONSOLE"}
ANSWERS = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Fine(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

HTTPServer(("127.0.0.1", int(sys.argv[1])), Fine).serve_forever()
"""
"""Answers every health check; stands in for engine, API and console."""
DEAF = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
while True:
    signal.pause()
"""
"""Does not end when it is asked to."""


@dataclass
class Checkout:
    """A folder with the real scripts, the real honcho, and stand-ins for all that is slow."""

    folder: Path
    env: dict[str, str]

    def say(self, script: str) -> tuple[int, str]:
        """Run a script; give its status and what it printed."""
        done = subprocess.run(
            [str(self.folder / "deploy" / f"{script}.sh")], env=self.env, cwd=self.folder,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            text=True, timeout=90, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout

    def kill_supervisor(self) -> None:
        """End honcho as the kernel does when memory is short."""
        os.kill(int((self.folder / "var" / "run.pid").read_text()), signal.SIGKILL)

    def alive(self) -> set[int]:
        """Every process that was started in here."""
        found: set[int] = set()
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                words = (process / "environ").read_bytes().split(b"\0")
                if f"HERE={self.folder}".encode() in words:
                    found.add(int(process.name))
        return found


def executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def checkout(tmp_path: Path, require: Require) -> Iterator[Checkout]:
    require("curl")
    folder = tmp_path.resolve()
    (folder / "deploy").mkdir()
    for name in ("run", "run_env", "stop", "keep"):
        shutil.copy(ROOT / "deploy" / f"{name}.sh", folder / "deploy")
    executable(folder / "deploy" / "setup.sh", "#!/bin/sh\n")
    executable(folder / ".venv-engine" / "bin" / "python", "#!/bin/sh\n")
    keys = "#!/bin/sh\necho '{}' > var/demo-credentials.json\n"
    executable(folder / ".venv" / "bin" / "secondchair", keys)
    for name in ("honcho", "python"):
        (folder / ".venv" / "bin" / name).symlink_to(Path(sys.executable).with_name(name))
    (folder / "answers.py").write_text(ANSWERS, encoding="utf-8")
    words = "deploy/keep.sh .venv/bin/python answers.py"
    lines = [f"{part}: {words} $SECONDCHAIR_{name}_PORT\n" for part, name in PARTS.items()]
    (folder / "Procfile").write_text("".join(lines), encoding="utf-8")
    ours = {name: value for name, value in os.environ.items() if "SECONDCHAIR" not in name}
    ports = {f"SECONDCHAIR_{name}_PORT": str(free_port()) for name in PARTS.values()}
    made = Checkout(folder, ours | ports | {"HERE": str(folder), "no_proxy": "127.0.0.1"})
    yield made
    for process in made.alive():
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


@pytest.mark.slow
def test_what_a_killed_supervisor_leaves_is_ended_by_run_and_by_stop(checkout: Checkout) -> None:
    status, said = checkout.say("run")
    assert (status, "Everything is healthy" in said) == (0, True), said
    assert "pages go to the log and reach nobody" in said
    first = checkout.alive()
    assert len(first) >= 7, "honcho, and a keeper and its command for each part"
    checkout.kill_supervisor()
    status, said = checkout.say("run")
    assert (status, "An earlier run was killed" in said) == (0, True), said
    assert first & checkout.alive() == set()
    checkout.kill_supervisor()
    assert checkout.say("stop") == (0, "Stopped.\n")
    assert checkout.alive() == set()
    assert checkout.say("stop") == (0, "Nothing is running.\n")


@pytest.mark.slow
def test_a_stack_that_was_not_killed_stops_too(checkout: Checkout) -> None:
    assert checkout.say("run")[0] == 0
    assert checkout.say("stop") == (0, "Stopped.\n")
    assert checkout.alive() == set()


def test_a_supervisor_that_does_not_listen_is_ended_all_the_same(checkout: Checkout) -> None:
    # Waiting is cut short. It leads no group of its own, so that nothing but its mark finds it.
    executable(checkout.folder / "hasty" / "sleep", "#!/bin/sh\n")
    checkout.env["PATH"] = f"{checkout.folder / 'hasty'}:{checkout.env['PATH']}"
    marked = checkout.env | {"SECONDCHAIR_STACK": str(checkout.folder)}
    with subprocess.Popen(
        [sys.executable, "-c", DEAF], env=marked, stdout=subprocess.PIPE
    ) as supervisor:
        assert supervisor.stdout is not None
        supervisor.stdout.readline()
        (checkout.folder / "var").mkdir()
        (checkout.folder / "var" / "run.pid").write_text(str(supervisor.pid))
        assert checkout.say("stop") == (0, "Stopped.\n")
        assert supervisor.wait(10) == -signal.SIGKILL


def test_a_port_that_somebody_else_has_is_no_healthy_service(checkout: Checkout) -> None:
    port = checkout.env["SECONDCHAIR_API_PORT"]
    with socket.create_server(("127.0.0.1", int(port))):
        status, said = checkout.say("run")
    assert (status, f"Port {port} is taken" in said) == (1, True), said
    assert checkout.alive() == set()


def test_what_is_meant_for_clients_does_not_start_as_a_trial(checkout: Checkout) -> None:
    checkout.env["SECONDCHAIR_ENVIRONMENT"] = "production"
    status, said = checkout.say("run")
    assert (status, "docs/operations.md" in said) == (1, True), said
    assert not (checkout.folder / "var").exists(), "no key of a demo either"
    assert checkout.alive() == set()

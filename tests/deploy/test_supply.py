"""What is listed and audited is what the images install; without a network a check goes on."""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IMAGES = ("deploy/images/service.lock", "deploy/images/console.lock")
NOWHERE = "http://127.0.0.1:1"


class Registry(BaseHTTPRequestHandler):
    """Answers, and that is all it does."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture
def registry() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The script with tools that only write down what they were asked."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy/supply.sh", tmp_path / "deploy/supply.sh")
    for tool in ("cyclonedx-py", "pip-audit"):
        fake(tmp_path, tool, 'echo "$@" >> asked')
    return tmp_path


def fake(tree: Path, tool: str, does: str) -> None:
    path = tree / ".venv-supply/bin" / tool
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{does}\n")
    path.chmod(0o755)


def supply(tree: Path, word: str, registry: str = NOWHERE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [tree / "deploy/supply.sh", word], env={**os.environ, "SUPPLY_REGISTRY": registry},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def asked(tree: Path) -> str:
    file = tree / "asked"
    return file.read_text() if file.exists() else ""


def audited(tree: Path) -> list[str]:
    """The locks that the tool was given, each as often as it was."""
    return sorted(re.findall(r"--requirement (\S+)", asked(tree)))


def built_from() -> set[str]:
    """The locks that Dockerfiles copy."""
    folder = ROOT / "deploy/images"
    told = "".join(one.read_text() for one in folder.glob("*.Dockerfile"))
    return {f"deploy/images/{one.name}" for one in folder.glob("*.lock") if one.name in told}


def test_the_list_is_made_of_the_locks_that_images_are_built_from(tree: Path):
    assert set(IMAGES) == built_from()
    done = supply(tree, "sbom")
    assert done.stdout.split() == ["build/sbom.service.cdx.json", "build/sbom.console.cdx.json"]
    lines = asked(tree).splitlines()
    assert [line.split()[0] for line in lines] == ["requirements"] * 2
    assert [line.split()[-1] for line in lines] == list(IMAGES)


def test_the_audit_leaves_no_lock_out(tree: Path):
    assert supply(tree, "audit").returncode == 0
    locks = {f"requirements/{one.name}" for one in (ROOT / "requirements").glob("*.lock")}
    # Of torch's two builds, which are of one version, the registry knows one.
    locks -= {"requirements/torch-cpu.lock"}
    assert audited(tree) == sorted(locks | set(IMAGES))


def test_the_audit_takes_lock_by_lock_and_goes_on_where_something_is_known(tree: Path):
    # Two versions of one package in a single call are refused before anything is looked up.
    fake(tree, "pip-audit", 'echo "$@" >> asked; case "$*" in *engine.lock) exit 1; esac')
    assert supply(tree, "audit").returncode == 1
    assert all(line.count("--requirement") == 1 for line in asked(tree).splitlines())
    assert "requirements/bench.lock" in audited(tree)


def test_without_a_network_a_check_says_so_in_one_line_and_goes_on(tree: Path):
    done = supply(tree, "check")
    assert done.returncode == 0
    assert "skipped" in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert asked(tree) == ""


def test_with_a_network_a_check_audits_what_the_images_install(tree: Path, registry: str):
    done = supply(tree, "check", registry)
    assert (done.returncode, "nothing is known" in done.stdout) == (0, True)
    assert all(f"--requirement {lock}" in asked(tree) for lock in IMAGES)


def test_what_is_known_against_a_package_fails_a_check(tree: Path, registry: str):
    found = 'while [ "$1" != --output ]; do shift; done; echo "somelib 1.0 CVE-0" > "$2"; exit 1'
    fake(tree, "pip-audit", found)
    done = supply(tree, "check", registry)
    assert (done.returncode, "somelib 1.0 CVE-0" in done.stdout) == (1, True)


def test_an_audit_that_broke_off_is_none(tree: Path, registry: str):
    fake(tree, "pip-audit", "exit 1")
    done = supply(tree, "check", registry)
    assert (done.returncode, "skipped" in done.stdout) == (0, True)


def test_make_check_runs_it():
    assert "deploy/supply.sh check" in (ROOT / "deploy/check.sh").read_text()

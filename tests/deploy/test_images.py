"""Images run without root, install only what is pinned, and carry what they need and no more."""

import re
import shutil
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from models.cpu_engine import CpuEngine

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "deploy" / "images"
DOCKERFILES = sorted(IMAGES.glob("*.Dockerfile"))


def name_of(requirement: str) -> str:
    return re.split(r"[\[<>=!~ ;]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def locked(file: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9-]+)==", (IMAGES / file).read_text(), flags=re.M))


def ids(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("file", DOCKERFILES, ids=ids)
def test_the_linter_finds_nothing(file: Path, hadolint: str):
    told = subprocess.run([hadolint, file], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout


@pytest.mark.parametrize("file", DOCKERFILES, ids=ids)
def test_an_image_ends_as_a_user_without_rights(file: Path):
    users = re.findall(r"^USER (\S+)$", file.read_text(), flags=re.M)
    assert users
    assert users[-1] == "10001:10001"


@pytest.mark.parametrize("file", DOCKERFILES, ids=ids)
def test_a_base_is_pinned_by_version_and_the_build_sees_only_what_it_needs(file: Path):
    bases = re.findall(r"^ARG (?:PYTHON|VLLM)=(\S+)$", file.read_text(), flags=re.M)
    assert len(bases) == 1
    assert re.search(r":v?\d+\.\d+\.\d+", bases[0])
    ignored = file.with_name(f"{file.name}.dockerignore").read_text().splitlines()
    assert "*" in ignored


def test_the_locks_pin_every_dependency_with_hashes_and_no_torch():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {name_of(one) for one in project["dependencies"]} <= locked("service.lock")
    wanted = [
        line
        for line in (IMAGES / "console.in").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert {name_of(one) for one in wanted} <= locked("console.lock")
    console = {name_of(one) for one in project["optional-dependencies"]["console"]}
    assert console <= locked("console.lock")
    for file in ("service.lock", "console.lock"):
        text = (IMAGES / file).read_text()
        assert len(locked(file)) <= text.count("--hash=sha256:")
        assert not {"torch", "transformers", "vllm"} & locked(file)
        assert "://" not in text


def test_the_console_image_carries_every_module_the_console_imports(tmp_path: Path):
    dockerfile = (IMAGES / "console.Dockerfile").read_text()
    for source, target in re.findall(r"^COPY ((?!--|deploy)\S.*) (\./\S+)$", dockerfile, re.M):
        place = tmp_path / target
        for one in source.split():
            found = ROOT / one
            if found.is_dir():
                shutil.copytree(found, place, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                place.mkdir(parents=True, exist_ok=True)
                shutil.copy(found, place)
    names = [
        ".".join(file.relative_to(tmp_path).with_suffix("").parts)
        for file in sorted((tmp_path / "ui").rglob("*.py"))
        if file.name not in {"app.py", "__main__.py"}
    ]
    imports = "; ".join(f"import {name.removesuffix('.__init__')}" for name in names)
    # Read when a card is drawn, which no import shows.
    reads = 'from safety.crisis_card import questions; questions("en")'
    # This checkout is installed here, and would lend what the image lacks.
    alone = (
        "import sys; sys.meta_path = [one for one in sys.meta_path if 'editable' not in str(one)]"
    )
    told = subprocess.run(
        [sys.executable, "-c", f"{alone}; import ui.client; {imports}; {reads}"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr


def test_both_engines_start_with_the_flags_the_service_counts_on():
    script = (IMAGES / "engine_start.sh").read_text()
    command = CpuEngine().command()
    own = {"--dtype", "--max-model-len", "--max-num-seqs", "--host", "--port", "--model"}
    for at, flag in enumerate(command):
        if flag.startswith("--") and flag not in own:
            assert flag in script, flag
            value = command[at + 1] if at + 1 < len(command) else "--"
            if not value.startswith("--") and flag != "--served-model-name":
                assert value in script, flag


def test_a_service_starts_without_the_numbers_of_the_one_before(tmp_path: Path):
    numbers, programs = tmp_path / "metrics", tmp_path / "programs"
    numbers.mkdir()
    programs.mkdir()
    for name in ("counter_7.db", "gauge_liveall_7.db"):
        (numbers / name).touch()
    command = programs / "secondchair"
    command.write_text('#!/bin/sh\necho "$#:$*"\n')
    command.chmod(0o755)
    start = IMAGES / "service_start.sh"
    for given in ({"PROMETHEUS_MULTIPROC_DIR": str(numbers)}, {}):
        told = subprocess.run(
            [start, "api", "--host", "a b"],
            env={"PATH": f"{programs}:/usr/bin:/bin", **given},
            capture_output=True,
            text=True,
            check=True,
        )
        assert told.stdout == "3:api --host a b\n"
    assert list(numbers.iterdir()) == []


class _Engine(BaseHTTPRequestHandler):
    answer: tuple[int, bytes] = (200, b"{}")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status, body = self.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *line: object) -> None:
        return


@pytest.fixture
def engine() -> Iterator[HTTPServer]:
    server = HTTPServer(("127.0.0.1", 0), _Engine)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("answer", "ready"),
    [
        ((200, b'{"usage": {"completion_tokens": 1}}'), True),
        ((200, b'{"usage": {"completion_tokens": 0}}'), False),
        ((200, b"not json"), False),
        ((503, b"{}"), False),
    ],
    ids=["one-token", "no-token", "unreadable", "unavailable"],
)
def test_an_engine_is_ready_only_when_a_token_came(
    engine: HTTPServer, answer: tuple[int, bytes], ready: bool
):
    _Engine.answer = answer
    address = f"http://127.0.0.1:{engine.server_port}"
    assert (probe(address) == 0) is ready


def test_an_engine_that_is_not_there_is_not_ready():
    assert probe("http://127.0.0.1:1") == 1


def probe(address: str) -> int:
    return subprocess.run(
        [sys.executable, IMAGES / "engine_ready.py"],
        env={"ENGINE_ADDRESS": address},
        check=False,
        timeout=30,
    ).returncode

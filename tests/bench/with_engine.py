"""What needs a real engine: runs where `make setup` has made one, and says so where it has not."""

import asyncio
import tempfile
from pathlib import Path

from models.base_model import DEFAULT_FOLDER
from models.train.own_engine import engine_running
from tests.bench import engine, roles, throughput
from tests.bench.figures import Bench, Row

ROOT = Path(__file__).resolve().parents[2]


def measure(bench: Bench) -> None:
    """Start the CPU engine once and add the rows of every measure."""
    if not ((ROOT / ".venv-engine").exists() and DEFAULT_FOLDER.exists()):
        bench.rows.append(Row("with a real engine", "none here: `make run` prepares one"))
        return
    with (
        tempfile.TemporaryDirectory() as work,
        engine_running(Path(work) / "log") as running,
    ):
        for one in (engine, throughput, roles):
            asyncio.run(one.measure(bench, running.url, running.key, Path(work)))

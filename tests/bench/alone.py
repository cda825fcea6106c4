"""One measure by itself, on an engine started for it."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from models.train.own_engine import engine_running
from tests.bench.figures import Bench

Measure = Callable[[Bench, str, str, Path], Awaitable[None]]
"""Adds its rows; takes the engine's address and key, and a folder to work in."""


def alone(measure: Measure) -> None:
    """Start the CPU engine, measure, print the table."""
    bench = Bench()

    async def run(url: str, key: str, work: Path) -> None:
        await measure(bench, url, key, work)

    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        with engine_running(work / "log") as engine:
            asyncio.run(run(engine.url, engine.key, work))
    print(bench.table())

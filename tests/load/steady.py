"""A steady load on the running service: Redis, real screen, a stub engine, a worker that drains."""

import asyncio
import csv
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from service.stores.redis import RedisStore
from tests.bench.kept import fill
from tests.bench.peer import HOME
from tests.household import Household
from tests.load.busy import spent, told

_CLIENTS = 20
_SETTLE_S = 5.0
"""What starts still loads beside its first requests; how it bears a start, `make chaos` says."""


@dataclass(frozen=True, slots=True)
class Load:
    """What to ask for."""

    rate: float
    """Messages a second."""
    seconds: int
    open_sessions: int
    """Sessions that wait in the queue from the start."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What locust counted of one kind of request."""

    count: int
    failed: int
    per_s: float
    p50_ms: float
    p99_ms: float

    def __str__(self) -> str:
        """Give it as a table shows it."""
        return (
            f"{self.per_s:,.0f}/s  p50 {self.p50_ms:,.0f} ms  p99 {self.p99_ms:,.0f} ms"
            f"  ({self.count:,}, {self.failed} failed)"
        )


@dataclass(frozen=True, slots=True)
class Steady:
    """What a steady load came to."""

    seen: dict[str, Seen]
    """By kind of request."""
    busy: str
    drained_s: float
    """How long the worker still needed afterwards."""


async def steady(home: Household, load: Load, folder: Path) -> Steady:
    """Start the service, load it, stop it."""
    store = RedisStore(home.store)
    try:
        await fill(store, load.open_sessions)
        app, ada = await home.issue("app", "client_app"), await home.issue("ada", "therapist")
        home.start()
        await home.ready()
        await asyncio.sleep(_SETTLE_S)
        keys = {"LOAD_APP_KEY": app, "LOAD_ADA_KEY": ada}
        before, began = spent(home), time.monotonic()
        await asyncio.to_thread(_locust, home.url, load, folder, keys)
        busy = told(before, spent(home), time.monotonic() - began)
        drained = await _drained(store)
    finally:
        home.stop()
        await store.close()
    return Steady(_read(folder / "load_stats.csv"), busy, drained)


def _locust(url: str, load: Load, folder: Path, keys: dict[str, str]) -> None:
    words = [
        str(HOME / "bin" / "locust"), "-f", str(Path(__file__).with_name("locustfile.py")),
        "--headless", "--host", url, "--users", str(_CLIENTS + 1), "--spawn-rate", "100",
        "--run-time", f"{load.seconds}s", "--reset-stats", "--csv", str(folder / "load"),
        "--loglevel", "ERROR", "--exit-code-on-error", "0",
    ]  # fmt: skip
    rate = {"LOAD_RATE": str(load.rate), "LOAD_CLIENTS": str(_CLIENTS)}
    with (folder / "locust.log").open("wb") as log:
        subprocess.run(words, env=os.environ | keys | rate, stdout=log, stderr=log, check=True)


async def _drained(store: RedisStore) -> float:
    began = time.monotonic()
    while (due := await store.next_due_ms()) is not None:
        # What is due later than any turn is a reminder of an alert.
        if due > (time.time() + 30) * 1000:
            break
        await asyncio.sleep(0.2)
    return time.monotonic() - began


def _read(path: Path) -> dict[str, Seen]:
    with path.open(encoding="utf-8", newline="") as file:
        return {
            row["Name"]: Seen(
                int(row["Request Count"]), int(row["Failure Count"]), float(row["Requests/s"]),
                float(row["50%"]), float(row["99%"]),
            )
            for row in csv.DictReader(file)
            if row["Name"] in {"message", "open", "queue"}
        }  # fmt: skip

"""``python -m tests.load``: hold the service under load on Redis; see whether more workers help.

python -m tests.load [--rate 120] [--seconds 60] [--sessions 100000] [--quick] [--steady]
"""

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import peer
from tests.contract.redis_server import RedisServer
from tests.household import Household
from tests.load.scaling import scaled
from tests.load.steady import Load, steady


def main() -> int:
    """Run both parts and print what they found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=120.0)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--sessions", type=int, default=100_000)
    parser.add_argument("--quick", action="store_true", help="15 s, 10,000 sessions")
    parser.add_argument("--steady", action="store_true", help="leave out the count of workers")
    asked = parser.parse_args()
    missing, binary = peer.prepare(), shutil.which("redis-server")
    if missing or binary is None:
        print("locust or redis-server is not installed; `make setup` installs redis-server")
        return 1
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before", flush=True)
    if asked.quick:
        asked.seconds, asked.sessions = 15, 10_000
    with _redis(binary) as (store, folder):
        home = Household(folder / "home", store)
        load = Load(asked.rate, asked.seconds, asked.sessions)
        found = asyncio.run(steady(home, load, folder))
    told = f"{asked.rate:.0f} messages/s asked for, {asked.sessions:,} sessions in the queue"
    print(f"\n{told}, {asked.seconds} s")
    for name, one in found.seen.items():
        print(f"  {name:10} {one}")
    print(f"  {found.busy}")
    print(f"  {'drained':10} {found.drained_s:.1f} s after the last message", flush=True)
    if asked.steady:
        return 0
    wanted = 160 if asked.quick else 480
    for answer_s in (0.0, 0.5):
        print(f"\nworkers, the engine's answer takes {answer_s * 1000:.0f} ms")
        scales = [_scaled(binary, workers, answer_s, wanted) for workers in (1, 4)]
        print(f"  4 against 1: {scales[1] / scales[0]:.2f} x", flush=True)
    return 0


def _scaled(binary: str, workers: int, answer_s: float, wanted: int) -> float:
    with _redis(binary) as (store, folder):
        one = asyncio.run(scaled(store, folder / "home", workers, answer_s, wanted))
    print(f"  {workers}: {one}", flush=True)
    return one.per_s


@contextmanager
def _redis(binary: str) -> Iterator[tuple[str, Path]]:
    """A fresh Redis that writes through, in a folder that goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="load-"))
    server = RedisServer(binary, folder / "redis")
    server.start()
    try:
        yield server.url, folder
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())

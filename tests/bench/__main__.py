"""``python -m tests.bench``: one table, and bench.json with the same figures.

    python -m tests.bench [--quick] [--engine] [--rounds 3] [--doc docs/performance.md]

Ours and LangGraph's human in the loop are measured in turn, round by round, so that both meet the
same machine; each side's best round counts. ``--engine`` adds what needs a real engine.
"""

import argparse
import asyncio
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from safety.guard import check
from service.telemetry import log
from tests.bench import in_process, kept, over_http, peer, rows, with_engine
from tests.bench.figures import Bench, Spread

Measured = TypeVar("Measured")


def main() -> None:
    """Measure, print, write."""
    log.configure("warning")  # as in the load test; the table is what is to be read
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smaller run, under two minutes")
    parser.add_argument("--engine", action="store_true", help="also what needs a real engine")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    parser.add_argument("--doc", type=Path, help="also put the table into this page")
    asked = parser.parse_args()
    bench = Bench()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the first measure")
    rounds = 1 if asked.quick else asked.rounds
    try:
        run(bench, asked.quick, rounds)
        if asked.engine:
            _says("what needs a real engine")
            with_engine.measure(bench)
    finally:
        # A run of a quarter of an hour that is stopped, or breaks, still tells what it found.
        print(bench.table())
        bench.write(asked.out)
    if asked.doc:
        how = f"--engine --rounds {rounds}" if asked.engine else f"--rounds {rounds}"
        bench.page(asked.doc, f"python -m tests.bench {how}")
    print(f"written to {asked.out}")


def run(bench: Bench, quick: bool, rounds: int) -> None:
    """Fill the bench, part by part; each prints its name when it begins."""
    wanted = 160 if quick else 480
    _says("installing the other side (.venv-bench)")
    missing = peer.prepare()
    bench.note("peer_missing", missing)
    ours: list[dict[str, Spread]] = []
    theirs: list[peer.Found] = []
    for number in range(rounds):
        _says(f"turns and messages in process, round {number + 1} of {rounds}")
        ours.append(_turns(wanted))
        if missing is None:
            theirs.append(peer.measure("turns", wanted))
    rows.turns(bench, ours, theirs, missing)
    _says("over HTTP with the real screen and scrub")
    rows.http(bench, _there(lambda folder: over_http.measure(folder, wanted)))
    _says("bytes and folds")
    found = peer.measure("sizes", wanted) if missing is None else None
    rows.sizes(bench, _there(kept.sizes), found, missing)
    for sessions in (1_000,) if quick else (1_000, 100_000):
        _says(f"the queue at {sessions:,} sessions")
        found = peer.measure(f"queue{sessions}", wanted) if missing is None else None
        spread = _there(lambda folder, n=sessions: kept.queue(folder, n))
        rows.queue(bench, sessions, spread, found, missing)


def _turns(wanted: int) -> dict[str, Spread]:
    return {
        "turns_1": _there(lambda folder: in_process.turns(folder, wanted, 1)),
        "turns_16": _there(lambda folder: in_process.turns(folder, wanted, 16)),
        "turns_guarded": _there(lambda folder: in_process.turns(folder, wanted, 1, guard=check)),
        "messages": _there(lambda folder: in_process.messages(folder, wanted * 4, 16)),
        "messages_1": _there(lambda folder: in_process.messages(folder, wanted * 2, 1)),
    }


def _there(measure: Callable[[Path], Awaitable[Measured]]) -> Measured:
    """Run one measure in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))

    async def measured() -> Measured:
        return await measure(folder)

    try:
        return asyncio.run(measured())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _says(what: str) -> None:
    print(f"... {what}", flush=True)


if __name__ == "__main__":
    main()

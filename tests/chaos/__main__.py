"""``python -m tests.chaos --kills 50 --seed 7``: kill, restart, count what is lost (nothing)."""

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests.chaos.cable import cables_can_be_laid
from tests.chaos.run import Wish, run


def main() -> int:
    """Run once, print one table; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--clients", type=int, default=8)
    asked = parser.parse_args()
    binary = shutil.which("redis-server")
    if binary is None:
        print("redis-server is not installed; `make setup` installs it")
        return 1
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    wish = Wish(asked.kills, asked.seed, asked.clients)
    print(f"chaos: {asked.kills} kills, seed {asked.seed}, logs in {folder}", flush=True)
    if not cables_can_be_laid():
        print("no cut-offs in this run: network namespaces need Linux and root", flush=True)
    # Told to stop, it still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    outcome = asyncio.run(run(wish, folder, binary))
    print(outcome.table())
    return 1 if outcome.findings.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

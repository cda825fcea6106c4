"""Whole turns a second with one worker process and with four, and where the processors went."""

from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.bench.over_http import front, turns
from tests.household import Household
from tests.load.busy import spent, told

AT_ONCE = 32
SLOTS = 4
"""Turns a worker has under way at once: what binds one worker when an answer takes its time."""


@dataclass(frozen=True, slots=True)
class Scaled:
    """One measure."""

    per_s: float
    busy: str

    def __str__(self) -> str:
        """Give it as a table shows it."""
        return f"{self.per_s:,.1f} turns/s   {self.busy}"


async def scaled(store: str, folder: Path, workers: int, answer_s: float, wanted: int) -> Scaled:
    """Give turns a second of so many workers with an engine that takes ``answer_s``."""
    home = Household(folder, store, workers, {"TURNS": SLOTS})
    async with front(home) as here:
        mode = {"mode": "slow", "delay_s": answer_s} if answer_s else {"mode": "ok"}
        async with httpx.AsyncClient(trust_env=False) as http:
            engine = home.members["engine"]
            await http.post(f"http://127.0.0.1:{engine.port}/stub/mode", json=mode)
        await turns(here, AT_ONCE, AT_ONCE)
        before = spent(home)
        found = await turns(here, wanted, AT_ONCE)
        after = spent(home)
    return Scaled(found.per_s, told(before, after, found.count / found.per_s))

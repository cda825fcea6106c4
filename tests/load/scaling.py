"""Whole turns a second with one worker process and with four, and where the processors went."""

import os
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.bench.over_http import front, turns
from tests.household import Household

AT_ONCE = 32
SLOTS = 4
"""Turns a worker has under way at once: what binds one worker when an answer takes its time."""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Scaled:
    """One measure."""

    per_s: float
    busy: dict[str, float]
    """Processor seconds by kind of process, for each second that went by."""

    def __str__(self) -> str:
        """Give it as a table shows it."""
        parts = "  ".join(f"{name} {share:.2f}" for name, share in sorted(self.busy.items()))
        return f"{self.per_s:,.1f} turns/s   cores busy: {parts}"


async def scaled(store: str, folder: Path, workers: int, answer_s: float, wanted: int) -> Scaled:
    """Give turns a second of so many workers with an engine that takes ``answer_s``."""
    home = Household(folder, store, workers, {"TURNS": SLOTS})
    async with front(home) as here:
        mode = {"mode": "slow", "delay_s": answer_s} if answer_s else {"mode": "ok"}
        async with httpx.AsyncClient(trust_env=False) as http:
            engine = home.members["engine"]
            await http.post(f"http://127.0.0.1:{engine.port}/stub/mode", json=mode)
        await turns(here, AT_ONCE, AT_ONCE)
        before = _spent(home)
        found = await turns(here, wanted, AT_ONCE)
        after = _spent(home)
    seconds = found.count / found.per_s
    return Scaled(found.per_s, {name: (after[name] - before[name]) / seconds for name in after})


def _spent(home: Household) -> dict[str, float]:
    """Processor seconds so far: by kind of process, and of the people who drive them."""
    spent: dict[str, float] = {"driver": sum(os.times()[:2])}
    for name, member in home.members.items():
        assert member.process is not None
        words = Path(f"/proc/{member.process.pid}/stat").read_text(encoding="utf-8")
        user, system = words.rpartition(")")[2].split()[11:13]
        kind = name.partition("-")[0]
        spent[kind] = spent.get(kind, 0.0) + (int(user) + int(system)) / _TICKS
    return spent

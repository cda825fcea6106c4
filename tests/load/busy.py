"""How busy each kind of process keeps the cores."""

import os
from pathlib import Path

from tests.household import Household

_TICKS = os.sysconf("SC_CLK_TCK")


def spent(home: Household) -> dict[str, float]:
    """Processor seconds so far: by kind of process, and of the people who drive them."""
    found: dict[str, float] = {"driver": sum(os.times()[:4])}
    for name, member in home.members.items():
        assert member.process is not None
        words = Path(f"/proc/{member.process.pid}/stat").read_text(encoding="utf-8")
        user, system = words.rpartition(")")[2].split()[11:13]
        kind = name.partition("-")[0]
        found[kind] = found.get(kind, 0.0) + (int(user) + int(system)) / _TICKS
    return found


def told(before: dict[str, float], after: dict[str, float], seconds: float) -> str:
    """Give the cores each kind kept busy meanwhile, as a table shows it."""
    shares = {name: (after[name] - before[name]) / seconds for name in sorted(after)}
    return "cores busy: " + "  ".join(f"{name} {share:.2f}" for name, share in shares.items())

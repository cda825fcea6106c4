"""What the bench says: rows of one table, and the same figures as JSON."""

import json
import os
import platform
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Spread:
    """Many times of one act."""

    per_s: float
    p50_ms: float
    p99_ms: float
    count: int
    cpu_ms: float = 0.0
    """Processor time of each act, all threads; 0 where it was not taken."""

    def __str__(self) -> str:
        """Give it as a table shows it."""
        return f"{self.per_s:,.0f}/s  p50 {self.p50_ms:,.1f} ms  p99 {self.p99_ms:,.1f} ms"


@dataclass(frozen=True, slots=True)
class Row:
    """One measure: ours, the other side's, and how many times better ours is."""

    name: str
    ours: str
    theirs: str = "-"
    ratio: float | None = None
    aim: str = ""

    def met(self, least: float) -> bool:
        """Whether the ratio reaches an aim; a row without a ratio cannot miss it."""
        return self.ratio is None or self.ratio >= least


@dataclass
class Bench:
    """Everything one run found."""

    rows: list[Row] = field(default_factory=list[Row])
    figures: dict[str, object] = field(default_factory=dict[str, object])
    """The same with full precision, by name."""

    def note(self, name: str, figure: object) -> None:
        """Keep a figure for bench.json."""
        self.figures[name] = asdict(figure) if isinstance(figure, Spread) else figure

    def table(self) -> str:
        """Give the rows as text with aligned columns."""
        told = [("", "Second Chair", "LangGraph", "ratio", "aim")]
        for row in self.rows:
            ratio = "" if row.ratio is None else f"{row.ratio:,.1f} x"
            told.append((row.name, row.ours, row.theirs, ratio, row.aim))
        widths = [max(len(line[place]) for line in told) for place in range(5)]
        lines = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in told]
        return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])

    def page(self, path: Path, command: str) -> None:
        """Put the table between the two marks of a page of the docs."""
        begin, end = "<!-- bench -->\n", "<!-- /bench -->"
        before, _, rest = path.read_text(encoding="utf-8").partition(begin)
        after = rest.partition(end)[2]
        load = f"load {os.getloadavg()[0]:.1f} after"
        lines = [
            f"`{command}`, {os.cpu_count()} shared cores, {load}:", "",
            "| | Second Chair | LangGraph | ratio | aim |", "|---|---|---|---|---|",
        ]  # fmt: skip
        for row in self.rows:
            ratio = "" if row.ratio is None else f"{row.ratio:,.1f} x"
            lines.append(f"| {row.name} | {row.ours} | {row.theirs} | {ratio} | {row.aim} |")
        table = "\n".join(lines) + "\n"
        path.write_text(f"{before}{begin}{table}{end}{after}", encoding="utf-8")

    def write(self, path: Path) -> None:
        """Write bench.json."""
        machine = {
            "cores": os.cpu_count(), "python": platform.python_version(),
            "machine": platform.machine(), "load": os.getloadavg()[0],
        }  # fmt: skip
        told = {"machine": machine, "rows": [asdict(row) for row in self.rows], **self.figures}
        path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def spread(waits: Sequence[float], seconds: float | None = None) -> Spread:
    """Sum up times in seconds; ``seconds`` is how long all took, if they ran side by side."""
    ordered = sorted(waits)
    last = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    total = sum(ordered) if seconds is None else seconds
    p50 = statistics.median(ordered)
    return Spread(len(ordered) / total, p50 * 1000, last * 1000, len(ordered))


@dataclass
class Stopwatch:
    """Times acts one by one: ``with watch: ...``."""

    waits: list[float] = field(default_factory=list[float])
    _began: float = 0.0

    def __enter__(self) -> None:
        """Start."""
        self._began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.waits.append(time.perf_counter() - self._began)

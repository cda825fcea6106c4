"""Scrubs JSONL on a pipe, or measures the scrubber on marked rows.

Tables only: no text of a row is ever printed with ``--evaluate``.
"""

import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TextIO

from pydantic import BaseModel, ConfigDict, ValidationError

from safety.risk import Language
from safety.scrub import Scrubbed, Scrubber, load_scrubber
from safety.surrogates import NAMED, Kind, Surrogates, restore


class MarkedSpan(BaseModel):
    """Personal data as a person marked it; code points."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    start: int
    end: int
    type: Kind


class MarkedRow(BaseModel):
    """One line in: ``id``, ``text``, ``lang``; for scoring also ``spans``, ``keep``, ``kind``."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    id: str
    text: str
    lang: Language = "en"
    kind: str = ""
    spans: tuple[MarkedSpan, ...] = ()
    keep: tuple[str, ...] = ()


@dataclass(slots=True)
class Tally:
    """Counts for one line of the table."""

    found: int = 0
    marked: int = 0
    right: int = 0
    given: int = 0
    kept: int = 0
    to_keep: int = 0

    def cells(self) -> str:
        """Recall, precision and kept words lost, with their counts."""
        lost = self.to_keep - self.kept
        return (
            f"{_share(self.found, self.marked)} {_share(self.right, self.given)} "
            f"{_share(lost, self.to_keep)}"
        )


@dataclass(slots=True)
class Report:
    """All that one measurement learnt; no words."""

    rows: dict[str, Tally] = field(default_factory=lambda: defaultdict[str, Tally](Tally))
    restored: int = 0
    messages: int = 0
    seconds: list[float] = field(default_factory=list[float])


def run(stdin: TextIO, stdout: TextIO, evaluate: bool) -> None:
    """Reads rows from stdin; writes a scrubbed line for each, or with ``evaluate`` a table.

    Raises: ValueError, naming the line and never its words, where one is no row.
    """
    rows = list(read_rows(stdin))
    scrubber = load_scrubber()
    if evaluate:
        stdout.write(table(measure(scrubber, rows)))
        return
    for row in rows:
        stdout.write(json.dumps(_line(row, _scrubbed(scrubber, row)), ensure_ascii=False) + "\n")


def read_rows(lines: Iterable[str]) -> Iterator[MarkedRow]:
    """The rows of a JSONL file; a line that is not one is a ``ValueError`` with its number."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield MarkedRow.model_validate_json(line)
            except ValidationError:
                raise ValueError(f"line {number} is not a row") from None


def measure(scrubber: Scrubber, rows: Iterable[MarkedRow]) -> Report:
    """Scrubs every row as a session of its own and counts."""
    report = Report()
    for row in rows:
        began = time.perf_counter()
        scrubbed = _scrubbed(scrubber, row)
        report.seconds.append(time.perf_counter() - began)
        report.messages += 1
        report.restored += restore(scrubbed.text, scrubbed.surrogates) == row.text
        _count(report, row, scrubbed)
    return report


def table(report: Report) -> str:
    """The report in lines: what, recall, precision, words to keep that were lost."""
    head = f"{'':28} {'recall':>16} {'precision':>16} {'keep lost':>16}"
    lines = [f"{name:28} {tally.cells()}" for name, tally in sorted(report.rows.items())]
    median = statistics.median(report.seconds) * 1000 if report.seconds else 0.0
    end = f"round trip {report.restored}/{report.messages}; median {median:.1f} ms a message"
    return "\n".join([head, *lines, end, ""])


def _scrubbed(scrubber: Scrubber, row: MarkedRow) -> Scrubbed:
    return scrubber.scrub(row.text, row.lang, Surrogates(row.id))


def _line(row: MarkedRow, scrubbed: Scrubbed) -> dict[str, object]:
    spans = [{"start": s.start, "end": s.end, "type": str(s.type)} for s in scrubbed.spans]
    return {"id": row.id, "spans": spans, "scrubbed": scrubbed.text}


def _count(report: Report, row: MarkedRow, scrubbed: Scrubbed) -> None:
    covered = {i for span in scrubbed.spans for i in range(span.start, span.end)}
    marked = {i for span in row.spans for i in range(span.start, span.end)}
    for span in row.spans:
        letters = {i for i in range(span.start, span.end) if row.text[i].isalnum()}
        for name in _lines_for(row, span.type):
            report.rows[name].marked += 1
            report.rows[name].found += letters <= covered
    for span in scrubbed.spans:
        for name in _lines_for(row, span.type):
            report.rows[name].given += 1
            report.rows[name].right += bool(marked & set(range(span.start, span.end)))
    for word in row.keep:
        for name in (f"{row.lang} all", f"{row.lang} kind {row.kind}"):
            report.rows[name].to_keep += 1
            report.rows[name].kept += word in scrubbed.text


def _lines_for(row: MarkedRow, kind: Kind) -> Sequence[str]:
    group = "names" if kind in NAMED else "structured"
    return (
        f"{row.lang} all",
        f"{row.lang} {group}",
        f"{row.lang} {group} {kind}",
        f"{row.lang} kind {row.kind}",
    )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:5.1f} % {part:4}/{whole:<4}" if whole else f"{'-':>16}"


if __name__ == "__main__":
    run(sys.stdin, sys.stdout, evaluate="--evaluate" in sys.argv)

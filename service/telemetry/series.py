"""Counters, histograms and gauges whose labels can only take values declared beforehand.

A value outside its closed set is counted as ``other``: a label can then never carry a client's
words or an id, and counting can never fail a request.
"""

import os
import re
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path
from time import monotonic, perf_counter
from typing import Final, Literal

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from service.telemetry import traces

PREFIX: Final = "secondchair"
OTHER: Final = "other"
_COMBINATIONS: Final = 64
_LIVE_GAUGE_FILE: Final = re.compile(r"gauge_live[a-z]*_(\d+)\.db$")

_registry = CollectorRegistry()
_declared: list["Declared"] = []
disable_created_metrics()
ProcessCollector(registry=_registry)
PlatformCollector(registry=_registry)


@dataclass(frozen=True, slots=True)
class Closed:
    """The values a label may take: a listed set, or a pattern that only our own names fit."""

    values: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None

    def fit(self, value: str) -> str:
        """The value itself where it is allowed, else ``other``."""
        if value in self.values or (self.pattern and self.pattern.fullmatch(value)):
            return str(value)
        return OTHER


@dataclass(frozen=True, slots=True)
class Declared:
    """One metric as written down: what documentation and dashboards are checked against."""

    name: str
    """As scraped, without the suffixes of histograms (``_bucket``, ``_sum``, ``_count``)."""
    kind: Literal["counter", "histogram", "gauge"]
    about: str
    unit: str
    labels: Mapping[str, Closed]

    def held(self, given: Mapping[str, str]) -> dict[str, str]:
        """The given labels in declared order, each held to its set.

        Raises: KeyError where the labels' names are not the declared ones.
        """
        if given.keys() != self.labels.keys():
            raise KeyError(self.name, *sorted(given.keys() ^ self.labels.keys()))
        return {name: closed.fit(given[name]) for name, closed in self.labels.items()}


def declared() -> tuple[Declared, ...]:
    """Every metric of this service, in the order it was written down."""
    return tuple(_declared)


class Count:
    """A number that only grows; scraped with the suffix ``_total``."""

    def __init__(self, name: str, about: str, /, **labels: Closed) -> None:
        self.declared = _declare(f"{name}_total", "counter", about, labels)
        self._counter = Counter(name, about, tuple(labels), namespace=PREFIX, registry=_registry)
        self._grew_s = monotonic()
        for values in _known(self.declared.labels):
            self._counter.labels(*values)

    def add(self, amount: float = 1, /, **labels: str) -> None:
        """Counts ``amount`` more, 1 unless told."""
        values = self.declared.held(labels).values()
        (self._counter.labels(*values) if values else self._counter).inc(amount)
        self._grew_s = monotonic()

    def still_s(self) -> float:
        """Seconds since this process last counted something, or began."""
        return monotonic() - self._grew_s


class Spread:
    """How a measured number is spread, over fixed bucket bounds."""

    def __init__(
        self, name: str, about: str, buckets: Iterable[float], /, **labels: Closed
    ) -> None:
        self.declared = _declare(name, "histogram", about, labels)
        self._span = name.removesuffix("_seconds")
        self._histogram = Histogram(
            name,
            about,
            tuple(labels),
            namespace=PREFIX,
            registry=_registry,
            buckets=tuple(buckets),
        )
        for values in _known(self.declared.labels):
            self._histogram.labels(*values)

    def observe(self, amount: float, /, **labels: str) -> None:
        """Adds one measurement, in the metric's unit."""
        values = self.declared.held(labels).values()
        (self._histogram.labels(*values) if values else self._histogram).observe(amount)

    @contextmanager
    def timed(self, **labels: str) -> Generator[None]:
        """Measures the seconds its block takes, also when the block raises; a span of its trace."""
        began = perf_counter()
        try:
            with traces.span(self._span, self.declared.held(labels)):
                yield
        finally:
            self.observe(perf_counter() - began, **labels)


class Level:
    """A number that goes up and down.

    ``across`` tells how the processes behind one address add up: ``livesum`` where each holds
    a part (open streams), ``livemax`` where each sees the whole (the queue's depth).
    """

    def __init__(
        self,
        name: str,
        about: str,
        across: Literal["livesum", "livemax"],
        /,
        **labels: Closed,
    ) -> None:
        self.declared = _declare(name, "gauge", about, labels)
        self._gauge = Gauge(
            name,
            about,
            tuple(labels),
            namespace=PREFIX,
            registry=_registry,
            multiprocess_mode=across,
        )

    def put(self, amount: float, /, **labels: str) -> None:
        """Sets the number as it is now."""
        values = self.declared.held(labels).values()
        (self._gauge.labels(*values) if values else self._gauge).set(amount)

    def add(self, amount: float, /, **labels: str) -> None:
        """Moves the number by ``amount``, which may be negative."""
        values = self.declared.held(labels).values()
        (self._gauge.labels(*values) if values else self._gauge).inc(amount)


def render(shared: Path | None = None) -> tuple[bytes, str]:
    """The metrics as scraped, and their content type.

    ``shared`` is where several processes that answer one address add up their numbers, by default
    the folder that ``PROMETHEUS_MULTIPROC_DIR`` names: the library decides by the same variable,
    when it is imported, so a setting of ours could only disagree with it.
    Live gauges of processes that have ended are dropped first.
    """
    named = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    shared = shared or (Path(named) if named else None)
    if shared is None:
        return generate_latest(_registry), CONTENT_TYPE_LATEST
    _forget_ended(shared)
    gathered = CollectorRegistry()
    MultiProcessCollector(gathered, path=str(shared))
    return generate_latest(gathered), CONTENT_TYPE_LATEST


def _declare(
    name: str,
    kind: Literal["counter", "histogram", "gauge"],
    about: str,
    labels: Mapping[str, Closed],
) -> Declared:
    units = {"seconds", "tokens", "ratio", "messages", "sessions", "clients"}
    unit = next((word for word in name.split("_") if word in units), "1")
    one = Declared(f"{PREFIX}_{name}", kind, about, unit, dict(labels))
    _declared.append(one)
    return one


def _known(labels: Mapping[str, Closed]) -> Iterable[tuple[str, ...]]:
    """Every combination of listed values, so that a first count is a rise from 0 and not a birth.

    None where a label is bound by a pattern, or where the combinations are too many to send.
    """
    sets = [sorted(closed.values) for closed in labels.values()]
    many = prod(len(values) for values in sets)
    return product(*sets) if sets and 0 < many <= _COMBINATIONS else ()


def _forget_ended(shared: Path) -> None:
    """Drops the live gauges of processes that are gone, as no parent process is told of it."""
    found = (_LIVE_GAUGE_FILE.search(path.name) for path in shared.glob("gauge_live*.db"))
    for pid in {int(match[1]) for match in found if match}:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            for file in shared.glob(f"gauge_live*_{pid}.db"):
                file.unlink(missing_ok=True)
        except PermissionError:
            continue

"""Traces, where an operator asks for them: one span for each thing that is timed, without words.

A span has the name and the labels of the metric that times it, so it can say nothing that a
metric could not. Exceptions are told by their type: their messages may quote a client.
"""

import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    INVALID_SPAN,
    Span,
    SpanKind,
    StatusCode,
    Tracer,
    format_trace_id,
    get_current_span,
)

NAME: Final = "secondchair"
_PATIENCE_S: Final = 2
"""Longest try to send a batch; a process that ends waits as long for its last one."""
_ROOTS: Final = frozenset({"http", "duty"})
"""What may begin a trace; a worker that looks for work each second would only bury the rest."""


class _Tracing:
    """Where spans of this process go; nowhere until `collect` is called."""

    tracer: Tracer | None = None


def otlp(url: str) -> SpanExporter:
    """An exporter to a collector's OTLP door, as in ``http://collector:4318``."""
    return OTLPSpanExporter(f"{url.rstrip('/')}/v1/traces", timeout=_PATIENCE_S)


@contextmanager
def collect(exporter: SpanExporter, share: float = 1.0) -> Generator[None]:
    """Send a share (0-1) of this process's traces while the block runs, and the rest at its end.

    A collector that is away costs its traces, never a request: they are sent from a thread that
    forgets the oldest.
    """
    sampler = ParentBased(TraceIdRatioBased(share))
    provider = TracerProvider(sampler, Resource.create({"service.name": NAME}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _Tracing.tracer = provider.get_tracer(NAME)
    try:
        yield
    finally:
        _Tracing.tracer = None
        provider.shutdown()


@contextmanager
def span(name: str, labels: Mapping[str, str]) -> Generator[Span]:
    """Open a span for the block; does nothing where nobody collects or no trace was begun.

    ``labels`` must be held to closed sets already; see `series`.
    """
    begun = get_current_span().get_span_context().is_valid
    if _Tracing.tracer is None or not (begun or name in _ROOTS):
        yield INVALID_SPAN
        return
    kind = SpanKind.SERVER if name == "http" else SpanKind.INTERNAL
    with _Tracing.tracer.start_as_current_span(
        name, kind=kind, attributes=labels, record_exception=False, set_status_on_exception=False
    ) as opened:
        ended = False
        try:
            yield opened
            ended = True
        finally:
            if not ended and (error := sys.exc_info()[0]):
                opened.set_status(StatusCode.ERROR)
                opened.set_attribute("error.type", error.__name__)


def trace_id() -> str | None:
    """The 32 hex digits of the trace we are in, if any: what joins log lines to it."""
    context = get_current_span().get_span_context()
    return format_trace_id(context.trace_id) if context.is_valid else None

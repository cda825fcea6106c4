"""Traces tell a collector what took how long; real OTLP over HTTP, and nothing about anybody."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from dataclasses import replace as changed

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from service.stores.memory import MemoryStore
from service.stores.metered import MeteredStore
from service.telemetry import log, traces
from tests.driving import Town, town
from tests.receiving import receiving


@dataclass
class Collector:
    """A collector of traces on a free port, which keeps the spans sent to it."""

    address: str = ""
    spans: list[Span] = field(default_factory=list[Span])

    def take(self, body: bytes, headers: Mapping[str, str]) -> None:
        """Keep the spans of one export."""
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)

    def named(self, name: str, **labels: str) -> list[Span]:
        """The spans of a name whose labels have these values."""
        return [
            span for span in self.spans
            if span.name == name and labels.items() <= told(span).items()
        ]  # fmt: skip


def told(span: Span) -> dict[str, str]:
    return {one.key: one.value.string_value for one in span.attributes}


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    """Collects until the test ends."""
    made = Collector()
    async with receiving(made.take) as made.address:
        yield made


@pytest.fixture
async def metered() -> AsyncIterator[Town]:
    """A town whose store is measured, as it is in service."""
    async with town(MeteredStore(MemoryStore())) as made:
        yield made


async def heard(here: Town, collector: Collector, share: float = 1.0) -> None:
    """One message and its turn; what is left to send goes out when collecting ends."""
    collecting = traces.collect(traces.otlp(collector.address), share)
    collecting.__enter__()
    try:
        await here.say(await here.open(), "It was a long week.")
        await here.work()
    finally:
        # The last batch is sent by a call that waits, and the collector lives on this loop.
        await asyncio.to_thread(collecting.__exit__, None, None, None)


async def test_a_request_and_a_turn_are_traced_with_what_they_waited_for(
    metered: Town, collector: Collector
) -> None:
    await heard(metered, collector)
    (said,) = collector.named("http", route="/v1/sessions/{session_id}/messages", status="2xx")
    (turn,) = collector.named("duty", kind="draft")
    within = {
        name: {span.trace_id for span in collector.named(name)}
        for name in ("intake", "screen", "scrub", "engine", "store")
    }
    assert (within["intake"], within["screen"]) == ({said.trace_id}, {said.trace_id})
    assert (within["scrub"], within["engine"]) == ({turn.trace_id}, {turn.trace_id})
    assert {said.trace_id, turn.trace_id} <= within["store"]


async def test_looking_for_work_begins_no_trace(metered: Town, collector: Collector) -> None:
    await heard(metered, collector)
    begun = {span.name for span in collector.spans if not span.parent_span_id}
    assert begun == {"http", "duty"}


async def test_what_fails_is_told_by_its_type_alone(metered: Town, collector: Collector) -> None:
    metered.engine.manner = "down"
    await heard(metered, collector)
    (asked,) = collector.named("engine")
    assert asked.status.code == Status.STATUS_CODE_ERROR
    assert (told(asked)["error.type"], asked.status.message) == ("EngineUnavailable", "")
    assert [len(span.events) for span in collector.spans if span.events] == []


async def test_a_share_of_nothing_sends_nothing(metered: Town, collector: Collector) -> None:
    await heard(metered, collector, share=0.0)
    assert collector.spans == []


async def test_a_collector_that_is_away_costs_no_message(metered: Town) -> None:
    await heard(metered, changed(Collector(), address="http://127.0.0.1:9"))
    session = await metered.open()
    assert (await metered.say(session, "It was a long week.")).status_code == 202


async def test_log_lines_of_a_trace_carry_its_id(
    metered: Town, collector: Collector, capfd: pytest.CaptureFixture[str]
) -> None:
    log.configure()
    await heard(metered, collector)
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    (said,) = collector.named("intake")
    (line,) = (line for line in lines if line.get("trace_id") == said.trace_id.hex())
    assert line["event"] == "request_served"

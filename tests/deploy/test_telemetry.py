"""Metrics and log lines carry numbers, codes and our own ids, and nothing a client wrote."""

import json
import logging
import re
import sys
from typing import get_args

import httpx
import pytest

from safety.risk import RiskLevel
from service.session.duties import DutyKind
from service.stores.port import Store
from service.telemetry import metrics, series
from service.telemetry.exposed import exposed
from service.telemetry.log import (
    LogEvent,
    configure,
    end_without_words,
    log_line,
    note,
    noting,
    where,
)


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]):
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure("info")
    yield lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)


def scraped() -> str:
    return series.render()[0].decode()


def test_every_metric_is_described_and_named_by_the_rules():
    for one in metrics.DECLARED:
        assert one.about.endswith("."), one.name
        assert re.fullmatch(r"secondchair_[a-z_]+", one.name)
        assert (one.kind == "counter") == one.name.endswith("_total")
    names = [one.name for one in metrics.DECLARED]
    assert len(names) == len(set(names))


def test_every_label_is_a_closed_set():
    for one in metrics.DECLARED:
        for label, closed in one.labels.items():
            assert closed.values or closed.pattern, (one.name, label)
            assert closed.fit("I feel ses_01HZX so alone") == series.OTHER


def test_a_path_with_an_id_is_counted_as_other():
    metrics.Http.requests.add(route="/v1/sessions/ses_01hzx", method="GET", status="2xx")
    metrics.Http.requests.add(route="/v1/sessions/{session_id}", method="GET", status="2xx")
    text = scraped()
    assert "ses_01hzx" not in text
    assert 'route="/v1/sessions/{session_id}"' in text
    assert 'route="other"' in text


def test_a_label_outside_the_declared_ones_is_a_bug():
    with pytest.raises(KeyError):
        metrics.Intake.accepted.add(session="ses_1")
    with pytest.raises(KeyError):
        metrics.Screening.judged.add(level="high")


def test_counters_with_listed_labels_start_at_zero():
    assert 'secondchair_pages_total{outcome="failed"}' in scraped()


def test_histograms_with_listed_labels_start_at_zero_so_that_the_first_measurement_is_a_rise():
    for level in RiskLevel:
        counted = f'secondchair_alert_acknowledged_seconds_count{{level="{level}"}}'
        assert counted in scraped()


def test_the_labels_know_every_store_operation_and_every_duty():
    operations = {name for name in vars(Store) if not name.startswith("_")} - {"close"}
    assert metrics.Store.seconds.declared.labels["operation"].values == operations
    assert metrics.Duties.done.declared.labels["kind"].values == set(get_args(DutyKind))


def test_a_block_is_timed_even_when_it_fails():
    def count() -> float:
        found = re.search(r'store_seconds_count{operation="ping"} (\S+)', scraped())
        return float(found[1]) if found else 0.0

    before = count()
    with pytest.raises(RuntimeError), metrics.Store.seconds.timed(operation="ping"):
        raise RuntimeError
    assert count() == before + 1


def test_a_line_carries_its_event_its_time_and_its_fields(lines):
    log_line(LogEvent.DUTY_DONE, session_id="ses_1", latency_ms=12.5)
    (line,) = lines()
    assert line["event"] == "duty_done"
    assert line["severity"] == "info"
    assert line["session_id"] == "ses_1"
    assert line["latency_ms"] == 12.5
    assert line["at"].endswith("Z")


def test_an_unknown_key_is_refused_and_nothing_is_written(lines):
    with pytest.raises(KeyError):
        log_line(LogEvent.DUTY_DONE, text="ses_1")  # pyright: ignore[reportCallIssue]
    assert lines() == []


def test_a_sentence_is_withheld_whatever_its_key(lines):
    log_line(LogEvent.BUG, error="they said hello to me")
    (line,) = lines()
    assert line["error"] == "withheld"


def test_a_librarys_message_never_reaches_the_log(lines):
    try:
        raise ValueError("canary-4711")
    except ValueError:
        logging.getLogger("some.library").exception("it was %s", "canary-4712")
    (line,) = lines()
    assert "canary" not in json.dumps(line)
    assert line["error"] == "ValueError"
    assert line["where"].startswith("test_telemetry.py:")


def test_an_error_that_was_never_raised_has_no_place():
    assert where(ValueError("x")) == "unknown"


def test_one_line_tells_all_that_was_noted_within(lines):
    with noting() as noted:
        note(session_id="ses_1", code="not_found")
    note(actor="ada")  # nothing is under way any more
    log_line(LogEvent.REQUEST_SERVED, **noted)
    (line,) = lines()
    assert (line["session_id"], line["code"], "actor" in line) == ("ses_1", "not_found", False)


def test_what_ends_a_process_that_has_begun_is_told_without_its_words(lines, monkeypatch):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    end_without_words()
    try:
        raise ExceptionGroup("Anna", [KeyError("Anna called"), ValueError("Anna")])
    except ExceptionGroup as group:
        sys.excepthook(type(group), group, group.__traceback__)
    assert [line["error"] for line in lines()] == ["KeyError", "ValueError"]


@pytest.mark.parametrize(("still_s", "status"), [(0.0, 200), (59.0, 200), (61.0, 503)])
def test_a_process_that_goes_round_no_more_is_not_well(still_s: float, status: int) -> None:
    with exposed("127.0.0.1", 0, "a token that probes do not have", lambda: still_s) as port:
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == status
        assert httpx.get(f"http://127.0.0.1:{port}/metrics").status_code == 401


def test_a_count_knows_how_long_it_has_stood_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "monotonic", lambda: 100.0)
    metrics.Duties.rounds.add()
    monkeypatch.setattr(series, "monotonic", lambda: 161.0)
    assert metrics.Duties.rounds.still_s() == 61.0

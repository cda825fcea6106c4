"""A real Prometheus reads the running service, and its alerts fire when things really break."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from running import TOKEN, Running, ask, until

from tests.conftest import Require

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def stack(require: Require, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    require("prometheus")
    running = Running(Path(tmp_path_factory.mktemp("stack")))
    try:
        running.start()
        running.watch()
        yield running
    finally:
        running.end()


def firing(stack: Running, alert: str) -> bool:
    return bool(stack.query(f'ALERTS{{alertname="{alert}",alertstate="firing"}}'))


def test_api_and_worker_are_scraped_with_the_token_only(stack: Running):
    for job in ("secondchair-api", "secondchair-worker"):
        until(lambda job=job: stack.query(f'up{{job="{job}"}}') == [1.0], job)
    for address in (stack.api("/metrics"), stack.numbers()):
        assert ask(address)[0] == 401
        assert ask(address, "wrong")[0] == 401
        assert ask(address, TOKEN)[0] == 200


def test_every_shipped_rule_is_loaded_and_healthy(stack: Running):
    until(lambda: firing(stack, "Watchdog"), "the first evaluation")
    rules = [rule for group in stack.told("/api/v1/rules")["groups"] for rule in group["rules"]]
    assert len(rules) >= 40
    assert {rule["health"] for rule in rules} <= {"ok", "unknown"}


def test_a_message_is_counted_once_across_both_api_processes(stack: Running):
    app = stack.key("app", "client_app")
    opened = ask(
        stack.api("/v1/sessions"),
        app,
        {"client_ref": "c-1", "language": "en", "region": "US", "simulated": True},
        {"Idempotency-Key": "open-1"},
    )
    assert opened[0] == 201
    session_id = opened[1].split('"id":"')[1].split('"')[0]
    for number in range(6):
        sent = ask(
            stack.api(f"/v1/sessions/{session_id}/messages"),
            app,
            {"text": "Work has been a lot lately."},
            {"Idempotency-Key": f"message-{number}"},
        )
        assert sent[0] == 202
    accepted = 'sum(secondchair_messages_accepted_total{job="secondchair-api"})'
    until(lambda: stack.query(accepted) == [6.0], "six messages")
    until(lambda: sum(stack.query("secondchair_screen_judged_total")) == 6.0, "six judgments")
    assert stack.query('secondchair_http_requests_total{route=~".*ses_.*"}') == []
    until(lambda: sum(stack.query("secondchair_queue_sessions")) == 1.0, "one waiting session")
    danger = ask(
        stack.api(f"/v1/sessions/{session_id}/messages"),
        app,
        {"text": "I am going to kill myself tonight."},
        {"Idempotency-Key": "message-danger"},
    )
    assert danger[0] == 202
    until(lambda: firing(stack, "ImminentAlertUnacknowledged"), "the alert nobody acknowledged")


def test_an_engine_that_dies_is_noticed(stack: Running):
    seen = 'max(secondchair_engine_up{job="secondchair-worker"})'
    until(lambda: stack.query(seen) == [1.0], "the engine to be seen up")
    assert not firing(stack, "EngineDown")
    stack.stop("engine")
    until(lambda: firing(stack, "EngineDown"), "EngineDown")


def test_an_api_that_dies_is_noticed_and_the_worker_goes_on(stack: Running):
    assert not firing(stack, "ApiDown")
    stack.stop("api")
    until(lambda: firing(stack, "ApiDown"), "ApiDown")
    assert stack.query('up{job="secondchair-worker"}') == [1.0]

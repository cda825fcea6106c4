"""Every alert has a rule that parses, a test that makes it fire, and a heading that says why."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from promql import PROMETHEUS_OWN, VLLM, named_in, ours, selected_wrongly

from service.app import ROUTERS

PROMETHEUS = Path(__file__).parents[2] / "deploy" / "prometheus"
RUNBOOK = PROMETHEUS.parent / "runbook.md"
needs_promtool = pytest.mark.usefixtures("promtool")


def rules(file: str) -> list[dict[str, object]]:
    groups = yaml.safe_load((PROMETHEUS / file).read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


ALERTS = {str(rule["alert"]): rule for rule in rules("alerts.yml")}
RECORDED = {str(rule["record"]) for rule in rules("recording.yml")}
EXPRESSIONS = [str(rule["expr"]) for rule in (*rules("alerts.yml"), *rules("recording.yml"))]


def promtool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["promtool", *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )


def test_every_alert_has_one_heading_in_the_runbook_and_no_heading_is_left_over():
    headings = re.findall(r"^## (\S+)$", RUNBOOK.read_text(), flags=re.M)
    assert sorted(headings) == sorted(ALERTS)


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_how_urgent_it_is_and_where_to_read_on(alert: str):
    rule = ALERTS[alert]
    assert rule["labels"]["severity"] in {"page", "ticket", "none"}
    assert rule["annotations"]["runbook"] == f"runbook.md#{alert.lower()}"
    assert rule["annotations"]["summary"].endswith(".")


def test_every_alert_is_made_to_fire_in_the_rule_tests():
    cases = yaml.safe_load((PROMETHEUS / "alerts.test.yml").read_text())["tests"]
    fired = {
        name
        for case in cases
        for probe in case["promql_expr_test"]
        if probe.get("exp_samples")
        for name in re.findall(r'alertname="(\w+)",alertstate="firing"', probe["expr"])
    }
    assert fired == set(ALERTS)


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=range(len(EXPRESSIONS)))
def test_a_rule_asks_only_for_metrics_and_labels_that_exist(expression: str):
    assert named_in(expression) <= ours() | VLLM | RECORDED | PROMETHEUS_OWN
    assert selected_wrongly(expression) == []


def test_a_rule_names_only_routes_that_the_service_has():
    there = {route.path for router in ROUTERS for route in router.routes}
    chosen = re.findall(r'route(?:=|!=|=~|!~)"([^"]*)"', " ".join(EXPRESSIONS))
    named = {route for one in chosen for route in one.split("|")}
    assert "/v1/sessions/{session_id}/messages" in named
    assert named <= there


@needs_promtool
def test_prometheus_accepts_the_configuration_and_the_rules():
    checked = promtool("check", "config", "--syntax-only", "prometheus.yml")
    assert checked.returncode == 0, checked.stderr
    checked = promtool("check", "rules", "alerts.yml", "recording.yml")
    assert checked.returncode == 0, checked.stderr


@needs_promtool
def test_each_alert_fires_when_it_should_and_a_healthy_day_is_quiet():
    tested = promtool("test", "rules", "alerts.test.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr

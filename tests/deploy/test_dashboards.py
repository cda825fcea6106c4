"""The dashboards are drawn from code, and every query asks for something that is measured."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from promql import PROMETHEUS_OWN, VLLM, named_in, ours, selected_wrongly

DEPLOY = Path(__file__).parents[2] / "deploy"
KEPT = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
QUERIES = [
    pytest.param(target["expr"], id=f"{page.stem}-{panel['id']}-{target['refId']}")
    for page in KEPT
    for panel in json.loads(page.read_text())["panels"]
    for target in panel["targets"]
]


def recorded() -> set[str]:
    groups = yaml.safe_load((DEPLOY / "prometheus" / "recording.yml").read_text())["groups"]
    return {rule["record"] for group in groups for rule in group["rules"]}


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_asks_only_for_metrics_and_labels_that_exist(query: str):
    assert named_in(query) <= ours() | VLLM | recorded() | PROMETHEUS_OWN
    assert selected_wrongly(query) == []


def test_the_kept_files_are_what_the_code_draws(tmp_path: Path):
    subprocess.run([sys.executable, DEPLOY / "grafana" / "write.py", tmp_path], check=True)
    drawn = {file.name: file.read_text() for file in tmp_path.glob("*.json")}
    assert drawn == {file.name: file.read_text() for file in KEPT}


def test_each_page_has_an_address_of_its_own_and_panels_that_do_not_overlap():
    pages = [json.loads(file.read_text()) for file in KEPT]
    assert len({page["uid"] for page in pages}) == len(pages) == 4
    for page in pages:
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in page["panels"]]
        assert len(set(places)) == len(places)


def test_every_metric_of_the_service_is_shown_or_watched():
    rules = (DEPLOY / "prometheus" / "recording.yml").read_text()
    rules += (DEPLOY / "prometheus" / "alerts.yml").read_text()
    asked = rules + "".join(page.read_text() for page in KEPT)
    unseen = {name for name in ours() if name.removesuffix("_bucket") not in asked}
    assert not {name for name in unseen if not name.endswith(("_sum", "_count"))}


def test_the_data_source_of_every_panel_is_the_provisioned_one():
    source = yaml.safe_load(
        (DEPLOY / "grafana/provisioning/datasources/prometheus.yaml").read_text()
    )["datasources"][0]["uid"]
    for file in KEPT:
        for panel in json.loads(file.read_text())["panels"]:
            assert panel["datasource"]["uid"] == source

"""The manifests obey Kubernetes' own schemas, and every pod is as locked up as it can be."""

import re

import kubernetes_validate
import pytest
import yaml
from manifests import (
    KUBERNETES,
    PODS,
    WRITTEN,
    Manifest,
    containers,
    named,
    needs_kubectl,
    rendered,
)

from service.telemetry.metrics import DECLARED

OVERLAYS = ("clinic", "trial")
VERSIONS = ("1.30.0", "1.34.0", "1.37.0")


@pytest.mark.parametrize("one", WRITTEN, ids=named)
def test_a_manifest_obeys_the_schema_and_knows_no_other_field(one: Manifest):
    for version in VERSIONS:
        kubernetes_validate.validate(one, version, strict=True)


@needs_kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_renders_to_valid_manifests_with_one_pinned_image_each(overlay: str):
    manifests = rendered(overlay)
    for one in manifests:
        kubernetes_validate.validate(one, "1.34.0", strict=True)
    for one in manifests:
        if one["kind"] in {"Deployment", "StatefulSet"}:
            for container in containers(one):
                _, colon, tag = container["image"].rpartition(":")
                assert colon, container["name"]
                assert tag != "latest", container["name"]


@needs_kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_name_a_pod_refers_to_exists_in_its_overlay(overlay: str):
    manifests = rendered(overlay)
    there = {(one["kind"], one["metadata"]["name"]) for one in manifests}
    for one in manifests:
        if one["kind"] not in {"Deployment", "StatefulSet"}:
            continue
        for volume in one["spec"]["template"]["spec"].get("volumes", ()):
            if "configMap" in volume:
                assert ("ConfigMap", volume["configMap"]["name"]) in there
            if "persistentVolumeClaim" in volume:
                claim = volume["persistentVolumeClaim"]["claimName"]
                assert ("PersistentVolumeClaim", claim) in there


@needs_kubectl
def test_a_trial_asks_for_no_gpu_and_scales_nothing():
    manifests = rendered("trial")
    assert "nvidia.com/gpu" not in yaml.safe_dump(manifests)
    kinds = {one["kind"] for one in manifests}
    assert not kinds & {"HorizontalPodAutoscaler", "PodDisruptionBudget"}


@pytest.mark.parametrize("one", PODS, ids=named)
def test_a_pod_has_no_root_no_rights_no_token_and_a_read_only_disk(one: Manifest):
    pod = one["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in containers(one):
        locked = container["securityContext"]
        assert locked["allowPrivilegeEscalation"] is False
        assert locked["readOnlyRootFilesystem"] is True
        assert locked["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"].keys() >= {"cpu", "memory"}
        assert "livenessProbe" in container


@pytest.mark.parametrize("one", PODS, ids=named)
def test_every_pod_is_behind_a_network_policy_of_its_own(one: Manifest):
    app = one["spec"]["template"]["metadata"]["labels"]["app"]
    behind = [
        policy
        for policy in WRITTEN
        if policy["kind"] == "NetworkPolicy" and policy["metadata"]["name"] == app
    ]
    assert len(behind) == 1
    assert behind[0]["spec"]["podSelector"] == {"matchLabels": {"app": app}}
    assert "Ingress" in behind[0]["spec"]["policyTypes"]


def test_whatever_is_not_allowed_is_denied_both_ways():
    (everything,) = [
        one
        for one in WRITTEN
        if one["kind"] == "NetworkPolicy" and one["metadata"]["name"] == "nobody"
    ]
    assert everything["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@pytest.mark.parametrize("app", ["engine", "redis"])
def test_engine_and_store_are_reached_by_the_service_only_and_reach_nobody(app: str):
    (policy,) = [
        one for one in WRITTEN if one["kind"] == "NetworkPolicy" and one["metadata"]["name"] == app
    ]
    callers = {
        peer["podSelector"]["matchLabels"]["app"]
        for rule in policy["spec"]["ingress"]
        for peer in rule["from"]
    }
    assert {"api", "worker"} <= callers <= {"api", "worker", "prometheus"}
    assert "egress" not in policy["spec"]


@pytest.mark.parametrize("app", ["engine", "redis"])
def test_engine_and_store_have_no_way_out_not_even_a_resolver(app: str):
    ways = [one["metadata"]["name"] for one in WRITTEN if lets_out(one, app)]
    assert ways == []
    assert any(lets_out(one, "api") for one in WRITTEN if one["metadata"]["name"] == "names")


def lets_out(one: Manifest, app: str) -> bool:
    """Whether a network policy lets an app's pods reach anything."""
    if one["kind"] != "NetworkPolicy" or not one["spec"].get("egress"):
        return False
    chosen = one["spec"]["podSelector"]
    for each in chosen.get("matchExpressions", ()):
        assert (each["key"], each["operator"] in {"In", "NotIn"}) == ("app", True)
        if (app in each["values"]) != (each["operator"] == "In"):
            return False
    return chosen.get("matchLabels", {}).get("app", app) == app


def test_every_part_of_the_service_has_a_disruption_budget():
    kept = {one["metadata"]["name"] for one in WRITTEN if one["kind"] == "PodDisruptionBudget"}
    assert kept == {"api", "worker", "console", "engine", "redis"}


def test_every_service_selects_pods_and_names_a_port_they_have():
    pods = {
        one["spec"]["template"]["metadata"]["labels"]["app"]: {
            port["name"] for container in containers(one) for port in container["ports"]
        }
        for one in PODS
    }
    for one in WRITTEN:
        if one["kind"] == "Service":
            for port in one["spec"]["ports"]:
                assert port["targetPort"] in pods[one["spec"]["selector"]["app"]]


def test_prometheus_finds_a_headless_service_for_each_of_its_jobs():
    config = yaml.safe_load((KUBERNETES.parent / "prometheus" / "prometheus.yml").read_text())
    asked = {
        (name, found["port"])
        for job in config["scrape_configs"]
        for found in job.get("dns_sd_configs", ())
        for name in found["names"]
    }
    headless = {
        (one["metadata"]["name"], one["spec"]["ports"][0]["port"])
        for one in WRITTEN
        if one["kind"] == "Service" and one["spec"].get("clusterIP") == "None"
    }
    assert asked == headless


def test_workers_scale_by_a_metric_that_is_measured_and_served():
    (scaler,) = [
        one
        for one in WRITTEN
        if one["kind"] == "HorizontalPodAutoscaler" and one["metadata"]["name"] == "worker"
    ]
    name = scaler["spec"]["metrics"][0]["external"]["metric"]["name"]
    assert name in {one.name for one in DECLARED}
    (rules,) = [one for one in WRITTEN if one["metadata"]["name"] == "metrics-adapter-rules"]
    served = yaml.safe_load(rules["data"]["config.yaml"])["externalRules"]
    assert [rule["name"]["as"] for rule in served] == [name]


def test_what_an_autoscaler_counts_no_manifest_counts_too():
    scaled = {
        one["spec"]["scaleTargetRef"]["name"]
        for one in WRITTEN
        if one["kind"] == "HorizontalPodAutoscaler"
    }
    assert scaled == {"api", "worker"}
    counted = {one["metadata"]["name"] for one in PODS if "replicas" in one["spec"]}
    assert not counted & scaled


def test_an_upgrade_needs_no_gpu_that_the_old_engine_holds():
    (engine,) = [one for one in PODS if one["metadata"]["name"] == "engine"]
    assert "nvidia.com/gpu" in containers(engine)[0]["resources"]["limits"]
    assert engine["spec"]["strategy"] == {"type": "Recreate"}


def test_the_store_is_full_before_its_container_is():
    (store,) = [one for one in PODS if one["metadata"]["name"] == "redis"]
    limit = containers(store)[0]["resources"]["limits"]["memory"]
    written = (KUBERNETES.parent / "redis" / "redis.conf").read_text()
    (most,) = re.findall(r"^maxmemory (\d+)gb$", written, re.M)
    assert int(most) <= 0.8 * int(limit.removesuffix("Gi"))


def test_the_engine_is_ready_only_after_it_has_generated():
    (engine,) = [one for one in PODS if one["metadata"]["name"] == "engine"]
    (container,) = containers(engine)
    for probe in ("startupProbe", "readinessProbe"):
        assert container[probe]["exec"]["command"][-1].endswith("engine_ready.py")

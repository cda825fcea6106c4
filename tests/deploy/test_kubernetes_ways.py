"""Ways in and out of a cluster: the gateway, what pods may reach, and how volumes are filled."""

import re
import shutil
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from manifests import (
    KUBERNETES,
    WRITTEN,
    Manifest,
    built,
    named,
    needs_kubectl,
    rendered,
)

OPTIONAL = ("mail", "store-elsewhere", "traces")


@needs_kubectl
def test_other_ways_out_open_only_when_asked_for_and_only_as_far(tmp_path: Path):
    shipped = {one["metadata"]["name"] for one in rendered("clinic") if _policy(one)}
    assert not shipped & set(OPTIONAL)
    manifests = opened(tmp_path)
    for one in manifests:
        kubernetes_validate.validate(one, "1.34.0", strict=True)
    ports = {
        one["metadata"]["name"]: {
            port["port"] for rule in one["spec"]["egress"] for port in rule["ports"]
        }
        for one in manifests
        if _policy(one) and one["metadata"]["name"] in OPTIONAL
    }
    assert ports == {
        "mail": {25, 465, 587},
        "store-elsewhere": {6379, 6380, 26379},
        "traces": {4318},
    }
    there = {named(one) for one in manifests}
    gone = {f"{kind}/redis" for kind in ("StatefulSet", "Service", "PodDisruptionBudget")}
    assert not there & gone
    (settings,) = [one for one in manifests if named(one) == "ConfigMap/settings"]
    assert settings["data"]["SECONDCHAIR_TRACES_URL"].endswith(":4318")


def _policy(one: Manifest) -> bool:
    return one["kind"] == "NetworkPolicy"


@needs_kubectl
def test_people_come_in_by_tls_with_open_streams_and_keep_their_replica():
    ingresses = {one["metadata"]["name"]: one for one in rendered("clinic") if
                 one["kind"] == "Ingress"}  # fmt: skip
    assert set(ingresses) == {"api", "console"}
    services = {one["metadata"]["name"]: one for one in WRITTEN if one["kind"] == "Service"}
    for name, one in ingresses.items():
        (rule,), (tls,) = one["spec"]["rules"], one["spec"]["tls"]
        assert tls["hosts"] == [rule["host"]]
        (path,) = rule["http"]["paths"]
        wanted = path["backend"]["service"]
        assert wanted["name"] == name
        assert wanted["port"]["name"] in {port["name"] for port in services[name]["spec"]["ports"]}
    annotations = {name: one["metadata"]["annotations"] for name, one in ingresses.items()}
    prefix = "nginx.ingress.kubernetes.io"
    assert annotations["api"][f"{prefix}/proxy-buffering"] == "off"
    # A stream ends by itself after ten minutes; the gateway must not do so before.
    assert int(annotations["api"][f"{prefix}/proxy-read-timeout"]) > 600
    assert annotations["console"][f"{prefix}/affinity"] == "cookie"
    # The numbers of /metrics stay inside.
    assert ingresses["api"]["spec"]["rules"][0]["http"]["paths"][0]["path"] == "/v1"


@needs_kubectl
def test_the_gateway_reaches_what_proves_to_an_authority_whose_the_hosts_are():
    policies = {one["metadata"]["name"]: one["spec"] for one in rendered("clinic") if _policy(one)}
    solver = policies["certificates"]
    # cert-manager's own label and port.
    label = {"acme.cert-manager.io/http01-solver": "true"}
    assert solver["podSelector"] == {"matchLabels": label}
    (rule,) = solver["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": 8089}]
    (gateway, *_) = policies["api"]["ingress"][0]["from"]
    assert rule["from"] == [gateway]
    assert "egress" not in solver


@needs_kubectl
def test_one_node_can_give_a_trial_all_its_volumes():
    claims = [one for one in rendered("trial") if one["kind"] == "PersistentVolumeClaim"]
    assert {one["metadata"]["name"] for one in claims} == {"models", "adapters"}
    for one in claims:
        assert one["spec"]["accessModes"] == ["ReadWriteOnce"]


@needs_kubectl
@pytest.mark.parametrize("name", ["carrier", "filler", "keeper"])
def test_a_pod_for_work_by_hand_is_as_locked_up_as_the_rest_and_ends_by_itself(name: str):
    pod = made_for_work(name)
    kubernetes_validate.validate(pod, "1.34.0", strict=True)
    (container,) = pod["spec"]["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert pod["spec"]["activeDeadlineSeconds"] <= 14_400


@needs_kubectl
def test_the_carrier_may_write_both_volumes():
    pod = made_for_work("carrier")
    claims = {one["persistentVolumeClaim"]["claimName"] for one in pod["spec"]["volumes"]}
    assert claims == {"models", "adapters"}
    (container,) = pod["spec"]["containers"]
    assert not any(one.get("readOnly") for one in container["volumeMounts"])


@needs_kubectl
def test_the_filler_writes_the_stores_volume_as_the_stores_user():
    (store,) = [one for one in WRITTEN if named(one) == "StatefulSet/redis"]
    (claim,) = store["spec"]["volumeClaimTemplates"]
    pod = made_for_work("filler")
    (volume,) = pod["spec"]["volumes"]
    assert volume["persistentVolumeClaim"] == {
        "claimName": f"{claim['metadata']['name']}-{store['metadata']['name']}-0"
    }
    assert pod["spec"]["securityContext"] == store["spec"]["template"]["spec"]["securityContext"]


@needs_kubectl
def test_the_keeper_has_the_services_settings_and_reaches_the_store_alone():
    pod = made_for_work("keeper")
    (container,) = pod["spec"]["containers"]
    (worker,) = [one for one in WRITTEN if named(one) == "Deployment/worker"]
    theirs = worker["spec"]["template"]["spec"]
    assert container["envFrom"] == theirs["containers"][0]["envFrom"]
    secrets = [one for one in theirs["volumes"] if one["name"] == "secrets"]
    assert [one for one in pod["spec"]["volumes"] if one["name"] == "secrets"] == secrets
    out, back = [one for one in built(KUBERNETES / "keeper") if _policy(one)]
    port = [{"protocol": "TCP", "port": 6379}]
    keeper, redis = ({"matchLabels": {"app": app}} for app in ("keeper", "redis"))
    assert (out["spec"]["podSelector"], back["spec"]["podSelector"]) == (keeper, redis)
    assert out["spec"]["egress"] == [{"to": [{"podSelector": redis}], "ports": port}]
    assert back["spec"]["ingress"] == [{"from": [{"podSelector": keeper}], "ports": port}]


def made_for_work(name: str) -> Manifest:
    """The pod of a folder that is applied by hand, and deleted when the work is done."""
    (pod,) = [one for one in built(KUBERNETES / name) if one["kind"] == "Pod"]
    return pod


def test_an_alertmanager_is_looked_for_where_the_policy_lets_prometheus_go():
    config = yaml.safe_load((KUBERNETES.parent / "prometheus" / "prometheus.yml").read_text())
    ((found,),) = [one["dns_sd_configs"] for one in config["alerting"]["alertmanagers"]]
    (policy,) = [one for one in WRITTEN if named(one) == "NetworkPolicy/prometheus"]
    (rule,) = [
        rule
        for rule in policy["spec"]["egress"]
        if rule["ports"] == [{"protocol": "TCP", "port": found["port"]}]
    ]
    (elsewhere,) = [
        peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        for peer in rule["to"]
        if "namespaceSelector" in peer
    ]
    assert found["names"] == ["alertmanager", f"alertmanager.{elsewhere}"]


def opened(folder: Path) -> list[Manifest]:
    """The clinic with every optional component that its overlay leaves commented out."""
    copied = shutil.copytree(KUBERNETES.parent, folder / "deploy", ignore=_secrets)
    overlay = copied / "kubernetes" / "overlays" / "clinic"
    file = overlay / "kustomization.yaml"
    commented = r"^  # - (\.\./\.\./components/)"
    text, times = re.subn(commented, r"  - \1", file.read_text(), flags=re.M)
    assert times == len(OPTIONAL)
    file.write_text(text)
    return built(overlay)


def _secrets(folder: str, names: list[str]) -> list[str]:
    return names if Path(folder).name == "secrets" else []

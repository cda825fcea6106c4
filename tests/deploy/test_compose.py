"""The compose file is valid, its containers locked up, its secrets made by one script."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from service.main import master_keys
from service.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]


def has_compose() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    asked = subprocess.run([docker, "compose", "version"], capture_output=True, check=False)
    return asked.returncode == 0


def test_the_file_obeys_the_compose_specification():
    check_jsonschema = pytest.importorskip("check_jsonschema")
    jsonschema = pytest.importorskip("jsonschema")
    vendor = Path(check_jsonschema.__file__).parent / "builtin_schemas" / "vendor"
    schema = json.loads((vendor / "compose-spec.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(COMPOSE)


@pytest.mark.skipif(not has_compose(), reason="needs docker with its compose plugin")
@pytest.mark.parametrize("profile", ["cpu", "gpu"])
def test_docker_accepts_each_profile(profile: str):
    command = ["docker", "compose", "-f", DEPLOY / "compose.yaml", "--profile", profile, "config"]
    told = subprocess.run([*command, "--quiet"], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_read_only_has_no_capabilities_and_restarts(name: str):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_pinned_to_a_version(name: str):
    tag = SERVICES[name]["image"].partition(":")[2]
    assert re.search(r"\d+\.\d+", tag)


def known_settings() -> set[str]:
    return {f"SECONDCHAIR_{name.upper()}" for name in Settings.model_fields}


def test_every_setting_that_compose_gives_is_one_the_service_knows():
    assert set(SERVICES["api"]["environment"]) <= known_settings()


def test_every_setting_that_kubernetes_gives_is_one_the_service_knows():
    base = yaml.safe_load((DEPLOY / "kubernetes" / "base" / "settings.yaml").read_text())
    clinic = yaml.safe_load(
        (DEPLOY / "kubernetes" / "overlays" / "clinic" / "kustomization.yaml").read_text()
    )
    added = [
        change["path"].rsplit("/", 1)[-1]
        for patch in clinic["patches"]
        for change in yaml.safe_load(patch["patch"])
    ]
    assert {*base["data"], *added} <= known_settings()


@pytest.mark.usefixtures("openssl")
def test_the_shipped_settings_and_secrets_are_enough_for_production(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shutil.copy(DEPLOY / "secrets" / "make.sh", tmp_path)
    subprocess.run(["sh", tmp_path / "make.sh"], check=True, capture_output=True)
    for name, value in SERVICES["worker"]["environment"].items():
        given = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)
        monkeypatch.setenv(name, given.replace("/run/secrets", str(tmp_path)))
    settings = Settings()
    assert settings.environment == "production"
    assert settings.store.startswith("redis://secondchair:")
    assert len(master_keys(settings).keys) == 1


def test_engine_and_store_have_no_way_out():
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in ("redis", "engine-gpu", "engine-cpu"):
        assert list(SERVICES[name]["networks"]) == ["inside"]
        assert "ports" not in SERVICES[name]


def test_nothing_listens_beyond_this_machine_unless_asked():
    for service in SERVICES.values():
        for port in service.get("ports", ()):
            assert port.startswith(("127.0.0.1:", "${SECONDCHAIR_BIND:-127.0.0.1}:"))


def test_one_engine_runs_per_profile_under_the_same_address():
    for profile in ("cpu", "gpu"):
        engine = SERVICES[f"engine-{profile}"]
        assert engine["profiles"] == [profile]
        assert "engine" in engine["networks"]["inside"]["aliases"]


def test_prometheus_finds_every_job_by_a_network_alias():
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    aliases = {
        alias
        for service in SERVICES.values()
        if isinstance(service["networks"], dict)
        for network in service["networks"].values()
        for alias in (network or {}).get("aliases", ())
    }
    for job in config["scrape_configs"]:
        for found in job.get("dns_sd_configs", ()):
            assert set(found["names"]) <= aliases


@pytest.mark.usefixtures("openssl")
def test_one_script_makes_every_secret_once(tmp_path: Path):
    shutil.copy(DEPLOY / "secrets" / "make.sh", tmp_path)
    make = ["sh", tmp_path / "make.sh"]
    subprocess.run(make, check=True, capture_output=True)
    made = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.name != "make.sh"}
    assert set(made) == set(COMPOSE["secrets"])
    subprocess.run(make, check=True, capture_output=True)
    again = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.name != "make.sh"}
    assert again == made

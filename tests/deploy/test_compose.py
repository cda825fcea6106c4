"""The compose file is valid, its containers locked up, its secrets made by one script."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import check_jsonschema
import httpx
import jsonschema
import pytest
import yaml
from pydantic import ValidationError

from service.ids import SystemClock
from service.main import issuer, master_keys, pager, policy, shelf
from service.pager import LogPager
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
    vendor = Path(check_jsonschema.__file__).parent / "builtin_schemas" / "vendor"
    schema = json.loads((vendor / "compose-spec.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(COMPOSE)


# Not `require`: where CI runs it cannot be installed.
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


BY_FILE = {
    "STORE",
    "MASTER_KEY",
    "ENGINE_KEY",
    "PAGER_SECRET",
    "PAGER_SMTP_PASSWORD",
    "METRICS_TOKEN",
}
"""Given by their ``_FILE``: an environment is readable to more people than a file is."""
FIXED = {"BASE_FOLDER", "METRICS_PORT"}
"""The container has no base of its own, and Prometheus asks one port."""


def test_every_setting_reaches_the_containers_and_no_other_name_does():
    meant = known_settings() - {f"SECONDCHAIR_{name}" for name in BY_FILE | FIXED}
    # Read by the exporter of traces itself, under a name that is not ours.
    meant |= {"OTEL_EXPORTER_OTLP_HEADERS"}
    # Read by uvicorn.
    meant |= {"FORWARDED_ALLOW_IPS"}
    for name in ("api", "worker"):
        assert set(SERVICES[name]["environment"]) == meant


def test_an_engine_may_run_what_it_compiles_at_its_start():
    for name in ("engine-cpu", "engine-gpu"):
        assert all("exec" in mount.split(":")[1].split(",") for mount in SERVICES[name]["tmpfs"])


def test_a_setting_that_nobody_set_is_left_to_its_default_and_never_given_empty():
    # A number that is given as an empty text would keep the service from starting.
    for name, value in SERVICES["api"]["environment"].items():
        assert value is None or re.sub(r"\$\{\w+:-\}", "", value), name


@pytest.mark.parametrize(
    "name", ["OIDC_ISSUER", "OIDC_AUDIENCE", "OIDC_JWKS_URL", "PAGER_WEBHOOK_URL", "PAGER_SMTP",
             "AUTHORITIES_FILE", "PROXY", "CRISIS_NOTICE_EN", "CRISIS_NOTICE_ZH", "TRACES_URL",
             "ENGINE_BASE_SHA256"],
)  # fmt: skip
def test_an_optional_setting_that_is_given_empty_counts_as_not_given(
    name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(f"SECONDCHAIR_{name}", "")
    settings = Settings(adapters_folder=Path("nowhere"), base_folder=Path("nowhere"))
    assert not settings.traces_url
    assert settings.authorities_file is None
    assert settings.secret("proxy") is None
    assert policy(settings).crisis_notice == {}
    assert shelf(settings).fit.base_sha256 == "unknown"
    assert isinstance(pager(settings, httpx.AsyncClient()), LogPager)
    assert issuer(settings, httpx.AsyncClient(), SystemClock()) is None


def test_every_setting_that_kubernetes_gives_is_one_the_service_knows():
    base = yaml.safe_load((DEPLOY / "kubernetes" / "base" / "settings.yaml").read_text())
    clinic = yaml.safe_load(
        (DEPLOY / "kubernetes" / "overlays" / "clinic" / "kustomization.yaml").read_text()
    )
    added = [
        change["path"].rsplit("/", 1)[-1]
        for patch in clinic["patches"]
        if patch["target"]["kind"] == "ConfigMap"
        for change in yaml.safe_load(patch["patch"])
    ]
    # uvicorn's own. No pod's address is known beforehand; the network policy says who comes in.
    assert {*base["data"], *added} - known_settings() == {"FORWARDED_ALLOW_IPS"}
    assert base["data"]["FORWARDED_ALLOW_IPS"] == "*"
    assert "SECONDCHAIR_ENGINE_BASE_SHA256" in added


@pytest.mark.usefixtures("openssl")
def test_the_shipped_settings_and_secrets_are_enough_for_production(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shutil.copy(DEPLOY / "secrets" / "make.sh", tmp_path)
    subprocess.run(["sh", tmp_path / "make.sh"], check=True, capture_output=True)
    for name, value in SERVICES["worker"]["environment"].items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
            continue
        given = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)
        monkeypatch.setenv(name, given.replace("/run/secrets", str(tmp_path)))
    with pytest.raises(ValidationError, match="somebody to page"):
        Settings()
    # All that the page on operations adds which production cannot do without.
    monkeypatch.setenv("SECONDCHAIR_PAGER_WEBHOOK_URL", "https://pager.example.com/in")
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
    # The operator's password is a person's, so no container reads it.
    assert set(made) == {*COMPOSE["secrets"], "redis_operator"}
    subprocess.run(make, check=True, capture_output=True)
    again = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.name != "make.sh"}
    assert again == made


@pytest.mark.usefixtures("openssl")
def test_secrets_made_for_kubernetes_are_readable_by_their_maker_alone(tmp_path: Path):
    shutil.copy(DEPLOY / "secrets" / "make.sh", tmp_path)
    subprocess.run(["sh", tmp_path / "make.sh", "mine"], check=True, capture_output=True)
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    for file in tmp_path.iterdir():
        if file.name != "make.sh":
            assert file.stat().st_mode & 0o777 == 0o400, file.name
            assert file.stat().st_uid == os.getuid(), file.name


@pytest.mark.usefixtures("openssl")
def test_secrets_made_again_by_who_kept_them_are_as_narrow_as_before():
    nobody = 65534 if os.getuid() == 0 else None
    with TemporaryDirectory() as made:
        folder = Path(made)
        os.chown(folder, -1 if nobody is None else nobody, -1)
        shutil.copy(DEPLOY / "secrets" / "make.sh", folder)
        make = ["sh", folder / "make.sh"]
        subprocess.run([*make, "mine"], check=True, capture_output=True, user=nobody)
        for name in ("store_url", "redis_acl"):
            (folder / name).unlink()
        subprocess.run(make, check=True, capture_output=True, user=nobody)
        assert folder.stat().st_mode & 0o777 == 0o700
        secrets = [file for file in folder.iterdir() if file.name != "make.sh"]
        assert {file.stat().st_mode & 0o777 for file in secrets} == {0o400}


def test_an_older_installation_gets_an_operator_and_keeps_its_password(
    tmp_path: Path, openssl: str
):
    shutil.copy(DEPLOY / "secrets" / "make.sh", tmp_path)
    make = ["sh", tmp_path / "make.sh", "mine"]
    subprocess.run(make, check=True, capture_output=True)
    acl, url = tmp_path / "redis_acl", (tmp_path / "store_url").read_text()
    older = acl.read_text().splitlines(keepends=True)[:2]
    acl.chmod(0o600)
    acl.write_text("".join(older))
    (tmp_path / "redis_operator").unlink()
    subprocess.run(make, check=True, capture_output=True)
    assert (tmp_path / "store_url").read_text() == url
    lines = acl.read_text().splitlines(keepends=True)
    assert lines[:2] == older
    assert [line.split()[1] for line in lines] == ["default", "secondchair", "operator"]

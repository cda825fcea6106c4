"""What docs/operations.md tells people to type does what it says."""

import asyncio
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from models.adapters import SHELF, Fit, preflight, shelved
from models.base_model import weights_sha256
from service.auth import Authenticator
from service.cli import cli
from service.ids import SystemClock
from service.main import master_keys, shelf
from service.session.refusals import Refused
from service.settings import Settings
from service.stores.sqlite import SqliteStore

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
KUBERNETES = ROOT / "deploy" / "kubernetes"
DAY_MS = 86_400_000


def test_the_command_that_names_a_base_agrees_with_the_service(tmp_path: Path):
    base = tmp_path / "var" / "models" / "base"
    base.mkdir(parents=True)
    for number in ("00002", "00001"):
        (base / f"model-{number}-of-00002.safetensors").write_bytes(number.encode())
    (command,) = re.findall(r"^ +(cat var/models/base/\S+ \| .*)$", OPERATIONS, flags=re.M)
    told = subprocess.run(
        ["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == weights_sha256(base)


def test_an_adapter_is_refused_until_the_base_is_named_and_taken_then(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("SECONDCHAIR_BASE_FOLDER", "nowhere")
    monkeypatch.setenv("SECONDCHAIR_ENGINE_MODEL", "base")
    one = shelved(ROOT / SHELF)[0]
    refused = preflight(ROOT / SHELF, one.name, shelf(Settings()).fit)
    assert [found.fault for found in refused] == ["wrong_base"]
    monkeypatch.setenv("SECONDCHAIR_ENGINE_BASE_SHA256", one.base_sha256)
    assert preflight(ROOT / SHELF, one.name, shelf(Settings()).fit) == ()


KUBECTL = """#!/bin/sh
# Does in a folder what kubectl does in the carrier: `cp` puts a folder into one that is there.
shift 2
if [ "$1" = cp ]; then
  [ "$2" != "$BREAKS_AT" ] || { mkdir -p "$ROOT${3#carrier:}"; exit 1; }
  exec cp -r "$2" "$ROOT${3#carrier:}"
fi
shift 3
for word in "$@"; do
  shift
  case $word in /*) word=$ROOT$word ;; esac
  set -- "$@" "$word"
done
exec "$@"
"""


def test_models_and_adapters_are_carried_whole_however_often_and_wherever_it_broke_off(
    tmp_path: Path,
):
    (commands,) = re.findall(r"^carry\(\) \{.*?; done$", OPERATIONS, re.M | re.S)
    here, there = tmp_path / "here", tmp_path / "there"
    (tmp_path / "kubectl").write_text(KUBECTL)
    (tmp_path / "kubectl").chmod(0o755)
    for volume in ("models", "adapters"):
        (there / volume).mkdir(parents=True)

    def written(name: str) -> str:
        (here / name).mkdir(parents=True)
        (here / name / "weights").write_text(name)
        return name

    def carried(breaks_at: str = "") -> set[str]:
        env = {"PATH": f"{tmp_path}:/usr/bin:/bin", "ROOT": str(there), "BREAKS_AT": breaks_at}
        subprocess.run(["sh", "-c", commands], cwd=here, env=env, capture_output=True, check=False)
        return {str(one.relative_to(there)) for one in there.rglob("weights")}

    written("var/models/base")
    first, second = (written(f"models/adapters/planner-{one * 12}") for one in "ab")
    base = "models/base/weights"
    names = [f"adapters/{Path(one).name}/weights" for one in (first, second)]
    assert carried(breaks_at="var/models/base") == set(names)
    assert carried(breaks_at=second) == {base, *names}
    third = written("models/adapters/planner-cccccccccccc")
    assert carried(breaks_at=third) == {base, *names}
    for _ in range(2):
        assert carried() == {base, *names, f"adapters/{Path(third).name}/weights"}
    assert not list(there.glob("*/.carried"))
    assert (there / "adapters" / Path(third).name / "weights").read_text() == third


def test_a_trial_names_the_base_that_the_shipped_adapters_were_trained_on():
    trial = yaml.safe_load((KUBERNETES / "overlays" / "trial" / "kustomization.yaml").read_text())
    (digest,) = [
        change["value"]
        for patch in trial["patches"]
        if patch["target"]["kind"] == "ConfigMap"
        for change in yaml.safe_load(patch["patch"])
        if change["path"].endswith("/SECONDCHAIR_ENGINE_BASE_SHA256")
    ]
    for one in shelved(ROOT / SHELF):
        assert preflight(ROOT / SHELF, one.name, Fit(digest)) == ()


def test_the_secret_holds_every_file_that_a_pod_reads_and_nothing_else():
    packed = re.findall(r"--from-file=(\S+)=deploy/secrets/(\S+)", OPERATIONS)
    assert all(key == file for key, file in packed)
    read = {
        item["key"]
        for file in KUBERNETES.glob("*/**/*.yaml")
        if file.name != "kustomization.yaml"
        for one in yaml.safe_load_all(file.read_text())
        if one["kind"] in {"Deployment", "StatefulSet"}
        for volume in one["spec"]["template"]["spec"]["volumes"]
        for item in volume.get("secret", {}).get("items", ())
    }
    assert {key for key, _ in packed} == read


def test_every_folder_of_manifests_that_is_named_is_there():
    for named in re.findall(r"deploy/kubernetes/\S+?(?=[\s`])", OPERATIONS):
        assert (ROOT / named / "kustomization.yaml").is_file(), named


def test_a_key_with_days_opens_until_they_are_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SECONDCHAIR_STORE", f"sqlite:///{tmp_path}/log.db")
    monkeypatch.setenv("SECONDCHAIR_MASTER_KEY", "c2Vjb25kY2hhaXItdGVzdC1tYXN0ZXIta2V5LTMyYnk=")

    def issued(*more: str) -> str:
        told = CliRunner().invoke(cli, ["keys", "issue", "app", "client_app", "north", *more])
        assert told.exit_code == 0, told.output
        return told.output.strip().splitlines()[-1]

    lasting, ending = issued(), issued("--days", "30")
    # What `keys revoke` takes is told by its length: docs/operations.md, Keys.
    assert len(ending.split("_")[1]) == 12
    assert _opens(tmp_path, ending, 29)
    assert not _opens(tmp_path, ending, 31)
    assert _opens(tmp_path, lasting, 3_650)
    wrong = CliRunner().invoke(cli, ["keys", "issue", "a", "ops", "north", "--days", "0"])
    assert wrong.exit_code == 2


class _Later:
    """A clock that is some days ahead."""

    def __init__(self, days: int) -> None:
        self._ahead_ms = days * DAY_MS

    def now_ms(self) -> int:
        return SystemClock().now_ms() + self._ahead_ms


def _opens(folder: Path, key: str, days: int) -> bool:
    async def ask() -> bool:
        store, keys = SqliteStore(folder / "log.db"), master_keys(Settings())
        try:
            await Authenticator(store, _Later(days), keys).caller(f"Bearer {key}")
        except Refused:
            return False
        finally:
            await store.close()
        return True

    return asyncio.run(ask())


def test_the_log_events_that_people_are_told_to_look_for_exist():
    written = (ROOT / "service" / "telemetry" / "log.py").read_text()
    runbook = (ROOT / "deploy" / "runbook.md").read_text()
    named = re.findall(r"`([a-z]+_(?:started|stopped|served|done|failed|changed|unavailable|moved"
                       r"|sent|read|erased))`", runbook + OPERATIONS)  # fmt: skip
    assert named
    for event in named:
        assert json.dumps(event) in written, event

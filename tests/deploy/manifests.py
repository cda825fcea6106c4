"""The manifests, as they are written and as kustomize puts them together."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

KUBERNETES = Path(__file__).parents[2] / "deploy" / "kubernetes"
# Not `require`: where CI runs it cannot be installed.
needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl")
Manifest = dict


def written() -> list[Manifest]:
    kept = ("base", "components/*", "carrier", "filler", "keeper")
    folders = [f"{folder}/*.yaml" for folder in kept]
    files = [file for folder in folders for file in KUBERNETES.glob(folder)]
    return [
        one
        for file in sorted(files)
        if file.name != "kustomization.yaml"
        for one in yaml.safe_load_all(file.read_text())
    ]


def named(one: Manifest) -> str:
    return f"{one['kind']}/{one['metadata']['name']}"


WRITTEN = written()
PODS = [one for one in WRITTEN if one["kind"] in {"Deployment", "StatefulSet"}]


def containers(one: Manifest) -> list[Manifest]:
    return one["spec"]["template"]["spec"]["containers"]


def rendered(overlay: str) -> list[Manifest]:
    return built(KUBERNETES / "overlays" / overlay)


def built(folder: Path) -> list[Manifest]:
    made = subprocess.run(
        ["kubectl", "kustomize", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return list(yaml.safe_load_all(made.stdout))

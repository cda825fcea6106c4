"""A folder with somebody's own model is recorded, never replaced."""

import json
from pathlib import Path

import pytest

from models import base_model


@pytest.fixture(autouse=True)
def unpacked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes twenty seconds and torch stands for a few bytes here."""
    monkeypatch.setattr(base_model, "_shipped_gguf", Path)
    monkeypatch.setattr(
        base_model,
        "_convert",
        lambda gguf, folder: (folder / "model.safetensors").write_bytes(b"small"),
    )


def test_the_small_base_is_unpacked_once_and_recorded(tmp_path: Path) -> None:
    folder = tmp_path / "base" / "smollm2"
    digest = base_model.prepare(folder)
    assert digest == base_model.weights_sha256(folder)
    (folder / "model.safetensors").write_bytes(b"changed since")
    assert base_model.prepare(folder) == digest
    assert [path.name for path in folder.parent.iterdir()] == ["smollm2"]


def test_a_model_that_somebody_put_there_is_kept_and_recorded(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model-00001-of-00002.safetensors").write_bytes(b"sixteen gigabytes")
    digest = base_model.prepare(tmp_path)
    assert digest == base_model.weights_sha256(tmp_path)
    assert (tmp_path / "model-00001-of-00002.safetensors").read_bytes() == b"sixteen gigabytes"
    assert json.loads((tmp_path / base_model.RECORD).read_text())["weights_sha256"] == digest


def test_a_folder_with_anything_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("words")
    with pytest.raises(SystemExit, match="holds no model"):
        base_model.prepare(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]

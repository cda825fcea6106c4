"""An adapter is its content, and an unfit one is known before an engine ever sees it."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.adapters import (
    CONFIG,
    WEIGHTS,
    AdapterFault,
    Fit,
    Manifest,
    adapter_name,
    newest,
    preflight,
    publish,
    shelved,
)
from planner.vocabulary import Role

BASE = "b" * 64
FIT = Fit(BASE, rank_max=16)
PEFT: dict[str, Any] = {"peft_type": "LORA", "r": 4, "bias": "none", "target_modules": ["q_proj"]}
LAYER = "base_model.model.model.layers.0.self_attn.q_proj.lora_"


def weights(rank: int = 4, key: str = LAYER) -> bytes:
    """Two tiny float16 tensors in the safetensors layout."""
    shapes = {f"{key}A.weight": (rank, 6), f"{key}B.weight": (6, rank)}
    header, end = dict[str, object](), 0
    for name, (rows, columns) in shapes.items():
        size = rows * columns * 2
        header[name] = {"dtype": "F16", "shape": [rows, columns], "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(end)


def shelf_with(
    tmp_path: Path, config: dict[str, Any] | None = None, content: bytes | None = None
) -> tuple[Path, str]:
    work = tmp_path / "work"
    work.mkdir()
    (work / CONFIG).write_text(json.dumps(PEFT | (config or {})))
    (work / WEIGHTS).write_bytes(weights() if content is None else content)
    manifest = Manifest(name="", role=Role.UTTERANCE, base="tiny", base_sha256=BASE)
    return tmp_path / "shelf", publish(work, tmp_path / "shelf", manifest).name


def faults(shelf: Path, name: str, fit: Fit = FIT) -> set[AdapterFault]:
    return {found.fault for found in preflight(shelf, name, fit)}


def test_a_published_adapter_passes_and_stands_on_the_shelf(tmp_path: Path) -> None:
    shelf, name = shelf_with(tmp_path)
    assert preflight(shelf, name, FIT) == ()
    assert [manifest.name for manifest in shelved(shelf)] == [name]


def test_other_content_is_another_name(tmp_path: Path) -> None:
    (tmp_path / CONFIG).write_text("ab")
    (tmp_path / WEIGHTS).write_text("c")
    first = adapter_name(Role.PLANNER, tmp_path)
    (tmp_path / CONFIG).write_text("a")
    (tmp_path / WEIGHTS).write_text("bc")
    assert adapter_name(Role.PLANNER, tmp_path) != first
    assert first.startswith("planner-")


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        ({"use_dora": True}, AdapterFault.DORA),
        ({"modules_to_save": ["lm_head"]}, AdapterFault.MODULES_TO_SAVE),
        ({"peft_type": "IA3"}, AdapterFault.NOT_LORA),
        ({"bias": "all"}, AdapterFault.NOT_LORA),
        ({"r": 0}, AdapterFault.CONFIG_UNREADABLE),
        ({"r": 8}, AdapterFault.RANK_MISMATCH),
        ({"r": 32}, AdapterFault.RANK_TOO_HIGH),
        ({"rank_pattern": {"q_proj": 64}}, AdapterFault.RANK_TOO_HIGH),
    ],
    ids=lambda value: value.value if isinstance(value, AdapterFault) else "",
)
def test_a_config_the_engine_cannot_serve_is_refused(
    config: dict[str, Any], fault: AdapterFault, tmp_path: Path
) -> None:
    assert fault in faults(*shelf_with(tmp_path, config))


@pytest.mark.parametrize(
    "content",
    [b"", weights()[:-1], weights() + b"\0", b"\xff" * 64, struct.pack("<Q", 2) + b"[]"],
    ids=["empty", "cut", "longer", "noise", "no_tensors"],
)
def test_corrupt_weights_are_refused(content: bytes, tmp_path: Path) -> None:
    assert faults(*shelf_with(tmp_path, content=content)) == {AdapterFault.WEIGHTS_CORRUPT}


def test_weights_of_something_else_are_no_lora(tmp_path: Path) -> None:
    shelf, name = shelf_with(tmp_path, content=weights(key="lm_head."))
    assert faults(shelf, name) == {AdapterFault.NOT_LORA}


def test_an_adapter_for_another_base_is_refused(tmp_path: Path) -> None:
    shelf, name = shelf_with(tmp_path)
    assert faults(shelf, name, Fit("c" * 64)) == {AdapterFault.WRONG_BASE}


def test_content_changed_behind_its_name_is_refused(tmp_path: Path) -> None:
    shelf, name = shelf_with(tmp_path)
    (shelf / name / WEIGHTS).write_bytes(weights()[:-1] + b"\1")
    assert faults(shelf, name) == {AdapterFault.CONTENT_CHANGED}


def test_an_adapter_under_another_role_s_name_is_refused(tmp_path: Path) -> None:
    shelf, name = shelf_with(tmp_path)
    other = name.replace("utterance", "planner")
    (shelf / name).rename(shelf / other)
    assert faults(shelf, other) == {AdapterFault.WRONG_ROLE}


def test_an_adapter_without_its_manifest_is_refused(tmp_path: Path) -> None:
    shelf, name = shelf_with(tmp_path)
    (shelf / name / "manifest.json").unlink()
    assert faults(shelf, name) == {AdapterFault.MANIFEST_UNREADABLE}
    assert shelved(shelf) == ()


@pytest.mark.parametrize("name", ["../etc", "utterance-XYZ", "", "utterance-0123456789ab/.."])
def test_a_name_is_never_a_path(name: str, tmp_path: Path) -> None:
    assert faults(tmp_path, name) == {AdapterFault.NAME_MALFORMED}


def test_a_name_that_is_not_on_the_shelf_is_missing(tmp_path: Path) -> None:
    assert faults(tmp_path, "utterance-0123456789ab") == {AdapterFault.MISSING}


@settings(max_examples=20, deadline=None)
@given(at=st.integers(0, len(weights()) - 1), to=st.integers(0, 255))
def test_no_flipped_byte_gets_past_the_name(
    at: int, to: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shelf, name = shelf_with(tmp_path_factory.mktemp("flip"))
    good = (shelf / name / WEIGHTS).read_bytes()
    (shelf / name / WEIGHTS).write_bytes(good[:at] + bytes([to]) + good[at + 1 :])
    assert bool(faults(shelf, name)) == (to != good[at])


def test_the_newest_is_the_one_published_last_whatever_the_files_say(tmp_path: Path) -> None:
    shelf, _ = shelf_with(tmp_path)
    (first,) = shelved(shelf)
    assert first.published_at_ms > 0
    publish(
        tmp_path / "work", shelf, Manifest(name="", role=Role.UTTERANCE, base="", base_sha256="")
    )
    assert shelved(shelf)[0].published_at_ms == first.published_at_ms
    old = first.model_copy(update={"name": "utterance-ffffffffffff", "published_at_ms": 0})
    assert newest((first, old)) is first
    assert newest(()) is None


def test_weights_that_the_disk_does_not_give_are_a_reason_not_an_error(tmp_path: Path) -> None:
    shelf, name = shelf_with(tmp_path)
    (shelf / name / WEIGHTS).unlink()
    (shelf / name / WEIGHTS).symlink_to("/proc/self/mem")  # A regular file whose first read fails.
    assert faults(shelf, name) == {AdapterFault.UNREADABLE}


def test_a_shelf_that_is_no_folder_is_empty(tmp_path: Path) -> None:
    (tmp_path / "shelf").write_text("")
    assert shelved(tmp_path / "shelf") == ()

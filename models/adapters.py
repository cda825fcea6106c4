"""What an adapter is: a folder named by role and content, and what it must be to be served.

The name is ``<role>-<first 12 hex digits of a sha256 over config and weights>``. New content has a
new name, always: an engine reuses the prefix cache of an old adapter under the same name.
No torch here: the service checks adapters, it does not run them.
"""

import hashlib
import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from planner.vocabulary import Role

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
_MANIFEST = "manifest.json"
SHELF = Path("models/adapters")
"""Where the committed demo adapters stand, one folder each."""

_NAME = re.compile(r"(utterance|planner)-[0-9a-f]{12}")
_LORA_KEY = re.compile(r"\.lora_(A|B)(\.\w+)?\.weight$")
_LONGEST_HEADER = 8 << 20


class AdapterFault(StrEnum):
    """Why an adapter may not be served; each stands alone as a reason."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    NAME_MALFORMED = "name_malformed"
    CONTENT_CHANGED = "content_changed"
    CONFIG_UNREADABLE = "config_unreadable"
    MANIFEST_UNREADABLE = "manifest_unreadable"
    WEIGHTS_CORRUPT = "weights_corrupt"
    WRONG_ROLE = "wrong_role"
    WRONG_BASE = "wrong_base"
    NOT_LORA = "not_lora"
    DORA = "dora"
    MODULES_TO_SAVE = "modules_to_save"
    RANK_TOO_HIGH = "rank_too_high"
    RANK_MISMATCH = "rank_mismatch"


class Manifest(BaseModel):
    """What is recorded beside an adapter's weights when it is published."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")

    name: str
    """The folder's name."""
    role: Role
    base: str
    """The base model's name, for people."""
    base_sha256: str
    """Of the base's weights: what the adapter was trained on."""
    templates: tuple[str, ...] = ()
    """The prompt templates it was trained with, 12 hex digits each."""
    fingerprint: str | None = None
    """What it answered to the fingerprint prompt when published, as a sha256; None if not asked."""
    published_at_ms: int = 0
    """When its content first came to a shelf; 0, the oldest, where that was not yet recorded."""
    notes: Mapping[str, str | int | float] = {}
    """Training facts: data hash, code version, seed, metrics."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What the running engine can take."""

    base_sha256: str
    rank_max: int = 16


@dataclass(frozen=True, slots=True)
class Found:
    """One reason against an adapter."""

    fault: AdapterFault
    detail: str = ""


def adapter_name(role: Role, folder: Path) -> str:
    """Name the adapter in ``folder`` by its content.

    Raises: OSError if config or weights cannot be read.
    """
    digest = hashlib.sha256()
    for part in (CONFIG, WEIGHTS):
        content = (folder / part).read_bytes()
        # Lengths keep a byte moved from one file to the other from giving the same name.
        digest.update(len(content).to_bytes(8, "big") + content)
    return f"{role}-{digest.hexdigest()[:12]}"


def publish(folder: Path, shelf: Path, manifest: Manifest) -> Path:
    """Put a trained adapter on the shelf under its content's name and return where it stands.

    ``manifest.name`` is set here, and the time. Publishing the same content again changes nothing
    but the notes.
    """
    name = adapter_name(manifest.role, folder)
    target = shelf / name
    before = read_manifest(target)
    at_ms = before.published_at_ms if before else time.time_ns() // 1_000_000
    named = manifest.model_copy(update={"name": name, "published_at_ms": at_ms})
    target.mkdir(parents=True, exist_ok=True)
    for part in (CONFIG, WEIGHTS):
        (target / part).write_bytes((folder / part).read_bytes())
    (target / _MANIFEST).write_text(named.model_dump_json(indent=1) + "\n")
    return target


def shelved(shelf: Path) -> tuple[Manifest, ...]:
    """List the adapters on a shelf that can be read, by name."""
    try:
        folders = sorted(shelf.iterdir())
    except OSError:
        return ()
    read = (read_manifest(each) for each in folders if _NAME.fullmatch(each.name))
    return tuple(manifest for manifest in read if manifest is not None)


def newest(found: Iterable[Manifest]) -> Manifest | None:
    """Give the one that was published last; names decide between equals, so that all agree.

    Files' own times say nothing: a checkout or a copy sets them anew.
    """
    return max(found, key=lambda one: (one.published_at_ms, one.name), default=None)


def read_manifest(folder: Path) -> Manifest | None:
    """Read what was recorded at publishing; None if it is missing or says something else."""
    try:
        return Manifest.model_validate_json((folder / _MANIFEST).read_bytes())
    except (OSError, ValidationError):
        return None


def preflight(shelf: Path, name: str, fit: Fit) -> tuple[Found, ...]:
    """Give every reason not to serve the adapter ``name``; none means that it may be loaded.

    Only names of the house's own form reach the disk, so a name is never a path.
    """
    if not _NAME.fullmatch(name):
        return (Found(AdapterFault.NAME_MALFORMED),)
    folder = shelf / name
    try:
        if not (folder / CONFIG).is_file() or not (folder / WEIGHTS).is_file():
            return (Found(AdapterFault.MISSING),)
        return _faults(folder, fit)
    except OSError as error:
        return (Found(AdapterFault.UNREADABLE, type(error).__name__),)


def _faults(folder: Path, fit: Fit) -> tuple[Found, ...]:
    return (*_about_manifest(folder, fit), *_about_config(folder, fit), *_about_weights(folder))


class _PeftConfig(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="ignore")

    peft_type: str
    r: int = Field(ge=1)
    rank_pattern: dict[str, int] = {}
    use_dora: bool = False
    modules_to_save: list[str] | None = None
    bias: Literal["none", "all", "lora_only"] = "none"

    def rank(self) -> int:
        return max((self.r, *self.rank_pattern.values()))


class _Tensor(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True)

    dtype: Literal["F32", "F16", "BF16"]
    shape: tuple[int, int]
    data_offsets: tuple[int, int]


def _about_manifest(folder: Path, fit: Fit) -> Iterator[Found]:
    manifest = read_manifest(folder)
    if manifest is None:
        yield Found(AdapterFault.MANIFEST_UNREADABLE)
        return
    if not folder.name.startswith(f"{manifest.role}-"):
        yield Found(AdapterFault.WRONG_ROLE, manifest.role)
    elif folder.name != adapter_name(manifest.role, folder) or manifest.name != folder.name:
        yield Found(AdapterFault.CONTENT_CHANGED)
    if manifest.base_sha256 != fit.base_sha256:
        yield Found(AdapterFault.WRONG_BASE, manifest.base_sha256[:12])


def _about_config(folder: Path, fit: Fit) -> Iterator[Found]:
    config = _config(folder)
    if config is None:
        yield Found(AdapterFault.CONFIG_UNREADABLE)
        return
    if config.peft_type != "LORA" or config.bias != "none":
        yield Found(AdapterFault.NOT_LORA)
    if config.use_dora:
        yield Found(AdapterFault.DORA)
    if config.modules_to_save:
        yield Found(AdapterFault.MODULES_TO_SAVE)
    if config.rank() > fit.rank_max:
        yield Found(AdapterFault.RANK_TOO_HIGH, f"{config.rank()} > {fit.rank_max}")


def _about_weights(folder: Path) -> Iterator[Found]:
    tensors = _tensors(folder / WEIGHTS)
    config = _config(folder)
    if not tensors:
        yield Found(AdapterFault.WEIGHTS_CORRUPT)
        return
    for key, tensor in tensors.items():
        part = _LORA_KEY.search(key)
        if part is None:
            yield Found(AdapterFault.NOT_LORA, key)
            return
        rank = tensor.shape[0] if part[1] == "A" else tensor.shape[1]
        if config is not None and not config.rank_pattern and rank != config.r:
            yield Found(AdapterFault.RANK_MISMATCH, key)
            return


def _config(folder: Path) -> _PeftConfig | None:
    try:
        return _PeftConfig.model_validate_json((folder / CONFIG).read_bytes())
    except (OSError, ValidationError):
        return None


def _tensors(weights: Path) -> dict[str, _Tensor] | None:
    """Read a safetensors header and check that the file holds exactly what it announces.

    Layout: 8 bytes little-endian header length, a JSON header, then the tensors' bytes.
    """
    content = weights.read_bytes()
    length = int.from_bytes(content[:8], "little")
    if not 2 <= length <= min(_LONGEST_HEADER, len(content) - 8):
        return None
    try:
        header: Mapping[str, object] = json.loads(content[8 : 8 + length])
        tensors = {
            key: _Tensor.model_validate(value)
            for key, value in header.items()
            if key != "__metadata__"
        }
    except (ValueError, AttributeError, RecursionError):
        return None
    return tensors if _fills(tensors.values(), len(content) - 8 - length) else None


def _fills(tensors: Iterable[_Tensor], room: int) -> bool:
    """Tell whether the tensors lie end to end and use up the room, each as large as it says."""
    end = 0
    for tensor in sorted(tensors, key=lambda each: each.data_offsets):
        rows, columns = tensor.shape
        size = rows * columns * (4 if tensor.dtype == "F32" else 2)
        if tensor.data_offsets != (end, end + size):
            return False
        end += size
    return end == room

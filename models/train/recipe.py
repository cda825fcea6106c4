"""A training recipe: read from its YAML file, and noted beside the adapter that it made."""

import importlib.metadata
import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Literal

import yaml
from safetensors.torch import load_file, save_file

from models.adapters import CONFIG, WEIGHTS, Manifest, publish
from models.base_model import weights_sha256
from models.train import pairs
from planner.prompt import render
from planner.vocabulary import Role

TARGETS = Path(__file__).parent / "targets"


@dataclass(frozen=True, slots=True)
class Pass:
    """One schedule, from its rate down to nothing, over the sessions."""

    rate: float
    epochs: float = 1.0
    only: str = ""
    """One of the session files; empty for all."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides what an adapter becomes, besides data and code."""

    role: str
    target: str
    base: str
    device: str
    precision: Literal["float32", "bfloat16"]
    """Of the base's weights and the products; a processor without such units is slower in the
    shorter one."""
    seed: int
    rank: int
    alpha: int
    dropout: float
    first_layer: int
    """Layers below it stay as they are, which spares their backward pass."""
    batch: int
    accumulate: int
    max_length: int
    warmup: float
    """Share of the steps in which the learning rate rises."""
    weight_decay: float
    patience: int
    """Validation checks without gain before a pass stops, where `keep` is best."""
    passes: tuple[Pass, ...]
    """One after the other, each from where the one before ended."""
    validation: int
    """Most held-back sessions that a check looks at, evenly spread; evaluate.py takes all."""
    checks: int
    """How often, evenly spread, the validation loss is measured and a checkpoint written."""
    action_weight: float
    """Weight of the tokens that spell an action's name, in training only."""
    keep: Literal["best", "last"]
    """The checkpoint with the lowest validation loss of all passes, or the last one: a plan is
    judged by its rules, which go on improving when the loss on its words no longer does."""
    max_minutes: float
    """Wall-clock after which it stops at the next step and keeps what `keep` says."""


def read_recipe(target: str, role: Role) -> Recipe:
    """The recipe of a role from `targets/<target>.yaml`.

    Raises: TypeError where a value is missing or unknown.
    """
    found = yaml.safe_load((TARGETS / f"{target}.yaml").read_text("utf-8"))
    own = found.pop("roles")[role.value]
    passes = tuple(Pass(**one) for one in own.pop("passes"))
    return Recipe(role=role.value, target=target, passes=passes, **found, **own)


def write_adapter(model, manifest: Manifest, shelf: Path) -> Path:
    """Where the adapter now stands: weights in half precision, named by content.

    Another adapter of the same role stays; nothing ever changes under a name.
    """
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        model.save_pretrained(folder)
        _halve(folder / WEIGHTS)
        _tidy_config(folder / CONFIG, manifest.base)
        return publish(folder, shelf, manifest)


def manifest_of(recipe: Recipe, sessions: Sequence[Path], figures: dict) -> Manifest:
    """What has to be known to make the same adapter again."""
    corpus = pairs.read_sessions(*sessions)
    cases = [decision.case for session in corpus for decision in pairs.decisions(session)]
    prompts = {render(Role(recipe.role), case).template for case in cases}
    learnt = [session.digest for session in corpus if pairs.part_of(session.id) == "train"]
    packages = ("torch", "transformers", "peft", "trl")
    notes = {
        **{f"recipe_{name}": value for name, value in asdict(recipe).items()},
        "recipe_passes": json.dumps([asdict(one) for one in recipe.passes]),
        **{f"version_{name}": importlib.metadata.version(name) for name in packages},
        "data_sha256": sha256(joined(sessions)).hexdigest(),
        pairs.TRAINED_ON: " ".join(learnt),
        "code_version": _code_version(),
        **figures,
    }
    return Manifest(
        name="",
        role=Role(recipe.role),
        base=Path(recipe.base).name,
        base_sha256=weights_sha256(Path(recipe.base)),
        templates=tuple(sorted(prompts)),
        notes=notes,
    )


def joined(sessions: Sequence[Path]) -> bytes:
    """The files one after another: what names a run and its data."""
    return b"".join(path.read_bytes() for path in sessions)


def _code_version() -> str:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return asked.stdout.strip() or "unknown"


def _halve(path: Path) -> None:
    weights = {name: weight.half().contiguous() for name, weight in load_file(path).items()}
    save_file(weights, path, metadata={"format": "pt"})


def _tidy_config(path: Path, base: str) -> None:
    """Sorts the config and takes this machine's paths out, so that equal content is equal."""
    config = json.loads(path.read_text("utf-8"))
    config["base_model_name_or_path"] = base
    config["target_modules"] = sorted(config["target_modules"])
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8")

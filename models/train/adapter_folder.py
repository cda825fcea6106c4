"""Puts a trained adapter on the shelf as a small, reproducible PEFT folder."""

import json
import tempfile
from pathlib import Path

from safetensors.torch import load_file, save_file

from models.adapters import CONFIG, WEIGHTS, Manifest, publish


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


def _halve(path: Path) -> None:
    weights = {name: weight.half().contiguous() for name, weight in load_file(path).items()}
    save_file(weights, path, metadata={"format": "pt"})


def _tidy_config(path: Path, base: str) -> None:
    """Sorts the config and takes this machine's paths out, so that equal content is equal."""
    config = json.loads(path.read_text("utf-8"))
    config["base_model_name_or_path"] = base
    config["target_modules"] = sorted(config["target_modules"])
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", "utf-8")

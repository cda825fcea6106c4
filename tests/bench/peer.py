"""The other side: LangGraph in an environment of its own, made here, pinned and hash-checked."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.bench.in_process import TEXT

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".venv-bench"
LOCK = ROOT / "requirements" / "bench.lock"
_SIDE = Path(__file__).with_name("langgraph_side.py")
_WORDS = {
    "action_reasoning": "The client has just named a feeling.",
    "action": "Understanding surface level",
    "utterance": "What went through your mind just then?",
}
"""What our own stub engine says, so that both sides keep the same words."""
Found = Mapping[str, Any]


def prepare() -> str | None:
    """Make the environment, if the lock is new; give why it cannot be had, or None."""
    stamp, wanted = HOME / ".stamp", LOCK.read_text(encoding="utf-8")
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return None
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(HOME)], capture_output=True, check=False
    )
    if made.returncode:
        return "its environment could not be made"
    install = [
        str(HOME / "bin" / "pip"), "install", "--quiet", "--require-hashes", "--no-deps",
        "--disable-pip-version-check", "--no-input", "-r", str(LOCK),
    ]  # fmt: skip
    if subprocess.run(install, capture_output=True, check=False).returncode:
        return "langgraph could not be installed"
    stamp.write_text(wanted, encoding="utf-8")
    return None


def measure(parts: str, turns: int) -> Found:
    """Have the other side measure ``parts``; each call is a fresh process."""
    words = [
        str(HOME / "bin" / "python"), str(_SIDE), "--words", json.dumps(_WORDS), "--text", TEXT,
        "--turns", str(turns), "--parts", parts,
    ]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=1_800)
    return json.loads(done.stdout)

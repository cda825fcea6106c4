"""What the architecture tests read: our own source, as syntax trees."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("planner", "safety", "models", "service", "ui")
STORY = (
    "service/messages.py",
    "service/turn.py",
    "safety/screen.py",
    "planner/machine.py",
    "service/release.py",
)
"""The life of one client message, in the order a newcomer reads it."""


@cache
def tracked(*patterns: str) -> tuple[Path, ...]:
    """Give the repository's own files, those git knows or would take."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    return tuple(ROOT / name for name in listed if (ROOT / name).is_file())


def modules() -> Iterator[tuple[str, str, ast.Module]]:
    """Give each source file of the product: its name, text and tree."""
    for path in tracked(*(f"{folder}/**.py" for folder in FOLDERS)):
        text = path.read_text(encoding="utf-8")
        yield str(path.relative_to(ROOT)), text, ast.parse(text)


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Give every function and method."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Give a function's lines without its docstring."""
    first, last = node.lineno, node.end_lineno or node.lineno
    lines = last - first + 1
    if ast.get_docstring(node) is not None:
        doc = node.body[0]
        lines -= (doc.end_lineno or doc.lineno) - doc.lineno + 1
    return lines

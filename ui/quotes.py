"""Where the client said it: the line a phrase of the formulation most likely stems from. Pure."""

import re
from collections.abc import Sequence

from service.schemas.workspace import Line

_WORD = re.compile(r"[\u3400-\u9fff]|[^\W\d_]{4,}")
_ENOUGH = 0.5
"""Share of the phrase's words a line must hold to count as its source."""


def source_of(phrase: str, lines: Sequence[Line]) -> Line | None:
    """The client's line that holds most of the phrase's words; None where none holds half."""
    wanted = _words(phrase)
    if not wanted:
        return None
    told = [line for line in lines if line.kind == "client"]
    best = max(told, key=lambda line: len(wanted & _words(line.text)), default=None)
    if best is None or len(wanted & _words(best.text)) < _ENOUGH * len(wanted):
        return None
    return best


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower()))

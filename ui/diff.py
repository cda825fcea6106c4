"""Word by word, what an edit changed. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

Change = Literal["same", "gone", "new"]

_WORD = re.compile(r"\s+|[\u3400-\u9fff\uf900-\ufaff]|[^\W\u3400-\u9fff\uf900-\ufaff]+|[^\w\s]")
"""A space run, one Chinese character, one word of another script, or one mark."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of words that is the same in both texts, only in the old or only in the new one."""

    change: Change
    text: str


def word_diff(old: str, new: str) -> tuple[Piece, ...]:
    """Cut both texts into pieces so that same+gone spells ``old`` and same+new spells ``new``."""
    before, after = _WORD.findall(old), _WORD.findall(new)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    return tuple(_pieces(matcher, before, after))


def _pieces(
    matcher: "SequenceMatcher[str]", before: list[str], after: list[str]
) -> Iterator[Piece]:
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            yield Piece("same", "".join(before[start:end]))
            continue
        if end > start:
            yield Piece("gone", "".join(before[start:end]))
        if new_end > new_start:
            yield Piece("new", "".join(after[new_start:new_end]))

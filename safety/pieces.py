"""Cuts text into the encoder's word pieces: the most likely cut under a unigram vocabulary."""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

START, PAD, STOP, UNKNOWN = 0, 1, 2, 3
"""The ids every vocabulary begins with."""

_EDGE = "\u2581"
_LONGEST = 16
_UNKNOWN_COST = -25.0


@dataclass(frozen=True, slots=True)
class Pieces:
    """A vocabulary; ``cut`` is deterministic and never fails."""

    ids: dict[str, int]
    costs: dict[str, float]
    _cache: dict[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])

    def cut(self, text: str) -> tuple[int, ...]:
        """The piece ids of ``text``, without start or stop."""
        return tuple(one for word in text.split() for one in self._word(_EDGE + word))

    def _word(self, word: str) -> tuple[int, ...]:
        known = self._cache.get(word)
        if known is None:
            known = self._best(word)
            if len(word) < _LONGEST and len(self._cache) < 20_000:
                self._cache[word] = known
        return known

    def _best(self, word: str) -> tuple[int, ...]:
        size = len(word)
        score = [0.0] + [-1e30] * size
        came = [0] * (size + 1)
        for start in range(size):
            base = score[start]
            for end in range(start + 1, min(size, start + _LONGEST) + 1):
                cost = self.costs.get(word[start:end])
                if cost is None:
                    if end > start + 1:
                        continue
                    cost = _UNKNOWN_COST
                if base + cost > score[end]:
                    score[end], came[end] = base + cost, start
        found: list[int] = []
        end = size
        while end:
            found.append(self.ids.get(word[came[end] : end], UNKNOWN))
            end = came[end]
        return tuple(reversed(found))


@lru_cache(maxsize=4)
def read_pieces(path: Path) -> Pieces:
    """Read a vocabulary: one piece and its log-probability a line, in the order of ids."""
    ids: dict[str, int] = {}
    costs: dict[str, float] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n")):
        piece, _, cost = line.rpartition("\t")
        ids.setdefault(piece, number)
        if number > UNKNOWN:
            costs.setdefault(piece, float(cost))
    return Pieces(ids, costs)

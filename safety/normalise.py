"""One spelling for words that people bend: the rules read this, evidence points at the raw text.

Every character of the result remembers the code point it came from.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_LOOKALIKES = str.maketrans(
    "аеорсухіјѕԁһгкмтнвαορνικτυ",
    "aeopcyxijsdhrkmthbaopvikty",
)
_QUOTES = str.maketrans(dict.fromkeys("‘’‛ʼ´`＇", "'") | dict.fromkeys("“”„«»", '"'))
_LEET = str.maketrans("01345@$!|", "oieasasil")
_DOUBLES = frozenset("lstfeonprmdg")
_SPACED = re.compile(r"(?<![a-z])(?:[a-z](?P<gap>[ .\-_*·/])){3,}[a-z](?![a-z])")
_HAN_GAP = re.compile(r"(?<=[一-鿿])[ .·・*_\-/|、]+(?=[一-鿿])")
_HAN_DOT = re.compile(r"(?<=[一-鿿])[.·・*_|]+(?=[一-鿿])")
_HAN_SPACED = re.compile(r"(?<![一-鿿])[一-鿿](?:[ .·・*_\-/|][一-鿿]){1,}(?![一-鿿])")
_LEET_WORD = re.compile(r"[a-z0-9@$!|]*[a-z][a-z0-9@$!|]*")
_STARS = re.compile(r"(?<=[a-z])[*#_]+(?=[a-z])")


@dataclass(frozen=True, slots=True)
class Normalised:
    """Plain text and where each of its characters came from (code points of the raw text)."""

    text: str
    origin: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The raw span that ``[start, end)`` of the plain text stands for; never empty."""
        first = self.origin[start]
        return first, max(self.origin[end - 1], first) + 1


def normalise(raw: str) -> Normalised:
    """Fold case, width, look-alikes, invisible characters, stretching, spacing and leetspeak."""
    folded = _unstretch(list(_fold(raw)))
    text = "".join(char for char, _ in folded)
    dropped = _gaps(text)
    kept = [pair for index, pair in enumerate(folded) if index not in dropped]
    plain = _unleet("".join(char for char, _ in kept))
    return Normalised(plain, tuple(origin for _, origin in kept))


def fold(raw: str) -> str:
    """Only the text of ``normalise``."""
    return normalise(raw).text


def _fold(raw: str) -> Iterator[tuple[str, int]]:
    simplified = _simplified()
    for index, original in enumerate(raw):
        for part in unicodedata.normalize("NFKD", original.translate(_QUOTES)):
            kind = unicodedata.category(part)
            if kind in {"Mn", "Cf", "Me"} or part == "\ufe0f":
                continue
            char = part.lower().translate(_LOOKALIKES)
            char = simplified.get(char, char)
            yield (" " if char.isspace() else char), index


def _unstretch(pairs: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """``diiiie`` is ``die``, ``killlll`` is ``kill``, ``好好好好`` is ``好好``."""
    kept: list[tuple[str, int]] = []
    index = 0
    while index < len(pairs):
        char = pairs[index][0]
        end = index
        while end < len(pairs) and pairs[end][0] == char:
            end += 1
        length = end - index
        if char == " ":
            length = 1
        elif length > 2 and not char.isdigit():
            length = 2 if char in _DOUBLES or not char.isascii() else 1
        kept.extend(pairs[index : index + length])
        index = end
    return kept


def _gaps(text: str) -> frozenset[int]:
    """Positions of the separators in ``k i l l`` and ``自.杀``."""
    found: set[int] = set()
    for word in _SPACED.finditer(text):
        found.update(i for i in range(*word.span()) if not text[i].isalpha())
    for word in _HAN_SPACED.finditer(text):
        inside = _HAN_GAP.finditer(text, *word.span())
        found.update(i for gap in inside for i in range(*gap.span()))
    for inside in (*_STARS.finditer(text), *_HAN_DOT.finditer(text)):
        found.update(range(*inside.span()))
    return frozenset(found)


def _unleet(text: str) -> str:
    """``su1c1de`` and ``k!ll`` inside words; numbers, ``4pm`` and final ``!`` stay."""

    def plain(match: re.Match[str]) -> str:
        word = match.group()
        core = word.rstrip("!1|")
        if core.isalpha() or sum(char.isalpha() for char in core) < 2 or core[0].isdigit():
            return word
        return core.translate(_LEET) + word[len(core) :]

    return _LEET_WORD.sub(plain, text)


@cache
def _simplified() -> dict[str, str]:
    table = Path(__file__).parent / "lexicons" / "simplified.txt"
    traditional, simple = table.read_text(encoding="utf-8").split("\n")[1:3]
    return dict(zip(traditional, simple, strict=True))

"""One spelling for words that people bend: the rules read this, evidence points at the raw text.

Every character of the result remembers the code point it came from.
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

from safety.names import folded, words

_LOOKALIKES = str.maketrans(
    "аеорсухіјѕԁһгкмтнвαορνικτυıłøđᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ",
    "aeopcyxijsdhrkmthbaopviktyilodabcdefghijklmnoprstuvwyz",
)
_QUOTES = str.maketrans(dict.fromkeys("‘’‛ʼ´`＇", "'") | dict.fromkeys("“”„«»", '"'))
_LEET = str.maketrans("01345@$!|", "oieasasil")
_DOUBLES = frozenset("lstfeonprmdg")
_BLANKS = frozenset("\u2800\u3164\u115f\u1160")
"""Drawn as nothing, yet no blanks to Unicode: the empty braille cell, the Hangul fillers."""
_EMOJI = "\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"
# "i m a mess" and "u r a star" are three words each, not one that is spelt out.
_SPACED = re.compile(rf"(?<![a-z])(?!(?:i m|u r) )(?:[a-z][ .\-_*·/~{_EMOJI}]){{2,}}[a-z](?![a-z])")
_RUN_ON = re.compile(r"(?<![a-z0-9'])[a-z][a-z0-9']*(?:[._-][a-z0-9']+){2,}")
"""``i.want.to.die``: two marks or more inside one word stand for blanks."""
_CUT = rf"[ .·・*_\-/|、~丶{_EMOJI}]"
_HAN_GAP = re.compile(rf"(?<=[一-鿿]){_CUT}+(?=[一-鿿])")
_HAN_DOT = re.compile(r"(?<=[一-鿿])[.·・*_|]+(?=[一-鿿])")
_HAN_SPACED = re.compile(rf"(?<![一-鿿])[一-鿿](?:(?!、){_CUT}[一-鿿]){{1,}}(?![一-鿿])")
_HAN_CUT = re.compile(
    rf"(?<=自){_CUT}+(?=[杀残尽])|(?<=想){_CUT}+(?=死)|(?<=割){_CUT}+(?=腕)|(?<=跳){_CUT}+(?=楼)"
)
"""Words that are cut in two to hide them; a gap anywhere else may be the end of a clause."""
_LEET_WORD = re.compile(r"[a-z0-9@$!|]*[a-z][a-z0-9@$!|]*")
_LINE_END = re.compile(r"[\n\r\u2028\u2029]+")
_END = re.compile(r"[!?;。]|\.(?!\d)")
_RUN = re.compile(r"(.)\1+", re.DOTALL)
_ADDRESS_MARKS = frozenset("@._-+/#$")
"""What Chinese keyboards write at double width inside addresses; ，：！ stay what they are."""
_STARS = re.compile(r"(?<=[a-z])[*#_]+(?=[a-z])")
_BENT_WORDS = (
    "kill", "killing", "die", "dying", "dead", "death", "suicide", "suicidal", "myself", "self",
    "harm", "hurt", "hang", "life", "live", "alive", "exist", "want", "wanna", "overdose", "pills",
    "cutting", "rape", "raped", "abuse", "abused",
)  # fmt: skip
"""Words people bend to get past a reader; how far each may be bent, ``_bent`` says."""
_OPEN_WORDS = frozenset({"live", "want", "hang"})
"""Those of them that with a letter masked are as likely another word: l*ve, w*nt, h*ng."""
_SHORTEST_SLIP = 3
_LATIN = re.compile(r"(?<![a-z'])[a-z]{3,}(?![a-z'])")
_CHAIN = re.compile(r"(?<![a-z0-9'])[a-z][a-z0-9']*(?:[.,_\-/~]{1,6}[a-z][a-z0-9']*){3,}")
"""``i...want...to...die``: a chain of words with marks and no blank between."""


@dataclass(frozen=True, slots=True)
class Normalised:
    """Plain text and where each of its characters came from (code points of the raw text)."""

    text: str
    origin: tuple[int, ...]
    lines: tuple[int, ...] = ()
    """Where a new line of the raw text begins; in the plain text a line break reads as a blank."""
    ends: tuple[int, ...] = field(init=False)
    """Where sentences and lines end, in order; found once: a message may name danger at each."""

    def __post_init__(self) -> None:
        ends = (found.end() for found in _END.finditer(self.text))
        object.__setattr__(self, "ends", tuple(sorted((*ends, *self.lines))))

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The raw span that ``[start, end)`` of the plain text stands for; never empty."""
        first = self.origin[start]
        return first, max(self.origin[end - 1], first) + 1

    def sentence(self, start: int, end: int, near: int) -> tuple[int, int]:
        """Where the sentence around ``[start, end)`` begins and ends, as far as it is near."""
        first, last = max(0, start - near), min(len(self.text), end + near)
        begun, ended = bisect_right(self.ends, start), bisect_left(self.ends, end)
        before, after = self.ends[max(begun - 1, 0) : begun], self.ends[ended : ended + 1]
        return max((first, *before)), min((last, *after))


def normalise(raw: str) -> Normalised:
    """Fold case, width, look-alikes, invisible characters, stretching, spacing and leetspeak."""
    return _tidied(raw, *_read(raw))


def readings(raw: str) -> tuple[Normalised, ...]:
    """The plain text, and a second one where bent words are straightened, if there are any.

    Only the rules match against the second: the trained layer learned from the first.
    """
    text, origin = _read(raw)
    plain = _tidied(raw, text, origin)
    bent = ((*found.span(), _straight(found)) for found in _BENT.finditer(text))
    straight, places = _rewritten(text, origin, bent)
    slips = ((*found.span(), _slips()[found.group()]) for found in _LATIN.finditer(straight)
             if found.group() in _slips())  # fmt: skip
    straight, places = _rewritten(straight, places, slips)
    straight = _CHAIN.sub(_apart, straight)
    if straight == text:
        return (plain,)
    second = _tidied(raw, straight, places)
    return (plain,) if second.text == plain.text else (plain, second)


def _rewritten(
    text: str, origin: tuple[int, ...], found: Iterable[tuple[int, int, str]]
) -> tuple[str, tuple[int, ...]]:
    """The text with words exchanged; the last letter stands for all that is left of each."""
    parts: list[str] = []
    places: list[int] = []
    done = 0
    for start, end, word in found:
        parts += text[done:start], word
        places += origin[done:start]
        places += (origin[min(start + place, end - 1)] for place in range(len(word) - 1))
        places.append(origin[end - 1])
        done = end
    return "".join((*parts, text[done:])), (*places, *origin[done:])


@cache
def _slips() -> dict[str, str]:
    """Words of danger as fingers miss them, and what was meant; none is an everyday word or a name.

    Two letters exchanged, one left out, one typed twice.
    """
    meant = words("danger_en.txt")
    names = folded("sure_names.txt") | words("first_names.txt")
    known = words("common_en.txt") | names | meant
    slips: dict[str, str] = {}
    for word in sorted(meant):
        for at in range(len(word)):
            left, right = word[:at], word[at:]
            variants = [left + right[0] + right]
            if len(right) > 1 and len(word) > _SHORTEST_SLIP:
                variants.append(left + right[1] + right[0] + right[2:])
            if at and (len(word) > _SHORTEST_SLIP or right[0] == left[-1]):
                variants.append(left + right[1:])
            for variant in variants:
                if variant not in known:
                    slips.setdefault(variant, word)
    return slips


def readable(raw: str) -> Normalised:
    """Undo what only changes how words look: width, style, invisible characters, loose accents.

    Case, spelling and sentence marks stay: names are found by them.
    """
    if raw.isascii():
        return Normalised(raw, tuple(range(len(raw))))
    chars: list[str] = []
    origin: list[int] = []
    for index, original in enumerate(raw):
        char = _upright(original)
        if len(char) == 1 and unicodedata.category(char) in {"Mn", "Me"}:
            whole = unicodedata.normalize("NFC", chars[-1] + char) if chars else ""
            if len(whole) == 1:
                chars[-1] = whole
            continue
        chars += char
        origin += [index] * len(char)
    return Normalised("".join(chars), tuple(origin))


@lru_cache(maxsize=20_000)
def _upright(original: str) -> str:
    """A character without width and style; nothing for an invisible one."""
    category = unicodedata.category(original)
    if category == "Cf":
        return ""
    plain = unicodedata.normalize("NFKC", original)
    latin = plain.isascii() and plain.isalnum() and (len(plain) == 1 or category[0] in "LN")
    han = len(plain) == 1 and "㐀" <= plain <= "鿿"
    return plain if latin or han or plain in _ADDRESS_MARKS else original


def fold(raw: str) -> str:
    """Only the text of ``normalise``."""
    return normalise(raw).text


def _read(raw: str) -> tuple[str, tuple[int, ...]]:
    """Every character as what it is read as, and where it came from."""
    read = [_plain(original) for original in raw]
    return "".join(read), tuple(index for index, chars in enumerate(read) for _ in chars)


def _tidied(raw: str, text: str, origin: tuple[int, ...]) -> Normalised:
    text = _parted(text)
    for unwanted in (_stretched, _gaps, _stretched):
        if dropped := unwanted(text):
            kept = [index for index in range(len(text)) if index not in dropped]
            text = "".join(text[index] for index in kept)
            origin = tuple(origin[index] for index in kept)
    return Normalised(_unleet(text), origin, _lines(raw, origin))


def _apart(chain: re.Match[str]) -> str:
    return re.sub(r"[^a-z0-9']", " ", chain.group())


def _bent(word: str) -> str:
    """A pattern for a word whose letters are drawn out, masked, or parted by one mark."""
    # Bounded, so that no run of letters or marks can be cut in too many ways.
    masked = "" if word in _OPEN_WORDS else "|[*#_]{1,2}"
    parted = r"[-.·•~\/| ]?" if word.startswith("suici") else r"[-.·•~\/|]?"
    inside = "".join(f"{parted}(?:{letter}{{1,9}}{masked})" for letter in word[1:-1])
    return f"(?P<{word}>{word[0]}{{1,9}}{inside}{parted}{word[-1]}{{1,9}})"


_BENT = re.compile(f"(?<![a-z])(?:{'|'.join(map(_bent, _BENT_WORDS))})(?![a-z])")


def _straight(bent: re.Match[str]) -> str:
    """The word that was bent; what is bent too far to be sure stays as it is."""
    said, word = bent.group(), bent.lastgroup or ""
    return word if 2 * sum(char.isalpha() for char in said) >= len(word) else said


def _lines(raw: str, origin: tuple[int, ...]) -> tuple[int, ...]:
    begun = (found.end() for found in _LINE_END.finditer(raw))
    return tuple(bisect_left(origin, place) for place in begun)


@lru_cache(maxsize=20_000)
def _plain(original: str) -> str:
    """What one character is read as: itself, several, or nothing."""
    read: list[str] = []
    for part in unicodedata.normalize("NFKD", original.translate(_QUOTES)):
        if unicodedata.category(part) in {"Mn", "Cf", "Me"}:
            continue
        char = part.lower().translate(_LOOKALIKES)
        char = _simplified().get(char, char)
        read.append(" " if char.isspace() or char in _BLANKS else char)
    return "".join(read)


def _parted(text: str) -> str:
    """The words of ``i.want.to.die`` with blanks between; no character more or less."""
    return _RUN_ON.sub(lambda run: re.sub("[._-]", " ", run.group()), text)


def _stretched(text: str) -> frozenset[int]:
    """Positions to leave out: ``diiiie`` is ``die``, ``好好好好`` is ``好好``."""
    found: set[int] = set()
    for run in _RUN.finditer(text):
        char, length = run[1], len(run[0])
        if char == " ":
            length = 1
        elif length > 2 and not char.isdigit():
            length = 2 if char in _DOUBLES or not char.isascii() else 1
        found.update(range(run.start() + length, run.end()))
    return frozenset(found)


def _gaps(text: str) -> frozenset[int]:
    """Positions of the separators in ``k i l l`` and ``自.杀``."""
    found: set[int] = set()
    for word in _SPACED.finditer(text):
        found.update(i for i in range(*word.span()) if not text[i].isalpha())
    for word in _HAN_SPACED.finditer(text):
        inside = _HAN_GAP.finditer(text, *word.span())
        found.update(i for gap in inside for i in range(*gap.span()))
    for inside in (
        *_STARS.finditer(text),
        *_HAN_DOT.finditer(text),
        *_HAN_CUT.finditer(text),
    ):
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

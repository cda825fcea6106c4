"""Scrub: the client's personal data out, stand-ins in, before any model sees a word.

`recognizers` meets Presidio and spaCy; `load_scrubber` loads it, not the import: a process that
never scrubs does not pay for them.
"""

import re
import unicodedata
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple, Protocol

from safety.names import words
from safety.normalise import Normalised, readable
from safety.persons import HAN, WORD, spellings
from safety.risk import Language
from safety.standins import Found, assign, withhold
from safety.surrogates import (
    NOT_IN_WORD_AFTER,
    NOT_IN_WORD_BEFORE,
    Kind,
    Surrogate,
    Surrogates,
    find_stand_ins,
    restore,
)

WORD_LETTER = re.compile(r"[^\W㐀-鿿]")
SHORTEST_KNOWN = 2
"""Letters in a name that is found again without its surroundings; one letter is often a word."""
SHORTEST_POSSESSIVE = 3
"""Letters in a word that may be a name with an ``s``; shorter ones are words: ``als``."""
ROUNDS = 8
"""How often spans may grow until a message restores to itself; then it is withheld whole."""


class Span(NamedTuple):
    """Personal data in the client's own text; code points."""

    start: int
    end: int
    type: Kind


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """What may be shown to a model, and what leads back."""

    text: str
    surrogates: Surrogates
    spans: tuple[Span, ...]


class Finder(Protocol):
    """Finds personal data; may overlap, in any order."""

    def find(self, text: str, language: Language) -> Sequence[Found]: ...


@dataclass(frozen=True, slots=True)
class Scrubber:
    """Replaces personal data by stand-ins. Safe to share between threads."""

    finder: Finder

    def scrub(self, text: str, language: Language, surrogates: Surrogates) -> Scrubbed:
        """The text with a stand-in for all personal data; `restore` gives it back exactly.

        The mapping only grows: what it held before keeps its meaning.
        """
        found = tidy(text, self._find(text, language, surrogates))
        for _ in range(ROUNDS):
            found = _with_clashes(text, found, surrogates)
            grown = assign(text, found, surrogates)
            scrubbed = replace(text, found, grown)
            clashes = find_stand_ins(text, grown)
            if restore(scrubbed, grown) == text and all(_covered(c, found) for c in clashes):
                return Scrubbed(scrubbed, grown, _spans(found))
            found = tidy(text, [_wider(text, span) for span in found])
        whole = withhold(text, surrogates)
        return Scrubbed(
            whole.stand_in, surrogates.with_rows([whole]), (Span(0, len(text), whole.kind),)
        )

    def _find(self, text: str, language: Language, surrogates: Surrogates) -> list[Found]:
        """Personal data as it is written and as it reads: ``ＷＡＮＧ`` is Wang. Spans are raw."""
        plain = readable(text)
        bent = [*self.finder.find(plain.text, language), *_known(plain.text, surrogates)]
        ends = len(plain.text)
        within = (span._replace(end=min(span.end, ends)) for span in bent)
        found = [_unfolded(text, plain, span) for span in within if span.start < span.end]
        if plain.text == text:
            return found
        # An invisible character may stand for a blank: what only the raw words show counts, too.
        return [*found, *self.finder.find(text, language), *_known(text, surrogates)]


def introduce(names: Iterable[str], surrogates: Surrogates) -> Surrogates:
    """The mapping grown by a stand-in for each name of a person; no recognizer is asked.

    A nickname that everybody says (``sunny``, ``开心``) is left to the recognizers: replaced
    wherever it stands, it would turn what the client feels into somebody.
    """
    for name in names:
        if _everyday(name) and (name.islower() or HAN.search(name)):
            continue
        surrogates = assign(name, (Found(0, len(name), Kind.PERSON),), surrogates)
    return surrogates


def load_scrubber() -> Scrubber:
    """The product's scrubber. Takes a second: call it once, at the start.

    Raises: OSError when the shipped tagger is missing.
    """
    from safety.recognizers import load_finder

    return Scrubber(load_finder())


def replace(text: str, found: Sequence[Found], surrogates: Surrogates) -> str:
    """The text with each span exchanged for its stand-in."""
    stand_ins = {row.original: row.stand_in for row in surrogates.rows}
    parts: list[str] = []
    end = 0
    for span in found:
        parts += [text[end : span.start], stand_ins[text[span.start : span.end]]]
        end = span.end
    return "".join([*parts, text[end:]])


def tidy(text: str, found: Sequence[Found]) -> tuple[Found, ...]:
    """In order, on whole words, without overlaps; what overlaps becomes one span."""
    wide = sorted(_on_words(text, span) for span in found if text[span.start : span.end].strip())
    merged: list[Found] = []
    for span in wide:
        if merged and span.start < merged[-1].end:
            last = merged[-1]
            longer = max(last, span, key=lambda one: one.end - one.start)
            merged[-1] = longer._replace(start=last.start, end=max(last.end, span.end))
        else:
            merged.append(span)
    return tuple(merged)


def _unfolded(text: str, plain: Normalised, span: Found) -> Found:
    """The span in the raw text, with the marks that belong to its last letter."""
    start, end = plain.span(span.start, span.end)
    while end < len(text) and unicodedata.category(text[end]) in {"Mn", "Me"}:
        end += 1
    return span._replace(start=start, end=end)


def _known(text: str, surrogates: Surrogates) -> list[Found]:
    """What this session has a stand-in for already, in any case: found once is found for good."""
    if not surrogates.rows:
        return []
    kinds, pattern = _known_forms(surrogates.rows)
    return [
        Found(*one.span(), kinds.get(one.group(), Kind.PERSON))
        for one in pattern.finditer(text)
        if (one.group() in kinds or not _everyday(one.group())) and _goes_on(text, one)
    ]


def _goes_on(text: str, known: re.Match[str]) -> bool:
    """Whether the name ends its word, or an ``s`` behind it is no part of another word.

    ``jakes mom`` speaks of Jake; ``marks`` are not Mark's.
    """
    end = known.end()
    if text[end : end + 1] not in {"s", "S"} or not WORD_LETTER.match(known.group()[-1]):
        return True
    whole = known.group() + "s"
    return len(whole) > SHORTEST_POSSESSIVE and whole.casefold() not in words("common_en.txt")


@lru_cache(maxsize=256)
def _known_forms(rows: tuple[Surrogate, ...]) -> tuple[dict[str, Kind], re.Pattern[str]]:
    kinds: dict[str, Kind] = {}
    strict: set[str] = set()
    for row in rows:
        original = readable(row.original).text
        parts = WORD.findall(original) if row.kind is Kind.PERSON else ()
        latin = spellings(original) if row.kind is Kind.PERSON else ()
        # 李娜 is ``Li Na``, but hardly ``na li``: two syllables are soon two words of a sentence.
        strict.update(latin if len(original) == SHORTEST_KNOWN else ())
        for form in (original, *(part for part in parts if not _particle(part)), *latin):
            if len(form) >= SHORTEST_KNOWN:
                kinds.setdefault(form, row.kind)
    longest_first = sorted(kinds, key=lambda form: (-len(form), form))
    # One pair of edges for many forms: to compile each with its own takes ten milliseconds a form.
    runs = groupby(longest_first, key=lambda form: HAN.search(form) is not None)
    patterns = (
        "|".join(map(re.escape, forms))
        if chinese
        else f"{NOT_IN_WORD_BEFORE}(?:{_any_of(forms, strict)})(?=s?{NOT_IN_WORD_AFTER})"
        for chinese, forms in runs
    )
    return kinds, re.compile("|".join(patterns) or "(?!)", re.I)


def _any_of(forms: Iterable[str], strict: Container[str]) -> str:
    return "|".join(_cased(form, form in strict) for form in forms)


def _cased(form: str, as_written: bool) -> str:
    return f"(?-i:{re.escape(form)})" if as_written else re.escape(form)


def _particle(part: str) -> bool:
    """Whether a part is no name by itself: ``van``, the ``He`` of ``He Wei``, a ``(they/them)``."""
    return part.casefold() in words("grammar_en.txt") or (part.islower() and _everyday(part))


def _everyday(word: str) -> bool:
    """``Hope`` may be the client's sister; ``hope`` is what the client has. ``bob`` is Bob."""
    plain = word.casefold()
    if plain in words("sure_names.txt") or plain in words("names_in_talk.txt"):
        return False
    return plain in words("common_en.txt") or word in words("keep_zh.txt")


def _on_words(text: str, span: Found) -> Found:
    start, end = span.start, span.end
    while start > 0 and WORD_LETTER.match(text[start]) and WORD_LETTER.match(text[start - 1]):
        start -= 1
    while end < len(text) and WORD_LETTER.match(text[end]) and WORD_LETTER.match(text[end - 1]):
        end += 1
    # ``jakes`` is Jake's: with its s it would become somebody else.
    if end - span.end == 1 and text[span.end] in {"s", "S"}:
        end = span.end
    return span._replace(start=start, end=end)


def _with_clashes(text: str, found: tuple[Found, ...], surrogates: Surrogates) -> tuple[Found, ...]:
    """A client who writes a word that stands in for another gets a stand-in for it, too."""
    clashes = find_stand_ins(text, surrogates)
    extra = [Found(*clash, Kind.PERSON) for clash in clashes if not _covered(clash, found)]
    return tidy(text, [*found, *extra]) if extra else found


def _covered(clash: tuple[int, int], found: Sequence[Found]) -> bool:
    return any(span.start <= clash[0] and clash[1] <= span.end for span in found)


def _wider(text: str, span: Found) -> Found:
    return span._replace(start=max(0, span.start - 1), end=min(len(text), span.end + 1))


def _spans(found: Sequence[Found]) -> tuple[Span, ...]:
    return tuple(Span(span.start, span.end, span.kind) for span in found)

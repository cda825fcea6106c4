"""How the taggers' labels, characters and cases are numbered; shared by training and serving."""

import re

from safety.surrogates import Kind

LABELS = ("O", *(f"{place}-{kind}" for kind in Kind for place in "BI"))
"""Outside; begin and inside of each kind. Their order is baked into the committed models."""

WORD = re.compile(r"\w+")
LOWER, TITLE, UPPER, MIXED = range(4)


def cases(text: str) -> list[int]:
    """For each code point the case of the word that it is in: lower, title, upper or mixed."""
    found = [LOWER] * len(text)
    for word in WORD.finditer(text):
        start, end = word.span()
        found[start:end] = [_case(word.group())] * (end - start)
    return found


def _case(word: str) -> int:
    if word.islower() or not word.upper().isupper():
        return LOWER
    if word.isupper() and len(word) > 1:
        return UPPER
    plain = len(word) == 1 or word[1:].islower()
    return TITLE if word[0].isupper() and plain else MIXED

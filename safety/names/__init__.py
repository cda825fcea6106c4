"""Lists of names and places that ship with the product; sources and licences are in README.md."""

from functools import cache
from importlib.resources import files


@cache
def lines(name: str) -> tuple[str, ...]:
    """The lines of one list, without comments and blanks."""
    text = files(__name__).joinpath(name).read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line and not line.startswith("#"))


@cache
def folded(name: str) -> frozenset[str]:
    """One list for asking whether a word is on it; case folded."""
    return frozenset(line.casefold() for line in lines(name))


@cache
def readings() -> dict[str, str]:
    """Characters of Chinese names and their pinyin."""
    return dict(line.split() for line in lines("pinyin.txt"))


@cache
def words(name: str) -> frozenset[str]:
    """All words of one list whose lines hold many; case folded."""
    return frozenset(word for line in lines(name) for word in line.casefold().split())

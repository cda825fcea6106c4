"""Every word the console shows, in both languages, from one catalogue (``texts.toml``). Pure."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Final, Literal

Tongue = Literal["en", "zh"]
TONGUES: Final[tuple[Tongue, ...]] = ("en", "zh")


def say(tongue: Tongue, key: str, **values: object) -> str:
    """The text for ``section.name`` in one language, its ``{places}`` filled.

    Raises: KeyError where the catalogue has no such text; a test reads all keys from the code.
    """
    return catalogue()[key][tongue].format(**values)


def knows(key: str) -> bool:
    """Whether the catalogue has the text; for keys that come from the service."""
    return key in catalogue()


def retell(tongue: Tongue, section: str, said: str) -> str:
    """A word or short phrase of the service, which writes English, in a reader's language.

    As it came where the catalogue does not know it; its numbers stay.
    """
    numbers = re.findall(r"\d+", said)
    key = f"{section}." + re.sub(r"\W+", "_", re.sub(r"\d+", "n", said)).strip("_")
    return catalogue()[key][tongue].format(*numbers) if knows(key) else said.replace("_", " ")


@cache
def catalogue() -> dict[str, dict[Tongue, str]]:
    """All texts by dotted key."""
    with (Path(__file__).parent / "texts.toml").open("rb") as file:
        sections = tomllib.load(file)
    return {
        f"{section}.{name}": texts
        for section, entries in sections.items()
        for name, texts in entries.items()
    }

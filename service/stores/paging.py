"""Page tokens: opaque to readers, a sort key to us. The same for every store."""

import base64
import binascii
import json

from pydantic import TypeAdapter

_LIST = TypeAdapter(list[str | int])
_LARGEST = 2**63
"""Stores keep integers of 64 bits; a larger one in a token is not ours."""


def token(*key: str | int) -> str:
    """Give the opaque token of a sort key."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def key(opaque: str, shape: tuple[type, ...]) -> tuple[str | int, ...]:
    """Give the sort key of a token. Raises: ValueError when it is not one of ours."""
    try:
        padded = opaque + "=" * (-len(opaque) % 4)
        parts = _LIST.validate_json(base64.urlsafe_b64decode(padded.encode("ascii", "strict")))
    except (binascii.Error, UnicodeError, ValueError) as error:
        raise ValueError("not a page token") from error
    fits = all(abs(part) < _LARGEST for part in parts if isinstance(part, int))
    if [type(part) for part in parts] != list(shape) or not fits:
        raise ValueError("not a page token")
    return tuple(parts)

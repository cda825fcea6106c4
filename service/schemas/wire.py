"""Field types every schema shares: frozen models, text that is safe to store, and no guessing.

In a body a number is a number and a flag is a flag; ``"12"`` and ``"yes"`` are mistakes there.
A query has nothing but text, so its numbers and flags are read from text.
"""

import json
import re
from math import isfinite
from typing import Annotated, Final

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
)

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_DEEPEST = 6
"""Levels that free-form details may nest."""
_LARGEST = 8000
"""Characters of such details, as JSON."""
LONGEST: Final = 4000
"""Characters of anything a person writes."""


def _typed(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("must not contain control characters")
    return text


def _storable(text: str) -> str:
    """Refuse what no keyboard types and no store keeps: control characters, blank text."""
    if not _typed(text).strip():
        raise ValueError("must not be blank")
    return text


def heard(text: str) -> str:
    """Put a space for each character that cannot be kept: the words around it must be judged."""
    return _CONTROL.sub(" ", text)


def _sent(text: object) -> object:
    return heard(text) if isinstance(text, str) else text


def _keepable(details: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Refuse free-form details that no store keeps as they came, or that would fill it."""
    _look(details, _DEEPEST)
    if len(json.dumps(details, ensure_ascii=False)) > _LARGEST:
        raise ValueError(f"must not be longer than {_LARGEST} characters in all")
    return details


def _look(value: JsonValue, levels: int) -> None:
    if levels == 0:
        raise ValueError("must not nest so deeply")
    if isinstance(value, str):
        _typed(value)
    if isinstance(value, float) and not isfinite(value):
        raise ValueError("must be a finite number")
    if isinstance(value, list):
        for one in value:
            _look(one, levels - 1)
    elif isinstance(value, dict):
        for key, one in value.items():
            _look(key, levels)
            _look(one, levels - 1)


class Wire(BaseModel):
    """The base of every request and answer: unknown fields are refused, values cannot change."""

    # What was sent never stands in an error: errors end in logs, and it may be a client's words.
    model_config = ConfigDict(
        extra="forbid", frozen=True, use_attribute_docstrings=True, hide_input_in_errors=True
    )


Text = Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(_storable)]
"""Words of a therapist: 1 to 4,000 characters, no control characters."""
Message = Annotated[Text, BeforeValidator(_sent)]
"""Words of a client: the same, but nobody's call for help is refused for an invisible character."""
Unfinished = Annotated[str, Field(max_length=LONGEST), AfterValidator(_typed)]
"""Words still being typed: up to 4,000 characters, perhaps none yet."""
Label = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_storable)]
"""A short name or reference, 1 to 200 characters."""
Details = Annotated[dict[str, JsonValue], Field(max_length=40), AfterValidator(_keepable)]
"""Free-form facts, at most 40 at six levels, 8,000 characters in all: storable text and finite
numbers only."""
Ident = Annotated[str, Field(min_length=3, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")]
"""An opaque identifier such as ``ses_01J...``."""
Seq = Annotated[int, Field(ge=0, le=2**53, strict=True)]
"""A position in a session's log; 0 is before its first event."""
SeqAsked = Annotated[int, Field(ge=0, le=2**53)]
"""The same in a query."""
PageToken = Annotated[str | None, Field(max_length=300)]
"""Where a list goes on, as the page before it said; opaque to callers."""
Flag = Annotated[bool, Field(strict=True)]
"""True or false in a body."""
When = AwareDatetime
"""A moment, RFC 3339, UTC."""

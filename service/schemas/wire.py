"""Field types every schema shares: strict, frozen models and text that is safe to store."""

import re
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")


def _storable(text: str) -> str:
    """Refuse what no keyboard types and no store keeps: control characters, blank text."""
    if _CONTROL.search(text):
        raise ValueError("must not contain control characters")
    if not text.strip():
        raise ValueError("must not be blank")
    return text


class Wire(BaseModel):
    """The base of every request and answer: unknown fields are refused, values cannot change."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


Text = Annotated[str, Field(min_length=1, max_length=4000), AfterValidator(_storable)]
"""Words of a client or a therapist: 1 to 4,000 characters, no control characters."""
Label = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_storable)]
"""A short name or reference, 1 to 200 characters."""
Ident = Annotated[str, Field(min_length=3, max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")]
"""An opaque identifier such as ``ses_01J...``."""
Seq = Annotated[int, Field(ge=0, le=2**53)]
"""A position in a session's log; 0 is before its first event."""
When = AwareDatetime
"""A moment, RFC 3339, UTC."""

"""What test harnesses send and get: shapes they already speak, and what may be said plainly."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from service.schemas.wire import Flag, Ident, Text, Wire

MODEL = "second-chair"
"""The only model the doors know: the whole service, reviewed by nobody."""
LABEL = "unreviewed simulation"
_LONGEST = 400


class Said(Wire):
    """One line of a conversation."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    role: Literal["system", "user", "assistant"]
    content: Text


History = Annotated[tuple[Said, ...], Field(min_length=1, max_length=_LONGEST)]


class CompletionRequest(Wire):
    """A chat completion; sampling parameters are accepted and have no effect."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    model: str = MODEL
    messages: History
    stream: Flag = False


class Choice(Wire):
    """The answer. ``content_filter`` means that a person would have been called."""

    index: int = 0
    message: Said
    finish_reason: Literal["stop", "content_filter"]


class Simulated(Wire):
    """What the service says of the answer."""

    label: Literal["unreviewed simulation"] = LABEL
    session_id: Ident
    alert: str | None
    """Level of the open alert, if the screen raised one."""


class Completion(Wire):
    """A chat completion as such clients expect it."""

    id: Ident
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    """Seconds since the epoch."""
    model: str = MODEL
    choices: tuple[Choice, ...]
    second_chair: Simulated


class ModelCard(Wire):
    """The service under the name of a model."""

    id: str = MODEL
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = MODEL


class Models(Wire):
    """What can be asked."""

    object: Literal["list"] = "list"
    data: tuple[ModelCard, ...] = (ModelCard(),)


class ChatRequest(Wire):
    """The plain door: a history, or one more line of a known conversation."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    messages: History
    conversation_id: Ident | None = None


class ChatAnswer(Wire):
    """The plain door's answer."""

    message: Said
    conversation_id: Ident
    label: Literal["unreviewed simulation"] = LABEL
    alert: str | None

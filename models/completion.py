"""What the service asks of an engine, what it gets back, and the one way an engine can fail."""

from dataclasses import dataclass
from enum import StrEnum


class EngineFault(StrEnum):
    """Why there is no answer; each is a metric label, so the list stays short and closed."""

    DOWN = "down"
    """Nothing answers at the address."""
    TIMEOUT = "timeout"
    """No answer in the time the caller gave."""
    OVERLOADED = "overloaded"
    """The engine said try later (429, 503)."""
    DENIED = "denied"
    """The engine does not accept our key (401, 403)."""
    UNKNOWN_MODEL = "unknown_model"
    """The named model or adapter is not served (404)."""
    REJECTED = "rejected"
    """The engine will never accept this request as it stands, a prompt too long for instance."""
    BROKEN = "broken"
    """The engine failed inside, or answered something that is not its protocol."""


class EngineUnavailable(Exception):
    """The engine gave no usable answer. Carries codes only, never words of a prompt or answer."""

    def __init__(self, fault: EngineFault, detail: str = "") -> None:
        super().__init__(f"{fault}: {detail}" if detail else str(fault))
        self.fault = fault
        self.detail = detail
        """A class name or a status code."""


@dataclass(frozen=True, slots=True)
class Ask:
    """How one prompt should be answered."""

    model: str
    """The served name: an adapter's content-addressed name, or the base's."""
    salt: str
    """The prefix cache is shared only between prompts of the same salt: one per session."""
    candidates: int = 1
    temperature: float = 0.7
    timeout_s: float = 60.0
    """For the whole call, connecting and waiting in the engine's queue included."""


@dataclass(frozen=True, slots=True)
class Completion:
    """One candidate answer. The counts are those of the call it came from."""

    text: str
    adapter: str
    """The served name that answered, as the engine reports it."""
    prompt_tokens: int
    completion_tokens: int
    """Of all candidates of the call together: the engine does not count them apart."""
    cached_tokens: int
    """How many of the prompt's tokens came out of the prefix cache."""
    latency_ms: int

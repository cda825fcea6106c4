"""What the service needs of the world, as protocols; `main` decides who plays each part."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from models.completion import Ask, Completion
from planner.prompt import Prompt
from planner.vocabulary import Language, Role
from safety.guard import Check, GuardContext
from safety.risk import Line, RiskReport
from safety.scrub import Scrubbed
from safety.surrogates import Surrogates
from service.stores.port import Store


class IssuerUnavailable(Exception):
    """The organisation's sign-in cannot be reached; whose token it is cannot be told."""


class Clock(Protocol):
    """Tells the time."""

    def now_ms(self) -> int:
        """Give milliseconds since the epoch, UTC."""
        ...


class Ids(Protocol):
    """Makes identifiers that sort by time."""

    def new(self, prefix: str) -> str:
        """Give a fresh id such as ``msg_01J9...``."""
        ...


class Engine(Protocol):
    """Writes drafts. Raises: models.completion.EngineUnavailable."""

    async def complete(self, prompt: Prompt, ask: Ask) -> tuple[Completion, ...]:
        """Give ``ask.candidates`` answers, or raise within ``ask.timeout_s``."""
        ...


class Screen(Protocol):
    """Judges danger in raw words. Never raises; any failure is the highest level."""

    def judge(self, text: str, history: Sequence[Line], language: Language) -> RiskReport:
        """Judge the newest message with up to six earlier turns."""
        ...


class Scrubber(Protocol):
    """Replaces personal data by stand-ins before a model may see a text."""

    def scrub(self, text: str, language: Language, surrogates: Surrogates) -> Scrubbed:
        """Give the scrubbed text and the grown mapping."""
        ...


class Guard(Protocol):
    """Checks words before they may leave."""

    def __call__(self, text: str, context: GuardContext) -> tuple[Check, ...]:
        """Give every check made, passed or not."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """What a pager tells a person: enough to act, no words."""

    alert_id: str
    session_id: str
    team: str
    level: str
    category: str
    tier: int
    """0 first responder, 1 second person, 2 on-call."""


class Pager(Protocol):
    """Reaches a person."""

    async def page(self, page: Page) -> bool:
        """Tell somebody; False when nobody could be reached, so that it is tried again."""
        ...


class Aliases(Protocol):
    """Knows which model name serves a role right now."""

    async def serving(self, role: Role) -> str:
        """Give the name to ask the engine for."""
        ...


@dataclass(frozen=True, slots=True)
class Drafting:
    """How the engine is asked."""

    candidates: int = 1
    temperature: float = 0.7
    timeout_s: float = 120.0
    judge: str = ""
    """The base that is asked for its opinion of danger too; empty asks none."""


_JUDGED_AT_ONCE = max(2, os.cpu_count() or 2)


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything a story needs, passed by hand; there are no globals."""

    store: Store
    engine: Engine
    aliases: Aliases
    screen: Screen
    scrubber: Scrubber
    guard: Guard
    pager: Pager
    clock: Clock
    ids: Ids
    drafting: Drafting = Drafting()
    safety_timeout_s: float = 2.0
    """How long screen or scrub may take before the worst case is assumed."""
    judging: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_JUDGED_AT_ONCE))
    """Messages under judgment. To wait for a turn is not to hang: one app's flood of long messages
    must not make every other client's an emergency, nor take all the threads there are."""

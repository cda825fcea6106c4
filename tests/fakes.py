"""The world, made of small classes that do what they are told. No mocks: each one is a port."""

import asyncio
import json
import random
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from models.completion import Ask, Completion, EngineFault, EngineUnavailable
from models.vllm_engine import VllmEngine
from planner.prompt import Prompt
from planner.vocabulary import Role
from safety.risk import CALM, Category, Language, Line, RiskLevel, RiskReport
from safety.scrub import Scrubbed, Scrubber
from safety.standins import Found
from safety.surrogates import Kind, Surrogates
from service.ports import Page
from service.stores.memory import MemoryStore
from service.stores.port import Append, Conflict, RowQuery, StoredRow, StoreUnavailable
from tests.stub_engine import example

START_MS = 4_100_000_000_000  # So far ahead that no store's own clock ends an answer.
BASE = "smollm2-135m"
Manner = Literal["ok", "slow", "garbage", "down", "refuses"]
FAULTS = {"down": EngineFault.DOWN, "slow": EngineFault.TIMEOUT, "refuses": EngineFault.REJECTED}
"""Manners in which no answer comes, and what went wrong then."""


@dataclass
class ManualClock:
    """Stands still until it is told how much time goes by."""

    at_ms: int = START_MS

    def now_ms(self) -> int:
        """Give the time it was set to."""
        return self.at_ms

    def tick(self, ms: int) -> None:
        """Let time go by."""
        self.at_ms += ms


@dataclass
class CountingIds:
    """Gives ids that sort and say in which order they were made."""

    made: int = 0

    def new(self, prefix: str) -> str:
        """Give the next id."""
        self.made += 1
        return f"{prefix}_{self.made:08d}"


@dataclass
class ScriptedEngine:
    """Answers every prompt with a value that obeys its schema, in the manner it is told."""

    manner: Manner = "ok"
    step: bool = True
    """Whether it takes the plan's next step; otherwise it stays where it is."""
    says: Callable[[Prompt], str | None] = lambda _: None
    """What the utterance should be instead of the usual one."""
    judges: str = "none"
    judged_as: Category = Category.SUICIDE
    """How dangerous it finds what it is asked to judge."""
    prompts: list[Prompt] = field(default_factory=list[Prompt])

    async def complete(self, prompt: Prompt, ask: Ask) -> tuple[Completion, ...]:
        """Give what the schema asks for, or fail as told."""
        self.prompts.append(prompt)
        await asyncio.sleep(0)
        if self.manner in FAULTS:
            raise EngineUnavailable(FAULTS[self.manner])
        garbage = "I would rather not use JSON today."
        text = garbage if self.manner == "garbage" else self._text(prompt)
        return (Completion(text, ask.model, 100, 20, 50, 1),) * ask.candidates

    def _text(self, prompt: Prompt) -> str:
        made: Any = example(prompt.schema)
        if prompt.template == "judge":
            made |= {"level": self.judges, "category": self.judged_as}
        elif prompt.role is Role.UTTERANCE:
            if self.step:
                made["action"] = prompt.schema["properties"]["action"]["enum"][-1]  # type: ignore
            made["utterance"] = self.says(prompt) or made["utterance"]
        return json.dumps(made)

    @property
    def read(self) -> str:
        """Everything it was ever shown."""
        return "\n".join(part.content for prompt in self.prompts for part in prompt.messages)


@dataclass
class WaitingEngine(ScriptedEngine):
    """Answers nobody until it may; remembers for which sessions it was asked, in order."""

    may: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[str] = field(default_factory=list[str])

    async def complete(self, prompt: Prompt, ask: Ask) -> tuple[Completion, ...]:
        """Give what the schema asks for, once it may."""
        self.asked.append(ask.salt)
        await self.may.wait()
        return await super().complete(prompt, ask)


class BusyEngine(VllmEngine):
    """While it loads an adapter, something else happens; it may miss its time for it, too.

    And it may be at fault whenever it is asked.
    """

    meanwhile: Callable[[], Awaitable[object]] | None = None
    late: bool = False
    fault: EngineFault | None = None

    async def models(self) -> frozenset[str]:
        """Tell what is loaded, unless something is wrong."""
        if self.fault is not None:
            raise EngineUnavailable(self.fault)
        return await super().models()

    async def complete(self, prompt: Prompt, ask: Ask) -> tuple[Completion, ...]:
        """Answer, unless something is wrong."""
        if self.fault is not None:
            raise EngineUnavailable(self.fault)
        return await super().complete(prompt, ask)

    async def load_adapter(self, name: str, path: str) -> None:
        """Load it, and answer when the other thing has happened."""
        await super().load_adapter(name, path)
        if self.meanwhile is not None:
            happening, self.meanwhile = self.meanwhile, None
            await happening()
        if self.late:
            raise EngineUnavailable(EngineFault.TIMEOUT)


@dataclass
class SlowPlanner(ScriptedEngine):
    """Drafts at once; its planner answers nobody until it may, or is away."""

    away: bool = False
    may: asyncio.Event = field(default_factory=asyncio.Event)
    plans_asked: int = 0

    async def complete(self, prompt: Prompt, ask: Ask) -> tuple[Completion, ...]:
        """Give a draft; a plan once it may."""
        if prompt.role is Role.PLANNER:
            self.plans_asked += 1
            if self.away:
                raise EngineUnavailable(EngineFault.TIMEOUT)
            await self.may.wait()
        return await super().complete(prompt, ask)


class FixedAliases:
    """Every role is served by the base model."""

    async def serving(self, role: Role) -> str:
        """Give the base model's name."""
        return BASE


@dataclass
class WordScreen:
    """Finds a level where a message names it in brackets, as in ``[high]``; otherwise calm."""

    category: Category = Category.SUICIDE
    broken: bool = False
    hangs_s: float = 0.0

    def judge(self, text: str, history: Sequence[Line], language: Language) -> RiskReport:
        """Judge as told; it may also break its promise never to raise, or hang."""
        if self.broken:
            raise RuntimeError("the screen is broken")
        if self.hangs_s:
            time.sleep(self.hangs_s)
        for level in reversed(RiskLevel):
            if level is not RiskLevel.NONE and f"[{level}]" in text:
                return RiskReport(level, self.category, 0.9, (), "rules")
        return CALM


@dataclass
class NameFinder:
    """Finds the names it is told of, as people."""

    names: tuple[str, ...] = ("Marisol", "Gregor")

    def find(self, text: str, language: Language) -> Sequence[Found]:
        """Give where the names stand."""
        pattern = "|".join(map(re.escape, self.names)) or "(?!)"
        return [Found(*one.span(), Kind.PERSON) for one in re.finditer(pattern, text)]


@dataclass
class NamedScrubber:
    """The real scrub with a finder that knows its names; breaks when told."""

    finder: NameFinder = field(default_factory=NameFinder)
    broken: bool = False
    read: list[str] = field(default_factory=list[str])

    def scrub(self, text: str, language: Language, surrogates: Surrogates) -> Scrubbed:
        """Scrub, or break as told."""
        self.read.append(text)
        if self.broken:
            raise RuntimeError("the scrubber is broken")
        return Scrubber(self.finder).scrub(text, language, surrogates)


class PlainScrubber:
    """Finds nothing in anything: for measuring what everything else costs."""

    def scrub(self, text: str, language: Language, surrogates: Surrogates) -> Scrubbed:
        """Give the text as it is."""
        return Scrubbed(text, surrogates, ())


@dataclass
class FakePager:
    """Remembers whom it paged; reaches nobody when told."""

    reaches: bool = True
    pages: list[Page] = field(default_factory=list[Page])

    async def page(self, page: Page) -> bool:
        """Tell somebody, if anybody can be reached."""
        await asyncio.sleep(0)
        if self.reaches:
            self.pages.append(page)
        return self.reaches


class ListlessStore(MemoryStore):
    """A memory store with a row in it that no list can be made of."""

    async def rows(self, query: RowQuery) -> Any:
        """Trip over the row."""
        raise ValueError("a row of a newer build")


class GrowingStore(MemoryStore):
    """A memory store where, once, something happens right after a row was read."""

    meanwhile: Callable[[], Awaitable[object]] | None = None

    async def row(self, session_id: str) -> StoredRow | None:
        """Give the row as it was before that."""
        found = await super().row(session_id)
        if self.meanwhile is not None:
            happening, self.meanwhile = self.meanwhile, None
            await happening()
        return found


class FaultyStore(MemoryStore):
    """A memory store that fails now and then, before or after the commit; one seed, one story.

    After the commit is the cruel one: it is written, and nobody is told.
    """

    def __init__(self, seed: int, rate: float = 0.0) -> None:
        super().__init__()
        self._dice = random.Random(seed)
        self.rate = rate
        """How often a call goes wrong, 0 to 1."""

    async def append(self, write: Append) -> None:
        """Append, unless it goes wrong."""
        fault = self._fault("before", "after", "conflict")
        if fault == "before":
            raise StoreUnavailable("before")
        if fault == "conflict":
            raise Conflict
        await super().append(write)
        if fault == "after":
            raise StoreUnavailable("after")

    async def read(self, session_id: str, after: int = 0) -> Any:
        """Read, unless it goes wrong."""
        if self._fault("before"):
            raise StoreUnavailable("read")
        return await super().read(session_id, after)

    async def forget_answers(self, now_ms: int) -> int:
        """Forget, unless it goes wrong."""
        if self._fault("before"):
            raise StoreUnavailable("before")
        return await super().forget_answers(now_ms)

    def _fault(self, *kinds: str) -> str | None:
        return self._dice.choice(kinds) if self._dice.random() < self.rate else None

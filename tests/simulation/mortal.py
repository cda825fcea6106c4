"""Ports that die: the process may end before or after anything it asks of the world."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from models.completion import Ask, Completion
from planner.prompt import Prompt
from service.ports import Page
from service.stores.port import Append, Claim, ClaimWish, Document, Envelope, Lease, StoredRow
from tests.fakes import FakePager, FaultyStore, ScriptedEngine

RESTLESS = 5_000
"""More awaits than anything asked here needs: work that is due again the moment it is done."""


class Crash(BaseException):
    """The process is gone. Nothing in it may catch this."""


@dataclass
class Life:
    """How many more awaits a process lives to see."""

    left: int | None = None
    """None lives on."""
    dead: bool = False
    taken: int = 0
    """Awaits since something was last asked of the service."""

    async def step(self) -> None:
        """Wait, so that others may run; die when it is time."""
        await asyncio.sleep(0)
        self.taken += 1
        if self.taken > RESTLESS:
            raise AssertionError("the service never comes to rest")
        if self.left is not None:
            self.left -= 1
            self.dead = self.dead or self.left < 0
        if self.dead:
            raise Crash

    def again(self) -> None:
        """A fresh process."""
        self.left, self.dead = None, False


class MortalStore(FaultyStore):
    """A faulty store whose caller may die before and after every call."""

    def __init__(self, seed: int, life: Life) -> None:
        super().__init__(seed)
        self._life = life

    async def append(self, write: Append) -> None:
        """See `Store.append`."""
        await self._life.step()
        await super().append(write)
        await self._life.step()

    async def read(self, session_id: str, after: int = 0) -> Sequence[Envelope]:
        """See `Store.read`."""
        await self._life.step()
        return await super().read(session_id, after)

    async def row(self, session_id: str) -> StoredRow | None:
        """See `Store.row`."""
        await self._life.step()
        return await super().row(session_id)

    async def lease_due(
        self, now_ms: int, until_ms: int, limit: int, *, aside: bool = False
    ) -> Sequence[Lease]:
        """See `Store.lease_due`."""
        await self._life.step()
        taken = await super().lease_due(now_ms, until_ms, limit, aside=aside)
        await self._life.step()
        return taken

    async def keep_lease(
        self, lease: Lease, until_ms: int, *, aside_since_ms: int | None = None
    ) -> bool:
        """See `Store.keep_lease`."""
        await self._life.step()
        kept = await super().keep_lease(lease, until_ms, aside_since_ms=aside_since_ms)
        await self._life.step()
        return kept

    async def claim(self, wish: ClaimWish) -> Claim:
        """See `Store.claim`."""
        await self._life.step()
        claim = await super().claim(wish)
        await self._life.step()
        return claim

    async def document(self, kind: str, key: str) -> Document | None:
        """See `Store.document`."""
        await self._life.step()
        return await super().document(kind, key)


@dataclass
class MortalEngine(ScriptedEngine):
    """An engine whose caller may die while it waits."""

    life: Life = field(default_factory=Life)

    async def complete(self, prompt: Prompt, ask: Ask) -> tuple[Completion, ...]:
        """See `Engine.complete`."""
        await self.life.step()
        answers = await super().complete(prompt, ask)
        await self.life.step()
        return answers


@dataclass
class MortalPager(FakePager):
    """A pager whose caller may die before or after somebody was called."""

    life: Life = field(default_factory=Life)

    async def page(self, page: Page) -> bool:
        """See `Pager.page`."""
        await self.life.step()
        reached = await super().page(page)
        await self.life.step()
        return reached

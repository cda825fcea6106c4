"""Which model name answers for a role, and which rollout may change that: one for all replicas."""

import json
from typing import NamedTuple

from planner.vocabulary import Role
from service.stores.port import Document, Store

_KIND = "alias"
_MARK = "rollout_mark"
_YOUNG_MS = 60_000
"""Between a mark and its rollout lies one write; whoever takes longer is taken for dead."""


class Mark(NamedTuple):
    """Which rollout of a role was begun last, and when. No words."""

    version: int = 0
    rollout_id: str | None = None
    """None where no rollout was marked yet."""
    at_ms: int = 0

    def young(self, now_ms: int) -> bool:
        """Whether the rollout may be yet to be written, by a process that lives."""
        return self.rollout_id is not None and abs(now_ms - self.at_ms) < _YOUNG_MS


class StoredAliases:
    """The alias table; a role without an entry is answered by the base model."""

    def __init__(self, store: Store, base: str) -> None:
        self._store = store
        self._base = base

    async def serving(self, role: Role) -> str:
        """Give the name to ask the engine for."""
        found = await self._store.document(_KIND, role)
        return str(json.loads(found.body)["name"]) if found else self._base

    async def version(self, role: Role) -> int:
        """Give the version of a role's entry, which `point` needs; 0 without one."""
        found = await self._store.document(_KIND, role)
        return found.version if found else 0

    async def point(self, role: Role, name: str, seen: int) -> None:
        """Let ``name`` answer for a role. Raises: Conflict where it was pointed since ``seen``."""
        body = json.dumps({"name": name}).encode()
        await self._store.put_document(_KIND, Document(role, seen + 1, body))

    async def marked(self, role: Role) -> Mark:
        """Give the mark of a role as it stands."""
        found = await self._store.document(_MARK, role)
        return Mark(found.version, **json.loads(found.body)) if found else Mark()

    async def mark(self, role: Role, mark: Mark) -> None:
        """Write the mark that follows the one seen. Raises: Conflict where another came first."""
        body = json.dumps({"rollout_id": mark.rollout_id, "at_ms": mark.at_ms}).encode()
        await self._store.put_document(_MARK, Document(role, mark.version, body))

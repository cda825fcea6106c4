"""Which model name answers for a role: kept in the store, so that every replica flips at once."""

import json

from planner.vocabulary import Role
from service.stores.port import Document, Store

_KIND = "alias"


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

"""Which model name answers for a role: kept in the store, so that every replica flips at once."""

import json

from planner.vocabulary import Role
from service.stores.port import Store

KIND = "alias"


class StoredAliases:
    """Reads the alias table; a role without an entry is answered by the base model."""

    def __init__(self, store: Store, base: str) -> None:
        self._store = store
        self._base = base

    async def serving(self, role: Role) -> str:
        """Give the name to ask the engine for."""
        found = await self._store.document(KIND, role)
        return str(json.loads(found.body)["name"]) if found else self._base

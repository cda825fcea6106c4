"""A service to try doors, keys and limits on."""

from collections.abc import AsyncIterator

import pytest

from tests.driving import Town, town


@pytest.fixture
async def here() -> AsyncIterator[Town]:
    """A service whose decided replies leave at once."""
    async with town() as made:
        yield made

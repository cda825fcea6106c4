"""A service for each story."""

from collections.abc import AsyncIterator

import pytest

from service.session.duties import Policy
from tests.driving import Town, town
from tests.fakes import WaitingEngine


@pytest.fixture
async def here() -> AsyncIterator[Town]:
    """A service whose decided replies leave at once."""
    async with town() as made:
        yield made


@pytest.fixture
async def holding() -> AsyncIterator[Town]:
    """A service that holds a decided reply for five seconds."""
    async with town(policy=Policy(hold_ms=5_000)) as made:
        yield made


@pytest.fixture
async def paused() -> AsyncIterator[Town]:
    """A service whose model is paused by its organisation."""
    async with town(policy=Policy(hold_ms=0, drafting=False)) as made:
        yield made


@pytest.fixture
async def engine() -> WaitingEngine:
    """A model that is busy until the test lets it answer."""
    return WaitingEngine()


@pytest.fixture
async def quick() -> AsyncIterator[Town]:
    """A service that waits for its screen and scrub for a moment only."""
    async with town(safety_timeout_s=0.05) as made:
        yield made

"""A real vLLM on the CPU, started once for the whole folder, or the one that is pointed at."""

import json
from collections.abc import AsyncIterator, Iterator

import pytest

from models.base_model import DEFAULT_FOLDER, RECORD
from models.train.own_engine import ROOT, Running, engine_running
from models.vllm_engine import VllmEngine, open_client
from tests.conftest import Require

BASE = DEFAULT_FOLDER.name


@pytest.fixture(scope="session")
def running(require: Require, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give an engine with no adapter loaded; its first start prepares the base model."""
    require(".venv-engine/bin/python")
    with engine_running(tmp_path_factory.mktemp("engine") / "engine.log") as engine:
        yield engine


@pytest.fixture
async def engine(running: Running) -> AsyncIterator[VllmEngine]:
    """Give our client of the running engine."""
    async with open_client(running.url, running.key) as client:
        yield VllmEngine(client, BASE)


@pytest.fixture(scope="session")
def base_sha256(running: Running) -> str:
    """Name the weights that the engine runs on."""
    record = json.loads((ROOT / DEFAULT_FOLDER / RECORD).read_text())
    return str(record["weights_sha256"])

"""Every store the service can run on, fresh for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis

from service.stores.memory import MemoryStore
from service.stores.redis import RedisStore
from service.stores.sqlite import SqliteStore
from tests.conftest import Require
from tests.contract.certificate import OwnCertificate, make
from tests.contract.redis_server import RedisServer

Store = MemoryStore | SqliteStore | RedisStore


@pytest.fixture(scope="session")
def redis_server(
    require: Require, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RedisServer]:
    """One server for the whole run."""
    server = RedisServer(require("redis-server"), tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def empty_redis(redis_server: RedisServer) -> RedisServer:
    """The server with nothing in it."""
    with redis.Redis(port=redis_server.port) as client:
        client.flushall()
    return redis_server


@pytest.fixture
def own_certificate(tmp_path: Path) -> OwnCertificate:
    """Give a certificate that this test alone may trust."""
    return make(tmp_path)


@pytest.fixture(params=["memory", "sqlite", pytest.param("redis", marks=pytest.mark.redis)])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """The same promises three times."""
    if request.param == "memory":
        made: Store = MemoryStore()
    elif request.param == "sqlite":
        made = SqliteStore(tmp_path / "secondchair.db")
    else:
        made = RedisStore(request.getfixturevalue("empty_redis").url)
    yield made
    await made.close()

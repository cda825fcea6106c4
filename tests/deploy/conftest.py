"""Programs that `make setup` installs: without one a test is skipped, and in CI fails."""

import pytest

from tests.conftest import Require


@pytest.fixture
def promtool(require: Require) -> str:
    """Prometheus's own checker of rules."""
    return require("promtool")


@pytest.fixture
def openssl(require: Require) -> str:
    """What the secrets are made with."""
    return require("openssl")


@pytest.fixture
def redis_program(require: Require) -> str:
    """A real Redis."""
    return require("redis-server")


@pytest.fixture
def hadolint(require: Require) -> str:
    """A linter of Dockerfiles."""
    return require(".venv/bin/hadolint")

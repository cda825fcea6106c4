"""A small `make chaos`: the fleet is killed and restarted under load, and nothing is lost."""

from pathlib import Path

import pytest

from tests.chaos.run import Outcome, Wish, run
from tests.conftest import Require

_KILLS, _SEED = 6, 11


@pytest.mark.redis
@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_few_kills_under_load_lose_double_and_release_nothing(
    require: Require, tmp_path: Path
) -> None:
    wish = Wish(_KILLS, _SEED, clients=3, limit_s=90)
    outcome = await run(wish, tmp_path, require("redis-server"))
    print(outcome.table())
    assert dict(outcome.findings.wrong) == {}
    assert outcome.kills.total() > 0
    _sees_ordinary_work(outcome)


@pytest.mark.redis
@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_rolling_restart_under_load_loses_nothing_and_every_process_ends_when_asked(
    require: Require, tmp_path: Path
) -> None:
    wish = Wish(0, _SEED, clients=3, rolling=True)
    outcome = await run(wish, tmp_path, require("redis-server"))
    print(outcome.table())
    assert dict(outcome.findings.wrong) == {}
    replicas = ("api-0", "api-1", "worker-0", "worker-1")
    assert dict(outcome.others) == {f"{name} restarted": 1 for name in replicas}
    _sees_ordinary_work(outcome)


def _sees_ordinary_work(outcome: Outcome) -> None:
    """Where nearly every message alerts, nothing is drafted or decided, and little can be lost."""
    found = outcome.findings
    assert found.messages >= len(outcome.witness.accepted) > 0
    assert found.decisions > 0
    assert found.alerts < found.messages / 5

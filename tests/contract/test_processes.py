"""What a shared store promises between processes that know nothing of each other."""

import asyncio
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.contract.making import append
from tests.contract.racer import open_store

_PROCESSES, _SESSIONS = 4, 2_500
"""Every process claims every session: 10,000 claims, of which 2,500 may be granted."""


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.redis)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store lives that several processes can open."""
    if request.param == "redis":
        return request.getfixturevalue("empty_redis").url
    return str(tmp_path / "secondchair.db")


def racer(address: str, name: str, *what: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.contract.racer", address, name, *what],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_ten_thousand_claims_of_four_processes_are_never_given_twice(address: str) -> None:
    store = open_store(address)
    for first in range(0, _SESSIONS, 50):
        await asyncio.gather(
            *(store.append(append(f"ses_{one:05d}")) for one in range(first, first + 50))
        )
    racers = [racer(address, f"r{one}", "claim", str(_SESSIONS)) for one in range(_PROCESSES)]
    assert [line(one) for one in racers] == ["ready"] * _PROCESSES
    for one in racers:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    holders: dict[str, str] = {}
    won: Counter[str] = Counter()
    for number, one in enumerate(racers):
        told, _ = one.communicate(timeout=200)
        won.update(told.split())
        holders |= dict.fromkeys(told.split(), f"r{number}")
        assert one.returncode == 0
    assert len(won) == _SESSIONS
    assert set(won.values()) == {1}
    for session_id, holder in holders.items():
        found = await store.row(session_id)
        assert found is not None
        assert found.claim is not None
        assert (found.claim.holder, found.claim.number) == (holder, 1)
    await store.close()


def test_one_process_hears_what_another_appended(address: str) -> None:
    with racer(address, "listener", "hear") as listener:
        assert line(listener) == "ready"
        with racer(address, "writer", "append") as writer:
            assert writer.wait(60) == 0
        assert line(listener) == "heard"

"""The bench still runs: it calls the service's routes as functions; nothing else would notice."""

from pathlib import Path

import pytest

from tests.bench import in_process, kept, with_engine
from tests.bench.figures import Bench


async def test_turns_and_messages_can_be_measured(tmp_path: Path) -> None:
    found = await in_process.turns(tmp_path, 2, 1)
    assert found.count == 2
    (tmp_path / "messages").mkdir()
    assert (await in_process.messages(tmp_path / "messages", 2, 1)).count == 2


async def test_the_queue_can_be_measured(tmp_path: Path) -> None:
    assert (await kept.queue(tmp_path, 3, looks=2)).count == 2


def test_a_bench_without_an_engine_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(with_engine, "ROOT", tmp_path)
    bench = Bench()
    with_engine.measure(bench)
    assert [row.ours for row in bench.rows] == ["none here: `make run` prepares one"]

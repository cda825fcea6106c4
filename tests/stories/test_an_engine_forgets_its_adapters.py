"""An engine that starts anew knows its base only: no role stays without drafts for that."""

import shutil
from pathlib import Path

import pytest

from models.completion import EngineFault
from models.rollout import Phase, Reason
from planner.vocabulary import Role
from service.stores.port import Document
from tests.fakes import BASE
from tests.stories.test_adapters_change import Desk, opened
from tests.stories.test_adapters_change import desk as desk

UNKNOWN = "utterance-000000000000"
UNTIL_DONE = (
    Phase.LOADING,
    Phase.WARMING,
    Phase.GATING,
    Phase.FLIPPING,
    Phase.CONFIRMING,
    Phase.DRAINING,
    Phase.UNLOADING,
)


async def reach(desk: Desk, phase: Phase) -> None:
    """Take the last rollout there."""
    if phase in (Phase.UNLOADING, Phase.CLEARING):
        await desk.until(Phase.DRAINING if phase is Phase.UNLOADING else Phase.EMPTYING)
        desk.later()
    await desk.until(phase)


@pytest.mark.parametrize("phase", UNTIL_DONE)
async def test_a_rollout_goes_on_when_the_engine_forgets(desk: Desk, phase: Phase) -> None:
    await desk.change(desk.publish())
    await desk.rolling.start(Role.UTTERANCE, second := desk.publish())
    await reach(desk, phase)
    desk.stub.adapters.clear()
    for _ in range(2):
        await desk.rolling.round()
    await desk.serves()
    await desk.finish()
    last = (await desk.rolling.all())[-1].rollout
    assert (last.phase, last.reason) == (Phase.DONE, None)
    assert (await desk.serves(), desk.stub.adapters) == (second, {second})


@pytest.mark.parametrize("phase", [Phase.RETURNING, Phase.EMPTYING, Phase.CLEARING])
async def test_the_way_back_leads_to_an_adapter_that_is_loaded(desk: Desk, phase: Phase) -> None:
    await desk.change(first := desk.publish())
    await desk.rolling.start(Role.UTTERANCE, desk.publish())
    await desk.until(Phase.DRAINING)
    await desk.rolling.take_back(Role.UTTERANCE)
    await reach(desk, phase)
    desk.stub.adapters.clear()
    await desk.rolling.round()
    assert await desk.serves() == first
    await desk.finish()
    assert (await desk.serves(), desk.stub.adapters) == (first, {first})


async def test_the_way_back_leads_to_the_base_where_the_old_adapter_is_gone(desk: Desk) -> None:
    await desk.change(first := desk.publish())
    await desk.rolling.start(Role.UTTERANCE, desk.publish())
    await desk.until(Phase.DRAINING)
    shutil.rmtree(desk.rolling.shelf.folder / first)
    desk.stub.adapters.clear()
    await desk.back()
    assert (await desk.serves(), desk.stub.adapters) == (BASE, set[str]())


async def test_an_engine_that_is_away_after_the_flip_is_waited_for(desk: Desk) -> None:
    await desk.rolling.start(Role.UTTERANCE, name := desk.publish())
    await desk.until(Phase.CONFIRMING)
    desk.engine.fault = EngineFault.DOWN
    await desk.rolling.round()
    desk.engine.fault = None
    desk.stub.adapters.clear()
    await desk.finish()
    assert await desk.serves() == name


async def test_an_engine_that_stays_away_is_no_mismatch(desk: Desk) -> None:
    await desk.change(first := desk.publish())
    await desk.rolling.start(Role.UTTERANCE, desk.publish())
    await desk.until(Phase.CONFIRMING)
    desk.engine.fault = EngineFault.DOWN
    desk.later()
    await desk.rolling.round()
    last = (await desk.rolling.all())[-1].rollout
    assert (last.reason, last.detail) == (Reason.CONFIRM_FAILED, "down")
    desk.engine.fault = None
    await desk.finish()
    assert await desk.serves() == first


async def test_an_adapter_that_a_release_no_longer_has_makes_room_for_the_one_it_brings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with opened(tmp_path, auto=True) as desk:
        alias = Document("utterance", 1, b'{"name": "%s"}' % UNKNOWN.encode())
        await desk.rolling.store.put_document("alias", alias)
        shipped = desk.publish()
        await desk.rolling.round()
        assert await desk.serves() == BASE
        told = [line for line in capsys.readouterr().out.splitlines() if UNKNOWN in line]
        assert len(told) == 1
        assert "adapter_changed" in told[0]
        assert told[0].count("missing") == 2
        await desk.rolling.round()
        await desk.finish()
        assert await desk.serves() == shipped


async def test_an_adapter_that_an_older_release_had_comes_again_after_a_downgrade(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, auto=True) as desk:
        older = desk.publish()
        await desk.rolling.round()
        await desk.finish()
        await desk.change(newer := desk.publish())
        shutil.rmtree(desk.rolling.shelf.folder / newer)
        desk.stub.adapters.clear()
        for _ in range(2):
            await desk.rolling.round()
        await desk.finish()
        assert await desk.serves() == older


async def test_after_a_persons_no_the_base_stays_where_the_adapter_is_gone(tmp_path: Path) -> None:
    async with opened(tmp_path, auto=True) as desk:
        await desk.change(first := desk.publish())
        await desk.change(desk.publish())
        await desk.back()
        shutil.rmtree(desk.rolling.shelf.folder / first)
        desk.stub.adapters.clear()
        for _ in range(3):
            await desk.rolling.round()
        await desk.finish()
        assert (await desk.serves(), desk.stub.adapters) == (BASE, set[str]())


async def test_what_the_engine_still_has_serves_on_without_its_folder(desk: Desk) -> None:
    await desk.change(name := desk.publish())
    shutil.rmtree(desk.rolling.shelf.folder / name)
    await desk.rolling.round()
    assert await desk.serves() == name


@pytest.mark.parametrize("phase", [Phase.DRAINING, Phase.EMPTYING])
async def test_an_engine_keeps_what_a_role_left_as_long_as_requests_may_last(
    desk: Desk, phase: Phase
) -> None:
    await desk.change(first := desk.publish())
    await desk.rolling.start(Role.UTTERANCE, second := desk.publish())
    await desk.until(Phase.DRAINING)
    if phase is Phase.EMPTYING:
        await desk.rolling.take_back(Role.UTTERANCE)
        await desk.until(phase)
    for _ in range(3):
        await desk.rolling.round()
    assert desk.stub.adapters == {first, second}
    desk.later()
    for _ in range(2):
        await desk.rolling.round()
    assert desk.stub.adapters == {await desk.serves()}

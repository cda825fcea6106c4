"""A role changes its adapter, and goes back, whatever breaks meanwhile and whoever else works."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from models.adapters import CONFIG, WEIGHTS, Fit, Manifest, publish
from models.completion import Ask, EngineFault, EngineUnavailable
from models.rollout import ANSWERS_MIN, Phase, Reason
from models.vllm_engine import WatchedEngine, open_client
from planner.prompt import Message, Prompt
from planner.vocabulary import Role
from service.aliases import StoredAliases
from service.rolling import Rolling, Running, Shelf
from service.session.refusals import Refused
from service.stores.memory import MemoryStore
from service.stores.port import Conflict, Document
from tests.driving import Town
from tests.fakes import BASE, BusyEngine, CountingIds, ManualClock
from tests.models.test_adapters import PEFT, weights
from tests.stub_engine import StubEngine, serving

DRAIN_MS = 1_000
FIGURES = ("loss_cut", "action_gain", "plans_obeying", "plans_obeying_held")
GOOD = {f"eval_{name}": 1.0 for name in FIGURES}
WORSE = dict.fromkeys(GOOD, 0.0)


@dataclass
class Desk:
    """The adapter desk of one process on a stub engine, and a shelf to put adapters on."""

    rolling: Rolling
    stub: StubEngine
    engine: BusyEngine
    work: Path
    published: int = field(default=0)

    def publish(self, role: Role = Role.UTTERANCE, notes: dict[str, float] | None = None) -> str:
        """Put one more adapter on the shelf, good unless its figures say otherwise."""
        time.sleep(0.002)  # So that each has its own time.
        self.published += 1
        folder = self.work / str(self.published)
        folder.mkdir()
        (folder / CONFIG).write_text(json.dumps({**PEFT, "alpha": self.published}))
        (folder / WEIGHTS).write_bytes(weights())
        manifest = Manifest(
            name="", role=role, base="tiny", base_sha256="b" * 64, notes=notes or GOOD
        )
        return publish(folder, self.rolling.shelf.folder, manifest).name

    def later(self) -> None:
        """Let as much time go by as a drain takes."""
        assert isinstance(self.rolling.clock, ManualClock)
        self.rolling.clock.tick(DRAIN_MS)

    async def finish(self) -> None:
        """Take steps until nothing is unfinished."""
        for _ in range(20):
            await self.rolling.round()
            self.later()
            if all(one.rollout.over for one in await self.rolling.all()):
                return
        raise AssertionError("a rollout does not end")

    async def until(self, phase: Phase) -> Running:
        """Take steps until the last rollout stands there."""
        while (last := (await self.rolling.all())[-1]).rollout.phase is not phase:
            await self.rolling.round()
        return last

    async def change(self, name: str) -> None:
        """Bring an adapter into service, or fail to."""
        await self.rolling.start(Role.UTTERANCE, name)
        await self.finish()

    async def back(self) -> None:
        """Ask for what served before, and wait for it."""
        await self.rolling.take_back(Role.UTTERANCE)
        await self.finish()

    async def serves(self) -> str:
        """Give what answers for utterances; a name that the engine knows."""
        name = await self.rolling.aliases.serving(Role.UTTERANCE)
        assert name == BASE or name in self.stub.adapters
        return name


@asynccontextmanager
async def opened(folder: Path, auto: bool = False) -> AsyncGenerator[Desk]:
    async with serving() as stub, open_client(f"http://127.0.0.1:{stub.port}", "") as client:
        store, engine = MemoryStore(), BusyEngine(client, BASE)
        shelf = Shelf(folder / "shelf", Fit("b" * 64), BASE, DRAIN_MS, auto)
        (folder / "work").mkdir()
        aliases = StoredAliases(store, BASE)
        rolling = Rolling(store, (engine,), aliases, ManualClock(), CountingIds(), shelf)
        yield Desk(rolling, stub, engine, folder / "work")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path) as made:
        yield made


async def test_an_adapter_comes_into_service(desk: Desk) -> None:
    name = desk.publish()
    await desk.change(name)
    assert await desk.serves() == name


async def test_a_rollout_that_breaks_stops_no_other_and_no_loop(desk: Desk) -> None:
    planner, utterance = desk.publish(Role.PLANNER), desk.publish()
    await desk.rolling.start(Role.PLANNER, planner)
    await desk.rolling.start(Role.UTTERANCE, utterance)
    alias = Document("planner", 1, b"what a newer build wrote")
    await desk.rolling.store.put_document("alias", alias)
    running = asyncio.create_task(desk.rolling.run())
    await asyncio.sleep(0.01)
    assert not running.done()
    running.cancel()
    for _ in range(20):
        await desk.rolling.round()
        desk.later()
    assert await desk.serves() == utterance


async def test_a_rollback_asked_for_during_a_step_is_not_lost(desk: Desk) -> None:
    await desk.change(first := desk.publish())
    await desk.rolling.start(Role.UTTERANCE, second := desk.publish())
    desk.engine.meanwhile = lambda: desk.rolling.take_back(Role.UTTERANCE)
    await desk.finish()
    last = (await desk.rolling.all())[-1].rollout
    assert (last.new, last.phase, last.reason) == (second, Phase.ROLLED_BACK, Reason.ASKED)
    assert await desk.serves() == first
    assert desk.stub.adapters == {first}


async def test_a_slow_worker_does_not_undo_what_a_quicker_one_has_done(desk: Desk) -> None:
    await desk.rolling.start(Role.UTTERANCE, name := desk.publish())
    await desk.until(Phase.LOADING)
    slow = BusyEngine(desk.engine._client, BASE)  # pyright: ignore[reportPrivateUsage]
    slow.meanwhile, slow.late = desk.finish, True
    await replace(desk.rolling, engines=(slow,)).round()
    assert (await desk.rolling.all())[-1].rollout.phase is Phase.DONE
    assert await desk.serves() == name


async def test_a_slow_worker_does_not_flip_back_what_was_taken_back(desk: Desk) -> None:
    await desk.change(first := desk.publish())
    await desk.rolling.start(Role.UTTERANCE, desk.publish())
    stale = await desk.until(Phase.FLIPPING)
    await desk.back()
    with pytest.raises(Conflict):
        await desk.rolling._desk(stale).point(Role.UTTERANCE, stale.rollout.new)  # pyright: ignore[reportPrivateUsage]
    assert await desk.serves() == first


async def test_a_rollback_that_comes_too_late_is_refused_not_promised(desk: Desk) -> None:
    await desk.change(desk.publish())
    await desk.rolling.start(Role.UTTERANCE, desk.publish())
    await desk.until(Phase.DRAINING)
    desk.later()
    await desk.until(Phase.UNLOADING)
    with pytest.raises(Refused, match="rollout_running"):
        await desk.rolling.take_back(Role.UTTERANCE)


async def test_a_rollback_goes_past_what_never_served_and_on_to_the_base(desk: Desk) -> None:
    await desk.change(first := desk.publish())
    await desk.change(second := desk.publish())
    await desk.change(desk.publish(notes=WORSE))
    assert await desk.serves() == second
    await desk.back()
    assert await desk.serves() == first
    await desk.change(BASE)
    assert (await desk.serves(), desk.stub.adapters) == (BASE, set[str]())
    with pytest.raises(Refused, match="no_rollout"):
        await desk.rolling.take_back(Role.UTTERANCE)
    with pytest.raises(Refused, match="nothing_to_change"):
        await desk.rolling.start(Role.UTTERANCE, BASE)


async def test_who_asks_twice_for_the_way_back_gets_it_once(desk: Desk) -> None:
    await desk.change(first := desk.publish())
    await desk.change(desk.publish())
    way = await desk.rolling.take_back(Role.UTTERANCE)
    while not (await desk.rolling.all())[-1].rollout.over:
        again = await desk.rolling.take_back(Role.UTTERANCE)
        assert (again.rollout_id, again.rollout.reason) == (way.rollout_id, None)
        await desk.rolling.round()
        desk.later()
    assert await desk.serves() == first
    await desk.back()
    assert await desk.serves() == BASE, "what was just left is not gone back to"


async def test_a_way_back_can_be_followed_by_another_way_forward(desk: Desk) -> None:
    await desk.change(first := desk.publish())
    await desk.change(second := desk.publish())
    await desk.back()
    await desk.change(second)
    await desk.back()
    assert await desk.serves() == first


async def test_what_a_person_took_back_does_not_come_again_by_itself(tmp_path: Path) -> None:
    async with opened(tmp_path, auto=True) as desk:
        desk.publish()
        newer = desk.publish()
        await desk.finish()
        await desk.finish()
        assert await desk.serves() == newer
        await desk.back()
        for _ in range(3):
            await desk.finish()
        assert (await desk.serves(), desk.stub.adapters) == (BASE, set[str]())


async def test_of_several_adapters_the_one_published_last_comes_by_itself(tmp_path: Path) -> None:
    for place in range(4):
        (tmp_path / str(place)).mkdir()
        async with opened(tmp_path / str(place), auto=True) as desk:
            names = [desk.publish() for _ in range(place + 1)]
            await desk.rolling.round()
            assert [one.rollout.new for one in await desk.rolling.all()] == names[-1:]


async def test_an_adapter_that_the_engine_passes_over_never_serves(desk: Desk) -> None:
    desk.stub.unheard = True
    await desk.change(desk.publish())
    last = (await desk.rolling.all())[-1].rollout
    assert (last.reason, last.detail) == (Reason.WARM_UP_FAILED, "as_the_base")
    assert (await desk.serves(), desk.stub.adapters) == (BASE, set[str]())


PROMPT = Prompt((Message("user", "Hello."),), Role.UTTERANCE, {}, "", 8)


async def _asked_in_vain(watched: WatchedEngine, ask: Ask) -> None:
    for _ in range(ANSWERS_MIN):
        with pytest.raises(EngineUnavailable):
            await watched.complete(PROMPT, ask)


async def test_an_adapter_whose_answers_fail_is_taken_back_by_itself(desk: Desk) -> None:
    await desk.change(first := desk.publish())
    await desk.rolling.start(Role.UTTERANCE, second := desk.publish())
    await desk.until(Phase.DRAINING)
    watched = WatchedEngine(desk.engine, desk.rolling.answered)
    await watched.complete(PROMPT, Ask(second, "salt"))
    desk.stub.mode, desk.stub.delay_s = "slow", 1.0
    await _asked_in_vain(watched, Ask(second, "salt", timeout_s=0.02))
    desk.stub.mode = "ok"
    assert (await desk.rolling.all())[-1].rollout.errors == 0, "a busy engine proves nothing"
    desk.stub.adapters.discard(second)
    await _asked_in_vain(watched, Ask(second, "salt"))
    await desk.rolling.round()
    assert (await desk.rolling.all())[-1].rollout.errors == 0, "nor does one that started anew"
    assert second in desk.stub.adapters
    desk.engine.fault = EngineFault.BROKEN
    await _asked_in_vain(watched, Ask(second, "salt"))
    desk.engine.fault = None
    await desk.finish()
    assert (await desk.rolling.all())[-1].rollout.reason is Reason.ERROR_RATE
    assert await desk.serves() == first


class Flipping:
    """Names another adapter each time it is asked, as during a change of adapters."""

    def __init__(self) -> None:
        self.names = ["utterance-second", "utterance-first"]

    async def serving(self, role: Role) -> str:
        """Give the next name."""
        return self.names.pop() if self.names else BASE


async def test_a_draft_names_the_adapter_that_wrote_it_though_the_role_changed_between_the_tries(
    here: Town,
) -> None:
    here.ports = replace(here.ports, aliases=Flipping())
    here.restart()

    def once(_: object) -> str:
        here.engine.manner = "garbage"
        return "It\u2019ll be fine."

    here.engine.says = once
    session = await here.drafted()
    draft = (await here.desk("ada", session))["draft"]
    assert (draft["source"], draft["adapter"]) == ("model", "utterance-first")

"""Adapters change under load on a real engine, and no request notices."""

import asyncio
import itertools
import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from models.adapters import CONFIG, WEIGHTS, Fit, adapter_name, read_manifest, shelved
from models.completion import Ask, EngineUnavailable
from models.rollout import Phase, Reason, Rollout, advance, begin
from models.rollout_steps import AdapterDesk, take_step
from models.vllm_engine import VllmEngine
from planner.prompt import Message, Prompt
from planner.vocabulary import Role
from tests.engine.conftest import BASE

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(1500)]

SHELF = Path(__file__).parent / "adapters"
ROLLOUTS = 20
SECONDS_BETWEEN = 0.5
WORD = {
    "type": "object",
    "properties": {"word": {"type": "string", "minLength": 1, "maxLength": 12}},
    "required": ("word",),
    "additionalProperties": False,
}


def named(role: Role, word: str) -> str:
    (name,) = (
        each.name for each in shelved(SHELF) if each.role is role and each.notes["word"] == word
    )
    return name


@dataclass
class Service:
    """As much of the service as an adapter change touches: an alias and requests under way."""

    engine: VllmEngine
    alias: dict[Role, str] = field(default_factory=dict[Role, str])
    under_way: Counter[str] = field(default_factory=Counter[str])
    answers: int = 0
    wrong: list[str] = field(default_factory=list[str])

    def desk(self, shelf: Path, base_sha256: str, gate: Sequence[str] = ()) -> AdapterDesk:
        async def point(role: Role, name: str) -> None:
            self.alias[role] = name

        fit = Fit(base_sha256)
        return AdapterDesk((self.engine,), shelf, fit, lambda _: gate, point, BASE)

    def asked(self, rollout: Rollout) -> bool:
        """Whether the adapter that a drain waits for still has a request under way."""
        left = {Phase.DRAINING: rollout.old, Phase.EMPTYING: rollout.new}.get(rollout.phase)
        return left is not None and self.under_way[left] > 0

    async def answer(self, role: Role, number: int) -> None:
        """Ask the role as the service would and check who answered; failures are kept."""
        name = self.alias[role]
        self.under_way[name] += 1
        try:
            prompt = Prompt(
                (Message("user", f"Tell me about request {number}."),), role, WORD, "", 24
            )
            ask = Ask(name, salt=f"session-{number % 3}", temperature=0.0, timeout_s=120)
            (completion,) = await self.engine.complete(prompt, ask)
            manifest = read_manifest(SHELF / name)
            word = manifest.notes["word"] if manifest else ""
            if json.loads(completion.text)["word"] != word or completion.adapter != name:
                self.wrong.append(f"{name} answered as another")
        except (EngineUnavailable, ValueError) as error:
            self.wrong.append(f"{name}: {type(error).__name__} {error}")
        finally:
            self.under_way[name] -= 1
            self.answers += 1


async def finish(rollout: Rollout, desk: AdapterDesk, service: Service) -> Rollout:
    while not rollout.over:
        event = await take_step(rollout, replace(desk, settling=service.asked(rollout)))
        if event is None:
            await asyncio.sleep(0.1)
        else:
            rollout = advance(rollout, event)
    return rollout


async def changed(service: Service, role: Role, word: str, base_sha256: str) -> Rollout:
    rollout = begin(role, service.alias[role], named(role, word), BASE)
    return await finish(rollout, service.desk(SHELF, base_sha256), service)


async def asking(service: Service, stop: asyncio.Event) -> None:
    """Ask about twice a second, both roles in turn, until told to stop; then let all end."""
    async with asyncio.TaskGroup() as requests:
        for number, role in enumerate(itertools.cycle(Role)):
            if stop.is_set():
                return
            requests.create_task(service.answer(role, number))
            await asyncio.sleep(SECONDS_BETWEEN)


async def test_twenty_rollouts_under_load_fail_no_request_and_mix_no_answer(
    engine: VllmEngine, base_sha256: str
) -> None:
    service = Service(engine, dict.fromkeys(Role, BASE))
    for role in Role:
        assert (await changed(service, role, "ALPHA", base_sha256)).phase is Phase.DONE
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as world:
        world.create_task(asking(service, stop))
        for number in range(ROLLOUTS):
            role = tuple(Role)[number % 2]
            word = "BETA" if number % 4 < 2 else "ALPHA"
            before = service.alias[role]
            rollout = await changed(service, role, word, base_sha256)
            assert (rollout.phase, rollout.reason) == (Phase.DONE, None)
            assert service.alias[role] == rollout.new
            served = await engine.models()
            assert before not in served
            assert served == {BASE, *service.alias.values()}
        stop.set()
    assert service.wrong == []
    assert service.answers >= ROLLOUTS
    for name in service.alias.values():
        await engine.unload_adapter(name)


def reworked(tmp_path: Path, **changes: Any) -> tuple[Path, str]:
    """Copy ALPHA with another config, named by its new content as a published one would be."""
    source = SHELF / named(Role.UTTERANCE, "ALPHA")
    draft = tmp_path / "draft"
    shutil.copytree(source, draft)
    config = json.loads((draft / CONFIG).read_text())
    (draft / CONFIG).write_text(json.dumps({**config, **changes}))
    return rename(draft)


def rename(draft: Path, **manifest: Any) -> tuple[Path, str]:
    name = adapter_name(Role.UTTERANCE, draft)
    path = draft / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "name": name, **manifest}))
    draft.rename(draft.parent / name)
    return draft.parent, name


def dora(tmp_path: Path) -> tuple[Path, str]:
    return reworked(tmp_path, use_dora=True)


def too_high(tmp_path: Path) -> tuple[Path, str]:
    return reworked(tmp_path, r=64)


def with_modules(tmp_path: Path) -> tuple[Path, str]:
    return reworked(tmp_path, modules_to_save=["lm_head"])


def corrupt(tmp_path: Path) -> tuple[Path, str]:
    shutil.copytree(SHELF / named(Role.UTTERANCE, "ALPHA"), tmp_path / "draft")
    weights = tmp_path / "draft" / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-100])
    return rename(tmp_path / "draft")


def wrong_base(tmp_path: Path) -> tuple[Path, str]:
    shutil.copytree(SHELF / named(Role.UTTERANCE, "ALPHA"), tmp_path / "draft")
    return rename(tmp_path / "draft", base_sha256="0" * 64)


def missing(tmp_path: Path) -> tuple[Path, str]:
    return tmp_path, "utterance-000000000000"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (dora, "dora"),
        (too_high, "rank_too_high"),
        (with_modules, "modules_to_save"),
        (corrupt, "weights_corrupt"),
        (wrong_base, "wrong_base"),
        (missing, "missing"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
async def test_an_unfit_adapter_is_refused_with_its_reason_and_changes_nothing(
    make: Any, reason: str, tmp_path: Path, engine: VllmEngine, base_sha256: str
) -> None:
    shelf, name = make(tmp_path)
    service, before = Service(engine, {Role.UTTERANCE: BASE}), await engine.models()
    rollout = begin(Role.UTTERANCE, BASE, name, BASE)
    rollout = await finish(rollout, service.desk(shelf, base_sha256), service)
    assert (rollout.phase, rollout.reason) == (Phase.ROLLED_BACK, Reason.UNFIT)
    assert reason in rollout.detail.split(", ")
    assert service.alias == {Role.UTTERANCE: BASE}
    assert await engine.models() == before


async def test_an_adapter_that_misses_the_gate_is_unloaded_again(
    engine: VllmEngine, base_sha256: str
) -> None:
    service = Service(engine, {Role.UTTERANCE: BASE})
    rollout = begin(Role.UTTERANCE, BASE, named(Role.UTTERANCE, "ALPHA"), BASE)
    desk = service.desk(SHELF, base_sha256, gate=("action_accuracy",))
    rollout = await finish(rollout, desk, service)
    assert (rollout.reason, rollout.detail) == (Reason.GATE_FAILED, "action_accuracy")
    assert await engine.models() == {BASE}

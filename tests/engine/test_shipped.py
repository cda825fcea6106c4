"""The two adapters that are shipped: released, loaded and heard on a real engine."""

import asyncio
from dataclasses import replace

import pytest

from models.adapters import Fit, Manifest, preflight, shelved
from models.completion import Ask
from models.release_gate import misses
from models.rollout import Phase, advance, begin
from models.rollout_steps import AdapterDesk, take_step
from models.train.own_engine import ROOT
from models.vllm_engine import VllmEngine
from planner.machine import advance as onward
from planner.machine import candidates, start
from planner.parse import parse_plan, parse_utterance
from planner.plan_rules import DIAGNOSTIC_ACTIONS, check_plan
from planner.prompt import render
from planner.vocabulary import ClientTurn, CounselorTurn, PlanAnswer, PlannedCase, Role
from tests.engine.conftest import BASE

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(900)]

SHELF = ROOT / "models" / "adapters"
SHIPPED = shelved(SHELF)


def first_line() -> PlannedCase:
    said = ClientTurn("I keep putting off one phone call.")
    return PlannedCase("en", start(), diagnostic=(said,))


def after_diagnosis() -> PlannedCase:
    position, turns = start(), []
    for action in DIAGNOSTIC_ACTIONS:
        position = onward(position, action)
        turns.append(CounselorTurn("It is the next thing to learn.", action, "What happened?"))
        turns.append(ClientTurn("I hear the tone and think that they will laugh at me."))
    return PlannedCase("en", position, diagnostic=tuple(turns))


def test_one_adapter_is_shipped_for_each_role() -> None:
    assert sorted(manifest.role for manifest in SHIPPED) == sorted(Role)


def test_the_shipped_adapters_are_small_enough_to_be_committed() -> None:
    weights = [each.stat().st_size for each in SHELF.rglob("*") if each.is_file()]
    assert sum(weights) < 15_000_000


@pytest.mark.parametrize("manifest", SHIPPED, ids=lambda manifest: manifest.role.value)
def test_a_shipped_adapter_is_fit_and_reaches_the_gate(manifest: Manifest, base_sha256: str):
    assert preflight(SHELF, manifest.name, Fit(base_sha256)) == ()
    assert misses(manifest) == ()


@pytest.mark.parametrize("manifest", SHIPPED, ids=lambda manifest: manifest.role.value)
async def test_a_shipped_adapter_rolls_out_and_answers_by_its_schema(
    manifest: Manifest, engine: VllmEngine, base_sha256: str
) -> None:
    rollout = begin(manifest.role, BASE, manifest.name, BASE, manifest.fingerprint)
    desk = AdapterDesk((engine,), SHELF, Fit(base_sha256), misses, _nothing, BASE)
    while not rollout.over:
        # As in the service: an engine's first answer may take longer than a busy machine gives it.
        # Nobody asks the base meanwhile, so nothing is waited for once the role has changed.
        now = replace(desk, settling=rollout.phase is not Phase.DRAINING)
        if (event := await take_step(rollout, now)) is not None:
            rollout = advance(rollout, event)
    assert (rollout.phase, rollout.reason) == (Phase.DONE, None)
    case = first_line() if manifest.role is Role.UTTERANCE else after_diagnosis()
    ask = Ask(manifest.name, salt="shipped", temperature=0.0, timeout_s=300)
    (completion,) = await engine.complete(render(manifest.role, case), ask)
    assert completion.adapter == manifest.name
    if manifest.role is Role.UTTERANCE:
        turn = parse_utterance(completion.text, candidates(case.position))
        assert isinstance(turn, CounselorTurn), "the utterance could not be read"
    else:
        answer = parse_plan(completion.text)
        assert isinstance(answer, PlanAnswer), "the plan could not be read"
        assert check_plan(answer.plan) == ()
    await engine.unload_adapter(manifest.name)


async def _nothing(role: Role, name: str) -> None:
    await asyncio.sleep(0)

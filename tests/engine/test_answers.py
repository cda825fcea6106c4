"""What the service counts on from a real engine, asked of a real engine."""

import subprocess
from dataclasses import replace

import httpx
import pytest

from models.completion import Ask, EngineFault, EngineUnavailable
from models.train.own_engine import PYTHON, ROOT, Running
from models.vllm_engine import VllmEngine
from planner.machine import candidates, start
from planner.parse import parse_utterance
from planner.prompt import render
from planner.vocabulary import ClientTurn, CounselorTurn, PlannedCase, Role
from safety.risk import Line
from service.drafting import opinion
from tests.conftest import Require
from tests.engine.conftest import BASE

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

CASE = PlannedCase("en", start(), diagnostic=(ClientTurn("I keep putting off a phone call."),))
ASK = Ask(BASE, salt="session-1", temperature=0.0, timeout_s=300)


async def test_the_engine_is_healthy_and_serves_the_base(engine: VllmEngine) -> None:
    assert await engine.healthy()
    assert BASE in await engine.models()


async def test_an_answer_parses_and_its_action_is_a_candidate(engine: VllmEngine) -> None:
    (completion,) = await engine.complete(render(Role.UTTERANCE, CASE), ASK)
    turn = parse_utterance(completion.text, candidates(CASE.position))
    assert isinstance(turn, CounselorTurn), "the grammar was not obeyed"
    assert turn.action in candidates(CASE.position)
    assert completion.adapter == BASE
    assert completion.completion_tokens > 0


def test_adapters_add_the_same_sums_as_row_by_row(require: Require) -> None:
    require(".venv-engine/bin/python")
    command = [PYTHON, "-m", "tests.engine.adapter_arithmetic"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert ran.stdout.count("the same") >= 6


async def test_two_candidates_are_two_answers(engine: VllmEngine) -> None:
    ask = replace(ASK, candidates=2, temperature=1.0)
    assert len(await engine.complete(render(Role.UTTERANCE, CASE), ask)) == 2


async def test_a_session_s_next_turn_finds_its_prompt_in_the_cache(engine: VllmEngine) -> None:
    prompt, salted = render(Role.UTTERANCE, CASE), replace(ASK, salt="session-2")
    await engine.complete(prompt, salted)
    (again,) = await engine.complete(prompt, salted)
    (other,) = await engine.complete(prompt, replace(ASK, salt="session-3"))
    assert again.cached_tokens >= 128, "the engine reports no prefix-cache hit"
    assert other.cached_tokens == 0, "sessions share a cache although their salts differ"


async def test_a_prompt_beyond_the_window_is_rejected_not_retried(engine: VllmEngine) -> None:
    prompt = render(Role.UTTERANCE, CASE)
    long = replace(prompt.messages[-1], content="again " * 5000)
    with pytest.raises(EngineUnavailable) as caught:
        await engine.complete(replace(prompt, messages=(*prompt.messages[:-1], long)), ASK)
    assert caught.value.fault is EngineFault.REJECTED


async def test_the_engine_wants_its_key(running: Running) -> None:
    async with httpx.AsyncClient(base_url=running.url) as client:
        with pytest.raises(EngineUnavailable) as caught:
            await VllmEngine(client, BASE).models()
    assert caught.value.fault is EngineFault.DENIED


def test_the_engine_listens_on_loopback_only(running: Running) -> None:
    port = running.url.rsplit(":", 1)[1]
    listening = subprocess.run(["ss", "-Hltn", f"sport = :{port}"], capture_output=True, text=True)
    assert {line.split()[3] for line in listening.stdout.splitlines()} == {f"127.0.0.1:{port}"}


async def test_an_opinion_of_danger_can_be_read(engine: VllmEngine) -> None:
    """Any level will do: how well a base judges is measured elsewhere, and on larger ones."""
    history = (Line("counselor", "How was your week?"),)
    report = await opinion("I gave my books away.", history, "en", engine, ASK)
    assert report is not None, "the grammar was not obeyed"
    assert report.source == "engine"

"""The engine's edge: every way to fail has a name, and no error carries words."""

import inspect
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from models.completion import Ask, EngineFault, EngineUnavailable
from models.vllm_engine import HTTPX_ERRORS, VllmEngine, fault_of, open_client
from planner.answer_schema import answer_schema
from planner.parse import parse_plan, parse_utterance
from planner.prompt import Message, Prompt
from planner.vocabulary import Action, CounselorTurn, PlanAnswer, Role
from tests.stub_engine import BASE, StubEngine, serving

STEPS = (Action("open gently"), Action("ask what happened"))
ASK = Ask(model=BASE, salt="session-1", timeout_s=5.0)
SECRET = "the client's own words"


def prompt(role: Role = Role.UTTERANCE, language: Any = "en") -> Prompt:
    words = SECRET if language == "en" else "我很累"
    schema = answer_schema(role, STEPS, language)
    return Prompt((Message("user", words),), role, schema, "0" * 12, 320)


@pytest.fixture
async def stub() -> AsyncIterator[StubEngine]:
    async with serving() as running:
        yield running


@pytest.fixture
async def engine(stub: StubEngine) -> AsyncIterator[VllmEngine]:
    async with open_client(f"http://127.0.0.1:{stub.port}", "key") as client:
        yield VllmEngine(client, BASE)


def httpx_exceptions() -> list[type[Exception]]:
    members = [member for _, member in inspect.getmembers(httpx, inspect.isclass)]
    return [each for each in members if issubclass(each, Exception)]


@pytest.mark.parametrize("kind", httpx_exceptions(), ids=lambda kind: kind.__name__)
def test_every_exception_of_httpx_has_a_fault(kind: type[Exception]) -> None:
    assert issubclass(kind, HTTPX_ERRORS), f"{kind.__name__} would escape as a bug"
    assert fault_of(kind.__new__(kind)) in EngineFault


@pytest.mark.parametrize("kind", httpx_exceptions(), ids=lambda kind: kind.__name__)
async def test_whatever_httpx_raises_the_engine_is_unavailable(kind: type[Exception]) -> None:
    class Failing(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise kind.__new__(kind)

    async with httpx.AsyncClient(base_url="http://engine", transport=Failing()) as client:
        engine = VllmEngine(client, BASE)
        with pytest.raises(EngineUnavailable):
            await engine.complete(prompt(), ASK)
        assert not await engine.healthy()


@pytest.mark.parametrize(
    ("status", "fault"),
    [
        (400, EngineFault.REJECTED),
        (401, EngineFault.DENIED),
        (404, EngineFault.UNKNOWN_MODEL),
        (408, EngineFault.TIMEOUT),
        (422, EngineFault.REJECTED),
        (429, EngineFault.OVERLOADED),
        (500, EngineFault.BROKEN),
        (302, EngineFault.BROKEN),
        (503, EngineFault.OVERLOADED),
    ],
)
async def test_a_status_is_a_fault_and_its_body_is_never_quoted(
    status: int, fault: EngineFault
) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, json={"error": {"message": SECRET}})

    async with httpx.AsyncClient(
        base_url="http://engine", transport=httpx.MockTransport(refuse)
    ) as client:
        with pytest.raises(EngineUnavailable) as caught:
            await VllmEngine(client, BASE).complete(prompt(), ASK)
    assert caught.value.fault is fault
    assert SECRET not in repr(caught.value)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"model":"m","choices":[],"usage":null}'])
async def test_an_answer_that_is_not_the_protocol_is_broken(body: bytes) -> None:
    def mumble(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=body)

    async with httpx.AsyncClient(
        base_url="http://engine", transport=httpx.MockTransport(mumble)
    ) as client:
        with pytest.raises(EngineUnavailable) as caught:
            await VllmEngine(client, BASE).complete(prompt(), ASK)
    assert caught.value.fault is EngineFault.BROKEN
    assert caught.value.__suppress_context__


async def test_an_answer_obeys_the_schema_and_counts_its_tokens(engine: VllmEngine) -> None:
    (completion,) = await engine.complete(prompt(), ASK)
    assert isinstance(parse_utterance(completion.text, STEPS), CounselorTurn)
    assert completion.adapter == BASE
    assert completion.prompt_tokens >= completion.cached_tokens >= 0


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_the_stub_s_plans_are_plans(engine: VllmEngine, language: str) -> None:
    (completion,) = await engine.complete(prompt(Role.PLANNER, language), ASK)
    assert isinstance(parse_plan(completion.text), PlanAnswer)


async def test_as_many_candidates_come_back_as_were_asked_for(engine: VllmEngine) -> None:
    assert len(await engine.complete(prompt(), replace(ASK, candidates=3))) == 3


async def test_a_slow_engine_is_given_up_after_the_caller_s_time(
    engine: VllmEngine, stub: StubEngine
) -> None:
    stub.mode, stub.delay_s = "slow", 30
    with pytest.raises(EngineUnavailable) as caught:
        await engine.complete(prompt(), replace(ASK, timeout_s=0.05))
    assert caught.value.fault is EngineFault.TIMEOUT


async def test_a_dead_engine_is_unhealthy_and_a_living_one_generates(
    engine: VllmEngine, stub: StubEngine
) -> None:
    assert await engine.healthy()
    stub.mode = "down"
    assert not await engine.healthy()


async def test_loading_twice_and_unloading_twice_change_nothing(engine: VllmEngine) -> None:
    await engine.load_adapter("utterance-0123456789ab", "/adapters/utterance-0123456789ab")
    await engine.load_adapter("utterance-0123456789ab", "/adapters/utterance-0123456789ab")
    assert await engine.models() == {BASE, "utterance-0123456789ab"}
    await engine.unload_adapter("utterance-0123456789ab")
    await engine.unload_adapter("utterance-0123456789ab")
    assert await engine.models() == {BASE}


async def test_an_adapter_that_is_not_loaded_is_an_unknown_model(engine: VllmEngine) -> None:
    with pytest.raises(EngineUnavailable) as caught:
        await engine.complete(prompt(), replace(ASK, model="utterance-0123456789ab"))
    assert caught.value.fault is EngineFault.UNKNOWN_MODEL

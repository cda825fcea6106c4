"""No request holds us up: its answer begins in time, and its body ends in time."""

import asyncio
import json
from collections.abc import AsyncGenerator

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from service.limits import Limits
from service.telemetry import log
from tests.driving import Town, one_app

SOON_S = 0.2


@pytest.fixture
async def http() -> AsyncGenerator[httpx.AsyncClient]:
    """Four slow routes, and one that reads what it is sent."""
    app = FastAPI()

    @app.get("/never")
    @app.get("/api/chat")
    async def never(s: float = 30.0) -> str:
        await asyncio.sleep(s)
        return "at last"

    @app.get("/broken")
    async def broken() -> str:
        raise TimeoutError

    @app.get("/slowly")
    async def slowly() -> StreamingResponse:
        async def words() -> AsyncGenerator[str]:
            yield "one "
            await asyncio.sleep(3 * SOON_S)
            yield "two"

        return StreamingResponse(words())

    @app.post("/read")
    async def read(request: Request) -> int:
        return len(await request.body())

    app.add_middleware(Limits, body_bytes=100, seconds=SOON_S)
    through = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=through, base_url="http://here") as client:
        yield client


async def test_an_answer_that_does_not_begin_is_given_up(http: httpx.AsyncClient) -> None:
    answer = await http.get("/never")
    assert answer.status_code == 503
    assert answer.json()["code"] == "timeout"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_an_answer_that_has_begun_may_take_its_time(http: httpx.AsyncClient) -> None:
    assert (await http.get("/slowly")).text == "one two"


async def test_a_simulated_talk_waits_for_the_model(http: httpx.AsyncClient) -> None:
    assert (await http.get("/api/chat", params={"s": 2 * SOON_S})).json() == "at last"


async def test_somebody_elses_time_out_is_not_ours(http: httpx.AsyncClient) -> None:
    answer = await http.get("/broken")
    assert answer.status_code == 500
    assert "timeout" not in answer.text


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_that_does_not_end_is_refused(
    http: httpx.AsyncClient, announced: bool
) -> None:
    async def endless() -> AsyncGenerator[bytes]:
        for _ in range(50):
            yield b"x" * 10

    body = b"x" * 500 if announced else endless()
    answer = await http.post("/read", content=body)
    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"
    assert (await http.post("/read", content=b"x" * 100)).json() == 100


async def test_a_failure_of_ours_is_answered_and_told_like_everything_else(
    here: Town, capfd: pytest.CaptureFixture[str]
) -> None:
    log.configure()
    here.refit(ledger=None)
    headers = {"Authorization": f"Bearer {here.keys['app']}"}
    through = httpx.ASGITransport(one_app(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=through, base_url="http://town") as client:
        answer = await client.get("/v1/sessions/ses_1", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    (bug,) = (line for line in lines if line["event"] == "bug")
    assert bug["error"] == "AttributeError"
    (served,) = (line for line in lines if line["event"] == "request_served")
    assert (served["status"], served["code"]) == (500, "internal")
    assert served["route"] == "/v1/sessions/{session_id}"

"""What the real processes print when they trip over a client's words: where, never what."""

import asyncio
import base64
import json
from pathlib import Path

import httpx
import pytest

from safety.risk import RiskLevel
from service.auth import Caller, issue
from service.ids import SystemClock
from service.ledger import Ledger, Under
from service.main import open_store
from service.sealing import MasterKeys
from service.session import events
from service.session.duties import Policy
from tests.console.stack import Stack, settings
from tests.ports import free_port

WORD = "Quillonby"
SESSION = "ses_odd"
PATIENCE_S = 60


class FromTheFuture(events.MessageReceived):
    """A payload that this version cannot read, with a client's words in what it does not know."""

    mood: str = ""


async def planted(env: dict[str, str]) -> str:
    """Seal words that cannot be read again into a session with a draft due; give a key to it."""
    store = open_store(env["SECONDCHAIR_STORE"])
    keys = MasterKeys((base64.b64decode(env["SECONDCHAIR_MASTER_KEY"]),))
    ledger = Ledger(store, keys, SystemClock(), Policy())
    opened = events.SessionOpened(client_ref="c", team="north", language="en", region="US")
    mood = f"{WORD} called."
    odd = FromTheFuture(message_id="msg_1", text="Hi.", level=RiskLevel.NONE, mood=mood)
    await ledger.open(SESSION, opened, "app", Under())
    await ledger.append(SESSION, lambda _: (odd,), "app")
    key = await issue(store, keys, Caller("app", "client_app", "north"))
    await store.close()
    return key


def lines(stack: Stack, name: str) -> list[dict[str, object]]:
    """What a process printed, both ways; each line must be one of ours."""
    printed = (stack.folder / f"{name}.log").read_text(encoding="utf-8")
    assert (WORD in printed) is False
    return [json.loads(line) for line in printed.rpartition("\n")[0].splitlines()]


async def until_a_bug_is_told(stack: Stack, name: str) -> None:
    for _ in range(PATIENCE_S * 10):
        if any(line["event"] == "bug" for line in lines(stack, name)):
            return
        await asyncio.sleep(0.1)
    raise TimeoutError(name)


@pytest.mark.slow
async def test_words_that_api_and_worker_cannot_read_are_in_no_line_of_theirs(
    tmp_path: Path,
) -> None:
    stack = Stack(tmp_path, settings(tmp_path, free_port(), free_port(), 0))
    key = await planted(stack.env)
    stack.start("worker", "-m", "service", "worker")
    try:
        await asyncio.to_thread(stack.start_api)
        answer = await asyncio.to_thread(
            httpx.get, f"{stack.api}/v1/sessions/{SESSION}", trust_env=False, timeout=20,
            headers={"Authorization": f"Bearer {key}"},
        )  # fmt: skip
        await until_a_bug_is_told(stack, "worker")
    finally:
        stack.stop_all()
    assert (answer.status_code, WORD in answer.text) == (500, False)
    told = lines(stack, "api")
    assert {line["error"] for line in told if line["event"] == "bug"} == {"ValidationError"}
    servers = [line for line in told if line.get("source") == "uvicorn.error"]
    assert [line["error"] for line in servers] == ["ValidationError"]


async def test_what_keeps_the_api_from_starting_is_said_in_full(tmp_path: Path) -> None:
    stack = Stack(tmp_path, settings(tmp_path, free_port(), free_port(), 0))
    stack.env["SECONDCHAIR_MASTER_KEY"] = base64.b64encode(b"short").decode()
    stack.start("api", "-m", "service", "api", "--port", stack.api.rsplit(":", 1)[1])
    assert await asyncio.to_thread(stack.processes.pop("api").wait, PATIENCE_S) != 0
    printed = (tmp_path / "api.log").read_text(encoding="utf-8")
    assert "32 bytes" in printed
    assert "Traceback" in printed


def test_a_payload_that_cannot_be_read_is_not_quoted() -> None:
    for payload in (
        {"type": "message_received", "message_id": "m", "text": WORD, "level": "none", "x": WORD},
        {"type": "message_received", "text": [WORD]},
        {"type": WORD},
        [WORD],
    ):
        with pytest.raises(ValueError, match="validation error") as caught:
            events.read(json.dumps(payload).encode())
        assert ("input_value" in str(caught.value)) is False

"""A stand-in for the engine: vLLM's HTTP face, no model behind it, no latency of its own.

Answers are valid for whatever JSON schema a request brings. Used by bench, load, chaos and browser
tests: ``python -m tests.stub_engine --port 8402``, or ``async with serving() as stub``.
``POST /stub/mode`` with ``{"mode": "slow", "delay_s": 2}`` changes its manners while it runs.
"""

import argparse
import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

Mode = Literal["ok", "slow", "garbage", "down"]
BASE = "smollm2-135m"
KEY_WORDS = ("notice", "name", "weigh", "picture", "try", "plan", "review", "share")
PHRASES = {
    "utterance": ("What went through your mind just then?", "那一刻你脑海里闪过了什么？"),
    "action_reasoning": ("The client has just named a feeling.", "来访者刚刚说出了一种感受。"),
}
OTHERWISE = ("A few plain words about the work situation.", "关于工作处境的几句话。")


@dataclass
class StubEngine:
    """What the stub is told to do and what it has seen; no words are kept."""

    mode: Mode = "ok"
    delay_s: float = 0.0
    """How long an answer takes in mode slow."""
    adapters: set[str] = field(default_factory=set[str])
    asked: int = 0
    """Chat requests so far, failed ones included."""
    port: int = 0
    unheard: bool = False
    """Whether it takes adapters and answers as its base all the same."""

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one kept-alive connection until either side closes it."""
        try:
            while (request := await _read(reader)) is not None:
                if self.mode == "down" and not request.path.startswith("/stub"):
                    break
                status, body = await self._answer(request)
                writer.write(_response(status, body))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, request: "_Request") -> tuple[int, object]:
        body = request.body
        match request.path:
            case "/v1/chat/completions":
                self.asked += 1
                if self.mode == "slow":
                    await asyncio.sleep(self.delay_s)
                return self._chat(body)
            case "/v1/completions":
                return self._known(body, {"choices": [{"text": "1"}], "usage": _usage(1, 1)})
            case "/v1/models":
                return 200, {"data": [{"id": name} for name in (BASE, *sorted(self.adapters))]}
            case "/v1/load_lora_adapter" | "/v1/unload_lora_adapter":
                return self._change(body["lora_name"], request.path.startswith("/v1/load"))
            case "/stub/mode":
                self.mode, self.delay_s = body["mode"], float(body.get("delay_s", self.delay_s))
                return 200, {}
            case "/health" | "/metrics":
                return 200, {}
        return 404, {"error": {"message": "no such path"}}

    def _change(self, name: str, load: bool) -> tuple[int, object]:
        if (name in self.adapters) == load:
            return (400 if load else 404), {"error": {"message": "as it was"}}
        self.adapters ^= {name}
        return 200, {}

    def _chat(self, body: Mapping[str, Any]) -> tuple[int, object]:
        chinese = any("\u4e00" <= sign <= "\u9fff" for sign in body["messages"][-1]["content"])
        schema = body.get("response_format", {}).get("json_schema", {}).get("schema", {})
        text = json.dumps(example(schema, int(chinese)), ensure_ascii=False, separators=(",", ":"))
        if self.mode == "garbage":
            text = text[: len(text) // 2] + "]]}"
        choice: dict[str, Any] = {
            "message": {"role": "assistant", "content": text},
            "finish_reason": "stop",
        }
        if body.get("logprobs"):
            plain = self.unheard or body["model"] == BASE
            choice["logprobs"] = {"content": [{"logprob": -0.5}, {"logprob": -1.5 + plain}]}
        prompt_tokens = sum(len(each["content"]) for each in body["messages"]) // 4
        answer = {
            "model": body["model"],
            "choices": [choice] * body.get("n", 1),
            "usage": _usage(prompt_tokens, len(text) // 4),
        }
        return self._known(body, answer)

    def _known(self, body: Mapping[str, Any], answer: object) -> tuple[int, object]:
        served = body["model"] == BASE or body["model"] in self.adapters
        return (200, answer) if served else (404, {"error": {"message": "no such model"}})


def example(schema: Mapping[str, Any], language: int = 0, name: str = "", index: int = 0) -> object:
    """Make a value that obeys the schema, the same one every time.

    Understands what ``planner.answer_schema`` uses: objects, lists, enums, texts and plan keys.
    """
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            parts: Mapping[str, Any] = schema.get("properties", {})
            return {key: example(part, language, key) for key, part in parts.items()}
        case "array":
            wanted = max(schema.get("minItems", 0), 1)
            return [example(schema["items"], language, name, place) for place in range(wanted)]
        case "integer" | "number":
            return schema.get("minimum", 0)
        case "boolean":
            return True
    if "pattern" in schema:
        return (
            ("看看别的可能", "说出这个想法", "试着想想证据", "写下三个步骤", "约定一个练习")[
                index % 5
            ]
            if "\u4e00" in schema["pattern"]
            else f"{KEY_WORDS[index % 8]} one small thing"
        )
    return PHRASES.get(name, OTHERWISE)[language][: schema.get("maxLength", 200)]


@asynccontextmanager
async def serving(port: int = 0, host: str = "127.0.0.1") -> AsyncGenerator[StubEngine, None]:
    """Run the stub for the length of a ``with``; its port is in ``stub.port``."""
    stub = StubEngine()
    server = await asyncio.start_server(stub.connected, host, port)
    stub.port = server.sockets[0].getsockname()[1]
    try:
        yield stub
    finally:
        server.close()


@dataclass(frozen=True, slots=True)
class _Request:
    path: str
    body: Mapping[str, Any]


async def _read(reader: asyncio.StreamReader) -> _Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.IncompleteReadError:
        return None
    lengths = [line for line in head if line.lower().startswith("content-length:")]
    body = await reader.readexactly(int(lengths[0].split(":")[1])) if lengths else b""
    return _Request(head[0].split(" ")[1], json.loads(body or b"{}"))


def _response(status: int, body: object) -> bytes:
    content = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} Stub\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(content)}\r\n\r\n".encode() + content


def _usage(prompt_tokens: int, completion_tokens: int) -> dict[str, object]:
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "prompt_tokens_details": {"cached_tokens": prompt_tokens // 2},
    }


async def _forever(host: str, stub_port: int, mode: Mode, delay_s: float) -> None:
    async with serving(stub_port, host) as stub:
        stub.mode, stub.delay_s = mode, delay_s
        print(f"stub engine on http://{host}:{stub.port} ({mode})", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8402)
    parser.add_argument("--mode", choices=("ok", "slow", "garbage", "down"), default="ok")
    parser.add_argument("--delay-s", type=float, default=2.0)
    wanted = parser.parse_args()
    asyncio.run(_forever(wanted.host, wanted.port, wanted.mode, wanted.delay_s))


if __name__ == "__main__":
    main()

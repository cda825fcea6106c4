"""The only file that talks to vLLM: prompts in, completions out, every failure one error.

Differs from plain OpenAI use: no streaming (nobody may see half an answer), answers held to the
prompt's JSON schema, and a prefix-cache salt per session.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.completion import Ask, Completion, EngineFault, EngineUnavailable
from planner.prompt import Prompt
from planner.vocabulary import Role

_ADMIN_TIMEOUT_S = 60.0
"""Loading an adapter waits for the engine's current step and reads the disk."""
_PROBE_TIMEOUT_S = 10.0

_REPETITION_COSTS: Mapping[Role, float] = {Role.UTTERANCE: 0.0, Role.PLANNER: 1.0}
"""A grammar cannot forbid a step named twice; without a cost, small models repeat themselves."""

_FAULT_OF: Mapping[type[Exception], EngineFault] = {
    httpx.HTTPError: EngineFault.BROKEN,
    httpx.TimeoutException: EngineFault.TIMEOUT,
    httpx.PoolTimeout: EngineFault.OVERLOADED,
    httpx.NetworkError: EngineFault.DOWN,
    httpx.ProxyError: EngineFault.DOWN,
    httpx.UnsupportedProtocol: EngineFault.DOWN,
    httpx.ProtocolError: EngineFault.BROKEN,
    httpx.DecodingError: EngineFault.BROKEN,
    httpx.TooManyRedirects: EngineFault.BROKEN,
    httpx.HTTPStatusError: EngineFault.BROKEN,
    httpx.StreamError: EngineFault.BROKEN,
    httpx.CookieConflict: EngineFault.BROKEN,
    httpx.InvalidURL: EngineFault.DOWN,
}
HTTPX_ERRORS = tuple(_FAULT_OF)
"""Everything httpx can raise, by family; a test fails if a new version adds another."""

_FAULT_OF_STATUS: Mapping[int, EngineFault] = {
    401: EngineFault.DENIED,
    403: EngineFault.DENIED,
    404: EngineFault.UNKNOWN_MODEL,
    408: EngineFault.TIMEOUT,
    429: EngineFault.OVERLOADED,
    503: EngineFault.OVERLOADED,
    504: EngineFault.TIMEOUT,
}


def open_client(url: str, key: str) -> httpx.AsyncClient:
    """Open the connection pool to the engine at ``url`` (without ``/v1``); the caller closes it."""
    limits = httpx.Limits(max_connections=128, max_keepalive_connections=32)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.AsyncClient(base_url=url, headers=headers, limits=limits, trust_env=False)


def fault_of(error: Exception) -> EngineFault:
    """Say which fault one of ``HTTPX_ERRORS`` is; the nearest class in the table decides."""
    return next(_FAULT_OF[kind] for kind in type(error).__mro__ if kind in _FAULT_OF)


class VllmEngine:
    """A vLLM server behind six questions."""

    def __init__(self, client: httpx.AsyncClient, base: str) -> None:
        self._client = client
        self._base = base
        """The base model's served name; always present, so health is asked of it."""

    async def complete(self, prompt: Prompt, ask: Ask) -> tuple[Completion, ...]:
        """Answer a prompt with ``ask.candidates`` texts that obey the prompt's schema.

        A text may still be cut off at ``prompt.max_tokens``: parse it with a total function.

        Raises:
            EngineUnavailable: whatever went wrong.
        """
        started = time.perf_counter()
        body = await self._post("/v1/chat/completions", request_body(prompt, ask), ask.timeout_s)
        latency_ms = round((time.perf_counter() - started) * 1000)
        answer = _read(_Answer, body)
        if len(answer.choices) != ask.candidates:
            raise EngineUnavailable(EngineFault.BROKEN, "wrong number of candidates")
        return tuple(_completion(choice, answer, latency_ms) for choice in answer.choices)

    async def certainty(self, prompt: Prompt, ask: Ask) -> tuple[float, ...]:
        """Answer a prompt, and give how likely the model found each token of its own answer.

        Natural logarithms; none where the engine does not tell.

        Raises:
            EngineUnavailable: whatever went wrong.
        """
        request = {**request_body(prompt, ask), "logprobs": True}
        answer = _read(_Answer, await self._post("/v1/chat/completions", request, ask.timeout_s))
        told = answer.choices[0].logprobs if answer.choices else None
        return tuple(token.logprob for token in told.content or ()) if told else ()

    async def load_adapter(self, name: str, path: str) -> None:
        """Have the engine serve the adapter folder ``path`` (on the engine's disk) as ``name``.

        Loading a name that is already served changes nothing: names are content-addressed.

        Raises:
            EngineUnavailable: not loaded; what was served before still is.
        """
        request = {"lora_name": name, "lora_path": path}
        try:
            await self._post("/v1/load_lora_adapter", request, _ADMIN_TIMEOUT_S)
        except EngineUnavailable as error:
            if error.fault is not EngineFault.REJECTED or name not in await self.models():
                raise

    async def unload_adapter(self, name: str) -> None:
        """Have the engine forget ``name``; a name it does not know is already forgotten.

        Raises:
            EngineUnavailable: it may still be served.
        """
        try:
            await self._post("/v1/unload_lora_adapter", {"lora_name": name}, _ADMIN_TIMEOUT_S)
        except EngineUnavailable as error:
            if error.fault is not EngineFault.UNKNOWN_MODEL:
                raise

    async def models(self) -> frozenset[str]:
        """List every name the engine answers to: the base and the loaded adapters.

        Raises:
            EngineUnavailable: the engine did not say.
        """
        body = await self._send("GET", "/v1/models", None, _PROBE_TIMEOUT_S)
        return frozenset(card.id for card in _read(_Models, body).data)

    async def healthy(self) -> bool:
        """Tell whether the engine can generate at all, by having it generate one token."""
        request = {"model": self._base, "prompt": "1", "max_tokens": 1, "temperature": 0}
        try:
            body = await self._post("/v1/completions", request, _PROBE_TIMEOUT_S)
            return _read(_Probe, body).usage.completion_tokens == 1
        except EngineUnavailable:
            return False

    async def _post(self, path: str, json: object, timeout_s: float) -> bytes:
        return await self._send("POST", path, json, timeout_s)

    async def _send(self, method: str, path: str, json: object, timeout_s: float) -> bytes:
        try:
            # httpx limits each wait on the socket; the caller's limit is for the whole call.
            async with asyncio.timeout(timeout_s):
                response = await self._client.request(method, path, json=json, timeout=timeout_s)
        except TimeoutError as error:
            raise EngineUnavailable(EngineFault.TIMEOUT) from error
        except HTTPX_ERRORS as error:
            raise EngineUnavailable(fault_of(error), type(error).__name__) from None
        if not response.is_success:
            raise EngineUnavailable(_status_fault(response.status_code), str(response.status_code))
        return response.content


class _Wire(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True
    )


class _Cached(_Wire):
    cached_tokens: int | None = None


class _Usage(_Wire):
    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)
    prompt_tokens_details: _Cached | None = None


class _Said(_Wire):
    content: str | None


class _Token(_Wire):
    logprob: float


class _Tokens(_Wire):
    content: tuple[_Token, ...] | None = None


class _Choice(_Wire):
    message: _Said
    logprobs: _Tokens | None = None


class _Answer(_Wire):
    model: str
    choices: tuple[_Choice, ...]
    usage: _Usage


class _Probe(_Wire):
    usage: _Usage


class _Card(_Wire):
    id: str


class _Models(_Wire):
    data: tuple[_Card, ...]


def request_body(prompt: Prompt, ask: Ask) -> dict[str, object]:
    """Give the chat request as it is sent; the evaluation sends it without its schema, too."""
    shape = {"name": str(prompt.role), "schema": prompt.schema, "strict": True}
    return {
        "model": ask.model,
        "messages": [{"role": each.role, "content": each.content} for each in prompt.messages],
        "response_format": {"type": "json_schema", "json_schema": shape},
        "max_completion_tokens": prompt.max_tokens,
        "temperature": ask.temperature,
        "frequency_penalty": _REPETITION_COSTS[prompt.role],
        "n": ask.candidates,
        "cache_salt": ask.salt,
        "stream": False,
    }


def _completion(choice: _Choice, answer: _Answer, latency_ms: int) -> Completion:
    usage = answer.usage
    details = usage.prompt_tokens_details
    return Completion(
        text=choice.message.content or "",
        adapter=answer.model,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        cached_tokens=(details.cached_tokens or 0) if details else 0,
        latency_ms=latency_ms,
    )


def _status_fault(status: int) -> EngineFault:
    if status in _FAULT_OF_STATUS:
        return _FAULT_OF_STATUS[status]
    return EngineFault.REJECTED if 400 <= status < 500 else EngineFault.BROKEN


_W = TypeVar("_W", bound=_Wire)


def _read(shape: type[_W], body: bytes) -> _W:
    try:
        return shape.model_validate_json(body)
    except ValidationError:
        # The error quotes the body, which holds words: neither its text nor its chain may travel.
        raise EngineUnavailable(EngineFault.BROKEN, shape.__name__.strip("_")) from None


class WatchedEngine:
    """The engine as those who draft ask it; a running rollout hears how its adapter answers."""

    def __init__(self, engine: VllmEngine, heard: Callable[[str, bool], Awaitable[None]]) -> None:
        self._engine = engine
        self._heard = heard

    async def complete(self, prompt: Prompt, ask: Ask) -> tuple[Completion, ...]:
        """Give ``ask.candidates`` answers. Raises: EngineUnavailable."""
        try:
            answers = await self._engine.complete(prompt, ask)
        except EngineUnavailable as error:
            # One that is down, busy, or started anew without its adapters says nothing of them.
            if error.fault is EngineFault.BROKEN:
                await self._heard(ask.model, False)
            raise
        await self._heard(ask.model, True)
        return answers

    async def healthy(self) -> bool:
        """Tell whether the engine can generate at all."""
        return await self._engine.healthy()

"""The steps of a rollout, done on real engines: each may be repeated without harm.

The service decides when to call ``take_step`` and stores what ``rollout.advance`` makes of the
event; where the role's alias lives and who still asks whom, it brings along.
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.adapters import Fit, Manifest, preflight, read_manifest
from models.completion import Ask, EngineUnavailable
from models.rollout import Event, Failed, Phase, Rollout, Succeeded
from models.vllm_engine import VllmEngine
from planner.prompt import Message, Prompt
from planner.vocabulary import Role

_FINGERPRINT_TIMEOUT_S = 60.0
_TRIES = 3
"""Rounding differs with what else is in the batch, so one odd answer proves nothing."""


@dataclass(frozen=True, slots=True)
class AdapterDesk:
    """What the steps of a rollout work on."""

    engines: Sequence[VllmEngine]
    """Every replica: an adapter is loaded on all of them or on none."""
    shelf: Path
    fit: Fit
    gate: Callable[[Manifest], Sequence[str]]
    """The release gate: the thresholds an adapter misses, none if it may be released."""
    point: Callable[[Role, str], Awaitable[None]]
    """Make the role's alias name this adapter, for every replica of the service."""
    asked: Callable[[str], Awaitable[bool]]
    """Tell whether a request to this adapter may still be under way anywhere."""


async def take_step(rollout: Rollout, desk: AdapterDesk) -> Event | None:
    """Do what the rollout's phase asks for; None means not yet, ask again soon.

    Raises: whatever the alias store raises; the rollout then stays where it is.
    """
    try:
        return await _step(rollout, desk)
    except EngineUnavailable as error:
        return Failed(rollout.phase, error.fault)


async def _step(rollout: Rollout, desk: AdapterDesk) -> Event | None:
    phase = rollout.phase
    match phase:
        case Phase.PREFLIGHT | Phase.GATING:
            return _checked(rollout, desk)
        case Phase.LOADING:
            path = str((desk.shelf / rollout.new).resolve())
            for engine in desk.engines:
                await engine.load_adapter(rollout.new, path)
        case Phase.WARMING | Phase.CONFIRMING:
            return Succeeded(phase, await _fingerprint(rollout, desk))
        case Phase.FLIPPING | Phase.RETURNING:
            await desk.point(rollout.role, rollout.new if phase is Phase.FLIPPING else rollout.old)
        case Phase.DRAINING | Phase.EMPTYING:
            return None if await desk.asked(_left(rollout)) else Succeeded(phase)
        case Phase.UNLOADING | Phase.CLEARING:
            for engine in desk.engines:
                await engine.unload_adapter(_left(rollout))
        case Phase.DONE | Phase.ROLLED_BACK:
            return None
    return Succeeded(phase)


def _left(rollout: Rollout) -> str:
    """Name the adapter that this phase is leaving behind."""
    return rollout.old if rollout.phase in (Phase.DRAINING, Phase.UNLOADING) else rollout.new


def _checked(rollout: Rollout, desk: AdapterDesk) -> Event:
    found = [each.fault.value for each in preflight(desk.shelf, rollout.new, desk.fit)]
    if rollout.phase is Phase.GATING:
        manifest = read_manifest(desk.shelf / rollout.new)
        found += desk.gate(manifest) if manifest else ()
    return Failed(rollout.phase, ", ".join(found)) if found else Succeeded(rollout.phase)


async def _fingerprint(rollout: Rollout, desk: AdapterDesk) -> str:
    """Ask every engine the fingerprint prompt; the odd one out, if any, speaks for all."""
    warming = rollout.phase is Phase.WARMING
    expected = rollout.expected if warming else rollout.fingerprint
    answers = [await fingerprint(engine, rollout.new, expected) for engine in desk.engines]
    return next((each for each in answers if each != (expected or answers[0])), answers[0])


async def fingerprint(engine: VllmEngine, name: str, expected: str | None = None) -> str:
    """Return the sha256 of what ``name`` answers to a fixed prompt, greedily.

    Raises: EngineUnavailable, for instance if the name is not loaded.
    """
    schema = {
        "type": "object",
        "properties": {"word": {"type": "string", "maxLength": 32}},
        "required": ("word",),
        "additionalProperties": False,
    }
    message = Message("user", "Say the word that comes first to mind.")
    prompt = Prompt((message,), Role.UTTERANCE, schema, "fingerprint", 32)
    ask = Ask(name, salt="fingerprint", temperature=0.0, timeout_s=_FINGERPRINT_TIMEOUT_S)
    digest = ""
    for _ in range(_TRIES):
        (completion,) = await engine.complete(prompt, ask)
        digest = hashlib.sha256(completion.text.encode()).hexdigest()
        if expected in (None, digest):
            break
    return digest

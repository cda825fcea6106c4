"""The steps of a rollout, done on real engines: each may be repeated without harm.

The service decides when to call ``take_step``, stores what ``rollout.advance`` makes of the event,
and knows where the role's alias lives and how long requests last.
"""

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from models.adapters import Fit, Manifest, preflight, read_manifest
from models.completion import Ask, EngineFault, EngineUnavailable
from models.rollout import Event, Failed, Phase, Rollout, Succeeded
from models.vllm_engine import VllmEngine
from planner.prompt import Message, Prompt
from planner.vocabulary import Role

_FINGERPRINT_TIMEOUT_S = 60.0
_TRIES = 3
"""Rounding differs with what else is in the batch, so one odd answer proves nothing."""
_AWAY = frozenset(
    {EngineFault.DOWN, EngineFault.TIMEOUT, EngineFault.OVERLOADED, EngineFault.DENIED}
)
"""Faults that say nothing of an adapter."""
_CANNOT = frozenset({EngineFault.REJECTED, EngineFault.UNKNOWN_MODEL})
"""Answers to a load that no second try changes."""
_WAITING = frozenset({Phase.LOADING, Phase.WARMING, Phase.FLIPPING, Phase.CONFIRMING})
"""Steps that wait for an engine that is away: it must not use up the adapter's one try."""
_SAME = 0.01
"""Nats within which two answers are one: rounding moves less, the least training far more."""


class Gone(Exception):
    """An adapter that cannot be loaded any more. Carries codes only."""


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
    base: str
    """What answers where the old adapter is gone."""
    settling: bool = False
    """Whether the last change is so recent that requests from before it may be under way: as long
    no adapter is left, and an engine that is away is waited for."""


async def take_step(rollout: Rollout, desk: AdapterDesk) -> Event | None:
    """Do what the rollout's phase asks for; None means not yet, ask again soon.

    Raises: whatever the alias store raises; the rollout then stays where it is.
    """
    try:
        return await _step(rollout, desk)
    except Gone as gone:
        return Failed(rollout.phase, str(gone))
    except EngineUnavailable as error:
        if desk.settling and rollout.phase in _WAITING and error.fault in _AWAY:
            return None
        return Failed(rollout.phase, error.fault)


async def _step(rollout: Rollout, desk: AdapterDesk) -> Event | None:
    phase = rollout.phase
    match phase:
        case Phase.PREFLIGHT | Phase.GATING:
            return _checked(rollout, desk)
        case Phase.LOADING:
            await reload(rollout.new, desk.engines, desk.shelf, desk.fit)
        case Phase.WARMING | Phase.CONFIRMING:
            return await _heard(rollout, desk)
        case Phase.FLIPPING:
            await reload(rollout.new, desk.engines, desk.shelf, desk.fit)
            await desk.point(rollout.role, rollout.new)
        case Phase.RETURNING:
            await desk.point(rollout.role, await _old(rollout, desk))
        case Phase.DRAINING | Phase.EMPTYING:
            return None if desk.settling else Succeeded(phase)
        case Phase.UNLOADING | Phase.CLEARING:
            for engine in desk.engines:
                await engine.unload_adapter(_left(rollout))
        case Phase.DONE | Phase.ROLLED_BACK:
            return None
    return Succeeded(phase)


async def _heard(rollout: Rollout, desk: AdapterDesk) -> Event:
    # Since the last step an engine may have started anew, and forgotten it.
    await reload(rollout.new, desk.engines, desk.shelf, desk.fit)
    if rollout.phase is Phase.WARMING and await _unheard(rollout.new, desk):
        return Failed(rollout.phase, "as_the_base")
    return Succeeded(rollout.phase, await _fingerprint(rollout, desk))


async def reload(name: str, engines: Sequence[VllmEngine], shelf: Path, fit: Fit) -> bool:
    """Load an adapter on every engine that does not know it; tell whether one did not.

    Raises: Gone; EngineUnavailable, if an engine could not be asked.
    """
    lacking = [engine for engine in engines if name not in await engine.models()]
    found = preflight(shelf, name, fit) if lacking else ()
    if found:
        raise Gone(", ".join(each.fault for each in found))
    for engine in lacking:
        try:
            await engine.load_adapter(name, str((shelf / name).resolve()))
        except EngineUnavailable as error:
            if error.fault in _CANNOT:
                raise Gone(error.fault) from None
            raise
    return bool(lacking)


async def _old(rollout: Rollout, desk: AdapterDesk) -> str:
    """Name what the role goes back to, loaded where an engine forgot it.

    The base where it is gone: the refused adapter must not go on serving.
    """
    if not rollout.keep_old:
        try:
            await reload(rollout.old, desk.engines, desk.shelf, desk.fit)
        except Gone:
            return desk.base
        except EngineUnavailable:
            # One replica that is away must not keep the refused adapter serving on the others.
            return rollout.old if await _anywhere(rollout.old, desk) else desk.base
    return rollout.old


async def _anywhere(name: str, desk: AdapterDesk) -> bool:
    """Whether an engine that answers has the adapter; it is loaded on the others as they return."""
    for engine in desk.engines:
        with suppress(EngineUnavailable):
            if name in await engine.models():
                return True
    return False


def _left(rollout: Rollout) -> str:
    """Name the adapter that this phase is leaving behind."""
    return rollout.old if rollout.phase is Phase.UNLOADING else rollout.new


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
    prompt, ask = _question(name)
    digest = ""
    for _ in range(_TRIES):
        (completion,) = await engine.complete(prompt, ask)
        digest = hashlib.sha256(completion.text.encode()).hexdigest()
        if expected in (None, digest):
            break
    return digest


async def _unheard(name: str, desk: AdapterDesk) -> bool:
    """Tell whether an engine took the adapter and answers as its base all the same.

    Engines have been known to load what they then pass over. Words may be equal by chance; that
    each token is equally likely with and without an adapter is none.
    """
    for engine in desk.engines:
        try:
            alone, adapted = [await engine.certainty(*_question(one)) for one in (desk.base, name)]
        except EngineUnavailable as error:
            if error.fault in _AWAY:
                raise
            continue  # It does not tell; the release gate and people judge the words.
        near = (abs(a - b) < _SAME for a, b in zip(alone, adapted, strict=False))
        # Certainty of everything tells nothing: a grammar may leave one token at each place.
        if len(alone) == len(adapted) and min(alone, default=0) < -_SAME and all(near):
            return True
    return False


def _question(name: str) -> tuple[Prompt, Ask]:
    schema = {
        "type": "object",
        "properties": {"word": {"type": "string", "maxLength": 32}},
        "required": ("word",),
        "additionalProperties": False,
    }
    message = Message("user", "Say the word that comes first to mind.")
    prompt = Prompt((message,), Role.UTTERANCE, schema, "fingerprint", 32)
    return prompt, Ask(name, salt="fingerprint", temperature=0.0, timeout_s=_FINGERPRINT_TIMEOUT_S)

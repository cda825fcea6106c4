"""Adapters in service: rollouts kept in the store, carried on by whichever worker looks first.

A rollout is one small document. Each step may be repeated, so a worker that dies in the middle
leaves nothing but a step that the next one does again. Every replica reads the same alias.
"""

import asyncio
import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter

from models.adapters import Fit, newest, shelved
from models.completion import EngineUnavailable
from models.release_gate import misses
from models.rollout import (
    Answered,
    Event,
    Phase,
    Rollout,
    TakenBack,
    advance,
    before,
    begin,
    leave,
    may_come,
)
from models.rollout_steps import AdapterDesk, Gone, reload, take_step
from models.vllm_engine import VllmEngine
from planner.vocabulary import Role
from service.aliases import Mark, StoredAliases
from service.ports import Clock, Ids
from service.session.refusals import Refused
from service.stores.port import Conflict, Document, Store, StoreUnavailable
from service.telemetry.log import LogEvent, log_line, outliving
from service.telemetry.metrics import Adapters

KIND = "rollout"
_LOOK_S = 2.0
_ATTEMPTS = 20
"""Each lost race means that another worker's step was kept."""


@dataclass(frozen=True, slots=True)
class Running:
    """A rollout as stored: where it stands and what it went through."""

    rollout_id: str
    rollout: Rollout
    started_at_ms: int
    updated_at_ms: int
    flipped_at_ms: int | None = None
    steps: tuple[str, ...] = ()


_RUNNING = TypeAdapter(Running)


class Shelf(NamedTuple):
    """Where adapters come from, what the engine takes, and how long requests may last."""

    folder: Path
    fit: Fit
    base: str
    drain_ms: int
    """Longest time a request to the old adapter can still be under way after the flip; as long a
    step waits for an engine that is away."""
    auto: bool
    """Bring the newest fitting adapter of each role into service where none serves yet."""


@dataclass(frozen=True, slots=True)
class Rolling:
    """The adapter desk of one process."""

    store: Store
    engines: tuple[VllmEngine, ...]
    aliases: StoredAliases
    clock: Clock
    ids: Ids
    shelf: Shelf

    async def start(self, role: Role, name: str, *, back: bool = False) -> Running:
        """Begin a rollout, or the way back to the base; ``back`` marks the way back that was asked.

        Raises: Refused rollout_running, nothing_to_change, no_such_adapter.
        """
        # First of all: what is read after it was not changed since, if `_begin` finds it unchanged.
        mark = await self.aliases.marked(role)
        mine = {one.rollout_id: one for one in await self.all() if one.rollout.role is role}
        begins = mark.rollout_id not in mine and mark.young(self.clock.now_ms())
        if begins or any(not one.rollout.over for one in mine.values()):
            raise Refused("rollout_running", "This role is being changed already.")
        serving = await self.aliases.serving(role)
        if name == self.shelf.base != serving:
            return await self._begin(replace(leave(role, serving, name), back=back), mark)
        known = {one.name: one for one in shelved(self.shelf.folder)}
        if name in known and known[name].role is not role:
            raise Refused("no_such_adapter", "That adapter is not for this role.")
        try:
            expected = known[name].fingerprint if name in known else None
            rollout = begin(role, serving, name, self.shelf.base, expected)
        except ValueError as error:
            raise Refused("nothing_to_change", "That adapter serves the role already.") from error
        return await self._begin(replace(rollout, back=back), mark)

    async def _begin(self, rollout: Rollout, seen: Mark) -> Running:
        """Of all that saw the same mark one begins: rollouts are apart, and never in conflict."""
        now = self.clock.now_ms()
        running = Running(self.ids.new("rol"), rollout, now, now, steps=(rollout.phase,))
        mine = Mark(seen.version + 1, running.rollout_id, now)
        try:
            await self.aliases.mark(rollout.role, mine)
            if not mine.young(self.clock.now_ms()):
                raise Conflict  # Held up for so long that others take this process for dead.
            await self._put(running, 1)
        except Conflict:
            raise Refused("rollout_running", "Another change of this role came first.") from None
        return running

    async def take_back(self, role: Role) -> Running:
        """Undo the running rollout, or go back to what served before the one that serves now.

        A way back that is under way stays as it is: who asks twice wants it no less.
        Raises: Refused no_rollout.
        """
        mine = [one for one in await self.all() if one.rollout.role is role]
        for running in mine:
            if not running.rollout.over:
                return running if running.rollout.back else await self._undo(running)
        serving = await self.aliases.serving(role)
        target = before(serving, [one.rollout for one in mine])
        if target is None:
            raise Refused("no_rollout", "Nothing served this role before what serves it now.")
        return await self.start(role, target, back=True)

    async def _undo(self, running: Running) -> Running:
        undone = await self._fold(running.rollout_id, TakenBack())
        if undone.rollout.reason is None:
            raise Refused("rollout_running", "The old adapter is leaving: ask when it has gone.")
        return undone

    async def all(self) -> tuple[Running, ...]:
        """Give every rollout, oldest first."""
        found = await self.store.documents(KIND)
        return tuple(_RUNNING.validate_json(one.body) for one in found)

    async def run(self) -> None:
        """Carry on what is unfinished and keep what serves loaded, until cancelled."""
        while True:
            with _or_later():
                await self.round()
            await asyncio.sleep(_LOOK_S)

    async def round(self) -> None:
        """Take one step of every unfinished rollout; reload what an engine forgot."""
        for running in await self.all():
            if not running.rollout.over:
                with _or_later():
                    event = await take_step(running.rollout, self._desk(running))
                    if event is not None:
                        await self._fold(running.rollout_id, event)
        rollouts = [one.rollout for one in await self.all()]
        for role in Role:
            with _or_later():
                await self._keep(role, [one for one in rollouts if one.role is role])

    async def _keep(self, role: Role, mine: Sequence[Rollout]) -> None:
        """An engine that started anew knows only its base: load what the alias names."""
        running = [one for one in mine if not one.over]
        if any(len(one.serving) > 1 for one in running):
            return  # The alias is being moved, by a step that loads what it will name.
        serving = await self.aliases.serving(role)
        if serving == self.shelf.base:
            if self.shelf.auto and not running:
                await self._bring(role, mine)
            return
        try:
            if await reload(serving, self.engines, self.shelf.folder, self.shelf.fit):
                log_line(LogEvent.ADAPTER_CHANGED, adapter=serving, outcome="reloaded")
        except Gone as gone:
            await self._without(role, serving, str(gone))

    async def _without(self, role: Role, gone: str, why: str) -> None:
        """A name that no engine can load leaves its role without drafts: the base writes them."""
        version = await self.aliases.version(role)
        if await self.aliases.serving(role) == gone:
            await self.aliases.point(role, self.shelf.base, version)
            log_line(
                LogEvent.ADAPTER_CHANGED, "warning", adapter=gone, role=role, outcome="missing",
                reason=why,
            )  # fmt: skip

    async def _bring(self, role: Role, mine: Sequence[Rollout]) -> None:
        """Begin with the newest fitting adapter, unless it was refused or a person said no."""
        fitting = newest(
            one for one in shelved(self.shelf.folder)
            if one.role is role and one.base_sha256 == self.shelf.fit.base_sha256
            and may_come(one.name, mine)
        )  # fmt: skip
        if fitting is not None:
            # An engine that is still starting must not use up the adapter's one try.
            for engine in self.engines:
                await engine.models()
            await self.start(role, fitting.name)

    async def answered(self, name: str, well: bool) -> None:
        """Count an answer for the rollout that brings in ``name``, if there is one. Never raises.

        Too many failures take the rollout back by themselves.
        """
        with _or_later():
            for running in await self.all():
                rollout = running.rollout
                if rollout.new == name and rollout.phase in (Phase.CONFIRMING, Phase.DRAINING):
                    await self._fold(running.rollout_id, Answered(well))

    async def _fold(self, rollout_id: str, event: Event) -> Running:
        """Fold an event into a rollout as it stands in the store by now.

        Another worker, or a person, may have moved it while the step was done. Raises: Conflict.
        """
        for _ in range(_ATTEMPTS):
            stands, version = await self._stored(rollout_id)
            after = self._moved(stands, event)
            if after == stands:
                return stands
            with suppress(Conflict):
                await self._put(after, version + 1)
                if after.steps != stands.steps:
                    _tell(after)
                return after
        raise Conflict

    def _moved(self, running: Running, event: Event) -> Running:
        after = advance(running.rollout, event)
        if after == running.rollout:
            return running
        now = self.clock.now_ms()
        moved = after.phase is not running.rollout.phase
        return replace(
            running, rollout=after, updated_at_ms=now,
            flipped_at_ms=now if moved and _leaves(after.phase) else running.flipped_at_ms,
            steps=(*running.steps, after.phase) if moved else running.steps,
        )  # fmt: skip

    def _desk(self, running: Running) -> AdapterDesk:
        since = running.flipped_at_ms or running.updated_at_ms
        settling = self.clock.now_ms() - since < self.shelf.drain_ms

        async def point(role: Role, name: str) -> None:
            version = await self.aliases.version(role)
            # In this order: who moves the rollout on after this look points the alias after it,
            # too, and who did both before the write below makes it a conflict.
            stands, _ = await self._stored(running.rollout_id)
            if stands.rollout.phase is not running.rollout.phase:
                raise Conflict
            await self.aliases.point(role, name, version)

        folder, fit, base, _, _ = self.shelf
        return AdapterDesk(self.engines, folder, fit, misses, point, base, settling)

    async def _stored(self, rollout_id: str) -> tuple[Running, int]:
        found = await self.store.document(KIND, rollout_id)
        if found is None:
            raise Refused("not_found", "No such rollout.")
        return _RUNNING.validate_json(found.body), found.version

    async def _put(self, running: Running, version: int) -> None:
        body = json.dumps(asdict(running)).encode()
        await self.store.put_document(KIND, Document(running.rollout_id, version, body))


@contextmanager
def _or_later() -> Generator[None]:
    """Say what could not be done, and go on with the rest; the next round tries it again."""
    with outliving():
        try:
            yield
        except (EngineUnavailable, StoreUnavailable, Conflict, Refused) as error:
            why = error.fault if isinstance(error, EngineUnavailable) else type(error).__name__
            log_line(LogEvent.ROLLOUT_MOVED, "warning", outcome="later", reason=why)


def _tell(running: Running) -> None:
    rollout = running.rollout
    Adapters.rollouts.add(role=rollout.role, state=rollout.phase)
    log_line(
        LogEvent.ROLLOUT_MOVED, rollout_id=running.rollout_id, state=rollout.phase,
        adapter=rollout.new, reason=rollout.reason or "none",
    )  # fmt: skip


def _leaves(phase: Phase) -> bool:
    return phase in {Phase.CONFIRMING, Phase.EMPTYING}

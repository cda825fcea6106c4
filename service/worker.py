"""The worker: finds sessions that owe something, does it, and looks again.

One loop for one machine or fifty. A lease moves a session's due time forward, so a worker that
dies loses the lease and not the work. Pages and releases never wait behind drafts.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from service.desk import Desk
from service.ledger import Ledger
from service.ports import Page, Ports
from service.release import release_due
from service.session import decide
from service.session.alarms import AlertPaged
from service.session.duties import Duty, DutyKind, duties
from service.session.refusals import Refused
from service.session.state import State
from service.stores.port import Lease, StoreUnavailable
from service.telemetry.log import LogEvent, log_line, noting, where
from service.telemetry.metrics import Alerts, Duties
from service.turn import run_turn

ACTOR = "service"
_POLL_S = 1.0
"""Polling makes certain what wake-ups make quick."""
_LEASE_MS = 15_000
"""How long other workers leave a session alone; kept up while its turn runs."""
_REPEATS = 3
"""How often a turn starts over at once because the session moved on while it ran."""
_PAUSE_S = 0.5
"""A store that is down is asked again after this."""


class Worker:
    """Does duties, at most ``turns`` turns at a time. `run` ends when it is cancelled."""

    def __init__(self, ledger: Ledger, ports: Ports, turns: int = 8) -> None:
        self._ledger = ledger
        self._ports = ports
        self._slots = asyncio.Semaphore(turns)
        self._limit = turns * 4
        self._busy: set[tuple[str, str]] = set()

    async def run(self) -> None:
        """Work until cancelled; what was begun is abandoned safely: the log still implies it."""
        seen = 0
        async with asyncio.TaskGroup() as tasks:
            while True:
                try:
                    found = await self.look(tasks)
                    if not found:
                        seen = await self._ports.store.changed(seen, await self._idle_s())
                except StoreUnavailable:
                    log_line(LogEvent.STORE_UNAVAILABLE, "error")
                    await asyncio.sleep(_PAUSE_S)

    async def look(self, tasks: asyncio.TaskGroup) -> int:
        """Take what is due and start on it; give how many sessions were taken."""
        Duties.rounds.add()
        now = self._ports.clock.now_ms()
        leases = await self._ports.store.lease_due(now, now + _LEASE_MS, self._limit)
        for lease in leases:
            tasks.create_task(self.serve(lease))
        return len(leases)

    async def drain(self) -> None:
        """Do everything that is due now, and what that makes due; for tests and shutdown."""
        while True:
            async with asyncio.TaskGroup() as tasks:
                if not await self.look(tasks):
                    return

    async def serve(self, lease: Lease) -> None:
        """Do a session's due duties, people first. Never raises: the loop outlives a bad turn."""
        kind: DutyKind | None = None
        try:
            async with self._kept(lease):
                for duty in await self._due(lease.session_id):
                    kind = duty.kind
                    await self._do(lease.session_id, duty)
        except StoreUnavailable:
            log_line(LogEvent.STORE_UNAVAILABLE, "error", session_id=lease.session_id)
        except Refused as refused:
            Duties.done.add(kind=kind or "none", outcome="superseded")
            log_line(LogEvent.TURN_FAILED, session_id=lease.session_id, code=refused.code)
        except Exception as bug:  # noqa: BLE001  (place 1 of 3: one session's bug stops no other)
            Duties.done.add(kind=kind or "none", outcome="failed")
            log_line(LogEvent.BUG, "error", error=type(bug).__name__, where=where(bug))

    async def _due(self, session_id: str) -> list[Duty]:
        """Pages and releases first; plan and draft are one turn."""
        state = await self._ledger.load(session_id)
        now = self._ports.clock.now_ms()
        due = [duty for duty in duties(state, self._ledger.policy) if duty.due_at_ms <= now]
        quick = [duty for duty in due if duty.kind in {"page", "release"}]
        slow = [duty for duty in due if duty.kind in {"plan", "draft"}]
        return [*sorted(quick, key=lambda duty: duty.kind), *slow[:1]]

    async def _do(self, session_id: str, duty: Duty) -> None:
        key = (session_id, duty.subject)
        if key in self._busy:
            return
        self._busy.add(key)
        try:
            began = time.perf_counter()
            with Duties.seconds.timed(kind=duty.kind), noting() as noted:
                await self._carry_out(session_id, duty)
                noted.update(
                    duty=duty.kind, session_id=session_id,
                    latency_ms=round(1_000 * (time.perf_counter() - began), 1),
                )  # fmt: skip
                log_line(LogEvent.DUTY_DONE, **noted)
        finally:
            self._busy.discard(key)
        Duties.done.add(kind=duty.kind, outcome="done")

    async def _carry_out(self, session_id: str, duty: Duty) -> None:
        if duty.kind == "page":
            await self._page(session_id, duty.subject)
        elif duty.kind == "release":
            await release_due(session_id, Desk(self._ledger, self._ports))
        else:
            async with self._slots:
                await self._turn(session_id)

    async def _turn(self, session_id: str) -> None:
        """Run a turn; again when the session moved on meanwhile and still owes one."""
        for _ in range(_REPEATS):
            await run_turn(session_id, self._ledger, self._ports)
            if not any(duty.kind in {"plan", "draft"} for duty in await self._due(session_id)):
                return

    @asynccontextmanager
    async def _kept(self, lease: Lease) -> AsyncGenerator[None]:
        """Keep the lease while the work goes on; it lapses by itself when this process dies."""
        keeping = asyncio.create_task(self._keep(lease))
        try:
            yield
        finally:
            keeping.cancel()

    async def _keep(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(_LEASE_MS / 3000)
            until = self._ports.clock.now_ms() + _LEASE_MS
            if not await self._ports.store.keep_lease(lease, until):
                return

    async def _page(self, session_id: str, alert_id: str) -> None:
        """Reach a person, and write down whether that worked; a failure is tried again."""
        state = await self._ledger.load(session_id)
        alarm = next((one for one in state.open_alarms if one.alert_id == alert_id), None)
        if alarm is None:
            return
        page = Page(alert_id, session_id, state.team, alarm.level, alarm.category, alarm.pages)
        delivered = await self._ports.pager.page(page)
        outcome = AlertPaged(alert_id=alert_id, tier=page.tier, delivered=delivered)

        def write(now: State) -> tuple[AlertPaged, ...]:
            return (outcome,) if decide.paged(now, outcome) else ()

        await self._ledger.append(session_id, write, ACTOR)
        Alerts.pages.add(outcome="delivered" if delivered else "failed")
        if delivered and page.tier:
            Alerts.escalated.add(level=alarm.level)
        log_line(
            LogEvent.PAGE_SENT if delivered else LogEvent.PAGE_FAILED,
            alert_id=alert_id, level=alarm.level,
        )  # fmt: skip

    async def _idle_s(self) -> float:
        """Wait for the next due time at most, so that a hold ends when it should."""
        due = await self._ports.store.next_due_ms()
        if due is None:
            return _POLL_S
        return min(_POLL_S, max(0.001, (due - self._ports.clock.now_ms()) / 1000))

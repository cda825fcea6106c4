"""The worker: finds sessions that owe something, has it done, and looks again.

One loop for one machine or fifty. A lease moves a session's due time forward, so a worker that
dies loses the lease and not the work. Pages and releases never wait behind drafts, and of the
drafts that wait the most urgent is next.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress

from service.doing import Doing, sparing_others
from service.ledger import Ledger
from service.ports import Ports
from service.session.duties import TURNS, Duty, Owed
from service.stores.port import Lease, StoreUnavailable
from service.telemetry.log import LogEvent, log_line
from service.telemetry.metrics import Duties

_POLL_S = 1.0
"""Polling makes certain what wake-ups make quick."""
_LEASE_MS = 15_000
"""How long other workers leave a session alone; kept up while its turn runs."""
_ASIDE_MS = 300_000
"""A session that waits for a slot is looked at again after this, should the store forget it."""
_SOON_MS = 1_000
"""When to look again where work is ending here."""
_PLANS_FULL_MS = 5_000
"""When to look again where as many plans as may be are awaited."""
_RESTS_MS = 60_000
"""When to look again, at the latest, where nothing is due yet: the model is paused, or away."""
_FORGET_ANSWERS_EVERY_MS = 300_000
_STORE_IS_DOWN_S = 0.5
DRAIN_S = 45.0
"""How long turns may go on once told to stop; whoever sends that has to wait longer."""


class Worker:
    """Has duties done, at most ``turns`` turns at a time, until cancelled or ``stopping`` is set.

    As many turns again may wait here for a slot. Every further one is put aside in the store,
    where the next slot of any worker takes the most urgent. Plans take none, lest a planner that
    hangs keeps drafts waiting; there are half as many at a time.
    """

    def __init__(
        self, ledger: Ledger, ports: Ports, turns: int = 8, stopping: asyncio.Event | None = None
    ) -> None:
        self._ports = ports
        self._stopping = stopping or asyncio.Event()
        self._doing = Doing(ledger, ports, self._stopping)
        self._slots, self._most = asyncio.Semaphore(turns), turns * 2
        self._held = 0
        """Turns taken from what is due that have a slot here or wait for one."""
        self._plans = asyncio.Semaphore(max(1, turns // 2))
        self._put_aside = asyncio.Event()
        self._seen = 0

    async def run(self, drain_s: float = DRAIN_S) -> None:
        """Work until cancelled or told to stop, then end what is under way within ``drain_s``.

        What is cut off is abandoned safely: the log still implies it.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(None) as ends, asyncio.TaskGroup() as tasks:
                tasks.create_task(self._again(lambda: self.look(tasks), self._news))
                tasks.create_task(self._again(lambda: self.admit(tasks), self._own_news))
                tasks.create_task(self._forget())
                await self._stopping.wait()
                ends.reschedule(asyncio.get_running_loop().time() + drain_s)
                for _ in range(self._most + 1):
                    self._slots.release()  # Whoever waits for a slot gets one, and gives up.

    async def look(self, tasks: asyncio.TaskGroup) -> int:
        """Take what is due and start on it; give how many sessions were taken."""
        Duties.rounds.add()
        now = self._ports.clock.now_ms()
        leases = await self._ports.store.lease_due(now, now + _LEASE_MS, 2 * self._most)
        if begun := [tasks.create_task(self._begin(lease, tasks)) for lease in leases]:
            # Begun or put aside before more are taken, or this worker would take them all.
            await asyncio.wait(begun)
        return len(leases)

    async def admit(self, tasks: asyncio.TaskGroup) -> int:
        """Wait for a free slot and give it to the most urgent turn put aside, if there is one."""
        await self._slots.acquire()
        now = self._ports.clock.now_ms()
        leases: Sequence[Lease] = ()
        try:
            if not self._stopping.is_set():
                leases = await self._ports.store.lease_due(now, now + _LEASE_MS, 1, aside=True)
        finally:
            if not leases:
                self._slots.release()
        for lease in leases:
            begun = tasks.create_task(self._resume(lease))
            begun.add_done_callback(lambda _: self._slots.release())
        return len(leases)

    async def drain(self) -> None:
        """Do everything that is due now, and what that makes due; for tests."""
        while True:
            async with asyncio.TaskGroup() as tasks:
                found = await self.look(tasks)
                while await self.admit(tasks):
                    found += 1
            if not found:
                return

    async def _again(
        self, step: Callable[[], Awaitable[int]], news: Callable[[], Awaitable[None]]
    ) -> None:
        """Take steps as long as they find something, then wait for news."""
        while not self._stopping.is_set():
            try:
                if not await step():
                    await news()
            except StoreUnavailable:
                log_line(LogEvent.STORE_UNAVAILABLE, "error")
                await asyncio.sleep(_STORE_IS_DOWN_S)

    async def _forget(self) -> None:
        """Have the store forget old answers now and then, beginning at once."""
        next_ms = 0
        while not self._stopping.is_set():
            now = self._ports.clock.now_ms()
            try:
                if now >= next_ms:
                    await self._ports.store.forget_answers(now)
                    next_ms = now + _FORGET_ANSWERS_EVERY_MS
            except StoreUnavailable:
                log_line(LogEvent.STORE_UNAVAILABLE, "error")
            await asyncio.sleep(_POLL_S)

    async def _begin(self, lease: Lease, tasks: asyncio.TaskGroup) -> None:
        """See what a session owes; start on it, or put its turn aside when every slot is taken."""
        with sparing_others(lease.session_id):
            owed = await self._doing.owed(lease.session_id)
            kind = owed.now[0].kind if owed.now else None
            full = kind == "plan" and self._plans.locked()
            if self._stopping.is_set() or kind is None:
                await self._rest(lease, owed)
            elif kind not in TURNS:
                tasks.create_task(self._serve(lease, owed))
            elif full or self._doing.has_begun(lease.session_id, owed.now[0]):
                # What is under way here sees, as a rule, at its end what came meanwhile.
                at_ms = self._until(owed.later_ms, _PLANS_FULL_MS if full else _SOON_MS)
                await self._ports.store.keep_lease(lease, at_ms)
            elif kind == "plan":
                await self._plans.acquire()
                asked = tasks.create_task(self._serve(lease, owed))
                asked.add_done_callback(lambda _: self._plans.release())
            elif self._held >= self._most:
                since, until = owed.now[0].due_at_ms, self._until(owed.later_ms, _ASIDE_MS)
                await self._ports.store.keep_lease(lease, until, aside_since_ms=since)
                self._put_aside.set()
            else:
                self._held += 1
                tasks.create_task(self._wait_and_serve(lease, owed))

    async def _rest(self, lease: Lease, owed: Owed) -> None:
        """Give a lease back: for now if anything is owed, else until something falls due."""
        begun = all(self._doing.has_begun(lease.session_id, duty) for duty in owed.now)
        wait_ms = _RESTS_MS if not owed.now else _SOON_MS if begun else 0
        await self._ports.store.keep_lease(lease, self._until(owed.later_ms, wait_ms))

    def _until(self, later_ms: int | None, wait_ms: int) -> int:
        """When to look again after a wait; sooner if something else falls due."""
        again = self._ports.clock.now_ms() + wait_ms
        return again if later_ms is None else min(again, later_ms)

    async def _resume(self, lease: Lease) -> None:
        """Do what a session that was put aside owes by now."""
        with sparing_others(lease.session_id):
            await self._serve(lease, await self._doing.owed(lease.session_id))

    async def _wait_and_serve(self, lease: Lease, owed: Owed) -> None:
        try:
            await self._serve(lease, owed, self._slots)
        finally:
            self._held -= 1

    async def _serve(self, lease: Lease, owed: Owed, slot: asyncio.Semaphore | None = None) -> None:
        """Do what is owed once there is a slot, where one is needed; the lease is kept meanwhile.

        Told to stop before that, let another worker have the session at once.
        """
        async with self._kept(lease, owed.later_ms), slot or nullcontext():
            if not self._stopping.is_set():
                await self._do_all(lease, owed.now)
                return
        with sparing_others(lease.session_id):
            await self._rest(lease, owed)

    async def _do_all(self, lease: Lease, now: Sequence[Duty]) -> None:
        if await self._doing.do_all(lease.session_id, now):
            # Not before all are done: a lease that is given back is anybody's.
            with sparing_others(lease.session_id):
                await self._rest(lease, await self._doing.owed(lease.session_id))

    @asynccontextmanager
    async def _kept(self, lease: Lease, later_ms: int | None) -> AsyncGenerator[None]:
        """Keep the lease while the work goes on; it lapses by itself when this process dies.

        Not beyond what else falls due: no page waits until a model has answered.
        """
        keeping = asyncio.create_task(self._keep(lease, later_ms))
        try:
            yield
        finally:
            keeping.cancel()

    async def _keep(self, lease: Lease, later_ms: int | None) -> None:
        while True:
            await asyncio.sleep(_LEASE_MS / 3000)
            with suppress(StoreUnavailable):
                if not await self._ports.store.keep_lease(lease, self._until(later_ms, _LEASE_MS)):
                    return

    async def _news(self) -> None:
        """Wait for a change, until the next due time at most: a hold ends when it should."""
        due = await self._ports.store.next_due_ms(aside=False)
        left_s = _POLL_S if due is None else max(0.001, (due - self._ports.clock.now_ms()) / 1000)
        self._seen = await self._ports.store.changed(self._seen, min(_POLL_S, left_s))

    async def _own_news(self) -> None:
        """Wait until a turn is put aside here; what others put aside is found by polling."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_POLL_S):
                await self._put_aside.wait()
        self._put_aside.clear()

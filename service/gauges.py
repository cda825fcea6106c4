"""What only a worker can see: how much waits, since when, and whether anything is forgotten.

Read from rows and, for open alerts, from their sessions; the same numbers on every worker, so
that dashboards take the highest. No words, no ids.
"""

import asyncio
from collections.abc import Mapping, Sequence
from math import inf
from typing import NamedTuple

from planner.vocabulary import Role
from safety.risk import RiskLevel
from service.auth import next_end_ms
from service.health import Probed
from service.ledger import Ledger
from service.ports import Ports
from service.session.refusals import Refused
from service.session.row import Row, unmet_since_ms
from service.stores.port import RowQuery, StoreUnavailable
from service.telemetry.log import LogEvent, log_line, outliving
from service.telemetry.metrics import Adapters, Alerts, Duties, Engine, Keys, Queue, Store

_EVERY_S = 10.0
_ENDED_MS = 14 * 86_400_000
"""How long a key that has ended is still told of: whoever uses it is refused."""
_PAGE = 200
_PAGES = 10
"""Rows looked at in one round, most urgent first. In a longer queue the calm tail is counted but
its age is that of the part seen; the urgent are always seen."""


class _Wait(NamedTuple):
    """What still waits for a human in one session of the queue."""

    row: Row
    since_ms: int | None
    unseen: Sequence[tuple[RiskLevel, int]] = ()
    """Level and moment of each alert that nobody has seen."""


class Gauges:
    """Keeps the gauges true while the process lives."""

    def __init__(self, ledger: Ledger, ports: Ports) -> None:
        self._ledger = ledger
        self._ports = ports
        self._live: dict[Role, str] = {}

    async def run(self) -> None:
        """Measure every few seconds until cancelled, whatever a round trips over."""
        while True:
            with outliving():
                try:
                    await self.measure()
                except StoreUnavailable:
                    log_line(LogEvent.STORE_UNAVAILABLE, "error")
            await asyncio.sleep(_EVERY_S)

    async def measure(self) -> None:
        """Set every gauge once. Raises: StoreUnavailable."""
        own_ms = self._ports.clock.now_ms()
        rows, total = await self._queue(own_ms)
        waits = [await self._wait(row) for row in rows]
        # By a clock that is behind, nobody would seem to wait.
        now_ms = max((own_ms, *(row.updated_at_ms for row in rows)))
        Duties.clock_behind_seconds.put((now_ms - own_ms) / 1_000)
        _show_queue(waits, total, now_ms)
        # While drafting is off people wait for a person, as the queue says, and for no draft.
        _show_undrafted(waits if self._ledger.policy.drafting else (), now_ms)
        _show_alerts(waits, now_ms)
        due_ms = await self._ports.store.next_due_ms()
        Duties.oldest_seconds.put(_age_s(now_ms, due_ms))
        ends_ms = await next_end_ms(self._ports.store, own_ms - _ENDED_MS)
        Keys.ends_seconds.put(inf if ends_ms is None else (ends_ms - own_ms) / 1_000)
        used = await self._ports.store.used_ratio()
        if used is not None:
            Store.used_ratio.put(used)
        await self._show_adapters()
        engine = self._ports.engine
        if isinstance(engine, Probed):
            Engine.up.put(1 if await engine.healthy() else 0)

    async def _queue(self, now_ms: int) -> tuple[Sequence[Row], int]:
        rows: list[Row] = []
        after, total = None, 0
        for _ in range(_PAGES):
            page = await self._ports.store.rows(
                RowQuery(order="queue", now_ms=now_ms, after=after, limit=_PAGE)
            )
            rows += [stored.row for stored in page.items]
            after, total = page.next_after, page.total
            if after is None:
                break
        return rows, total

    async def _wait(self, row: Row) -> _Wait:
        """Give what waits in a session; only where an alert is open is more read than the row.

        Its session says whether somebody has seen it. Of one that cannot be opened only its row
        speaks: while it asks for a person, nobody counts as having seen it.
        """
        told = _Wait(row, row.waiting_since_ms)
        if row.alert_id is None:
            return told
        with outliving(StoreUnavailable, session_id=row.session_id):
            try:
                state = await self._ledger.load(row.session_id)
            except Refused:  # Erased since the row was read.
                return _Wait(row, None)
            unseen = [(alarm.level, alarm.raised_at_ms) for alarm in state.unseen_alarms]
            return _Wait(row, unmet_since_ms(state), unseen)
        asking = row.kind == "alert" and row.waiting_since_ms is not None
        return told._replace(unseen=[(row.risk, row.waiting_since_ms or 0)] if asking else ())

    async def _show_adapters(self) -> None:
        for role in Role:
            name = await self._ports.aliases.serving(role)
            before = self._live.get(role, name)
            if before != name:
                Adapters.live.put(0, role=role, adapter=before)
            Adapters.live.put(1, role=role, adapter=name)
            self._live[role] = name


def _show_queue(waits: Sequence[_Wait], total: int, now_ms: int) -> None:
    depth: dict[RiskLevel, int] = dict.fromkeys(RiskLevel, 0)
    for wait in waits:
        depth[wait.row.risk] += 1
    if waits:
        # What was not looked at stands behind the last row, so it is at most as urgent.
        depth[waits[-1].row.risk] += max(0, total - len(waits))
    oldest = _oldest([(wait.row.risk, wait.since_ms) for wait in waits])
    for level in RiskLevel:
        Queue.depth.put(depth[level], risk=level)
        Queue.oldest_seconds.put(_age_s(now_ms, oldest.get(level)), risk=level)


def _show_undrafted(waits: Sequence[_Wait], now_ms: int) -> None:
    undrafted = [wait.since_ms for wait in waits if wait.row.kind == "no_draft"]
    longest = min((since for since in undrafted if since is not None), default=None)
    Queue.awaiting_draft_seconds.put(_age_s(now_ms, longest))


def _show_alerts(waits: Sequence[_Wait], now_ms: int) -> None:
    oldest = _oldest([one for wait in waits for one in wait.unseen])
    for level in RiskLevel:
        Alerts.waiting_seconds.put(_age_s(now_ms, oldest.get(level)), level=level)


def _oldest(waits: Sequence[tuple[RiskLevel, int | None]]) -> Mapping[RiskLevel, int]:
    oldest: dict[RiskLevel, int] = {}
    for level, since_ms in waits:
        if since_ms is not None:
            oldest[level] = min(oldest.get(level, since_ms), since_ms)
    return oldest


def _age_s(now_ms: int, since_ms: int | None) -> float:
    return 0.0 if since_ms is None else max(0.0, (now_ms - since_ms) / 1000)

"""Doing what sessions owe: pages, releases, drafts, plans. Knows what is under way in this process.

A duty that fails is tried again later; it never ends whoever does duties.
"""

import asyncio
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from service.desk import Desk, page_due
from service.ledger import Ledger
from service.ports import Ports
from service.release import release_due
from service.session.duties import TURNS, Duty, DutyKind, Owed, Waits, owed_now
from service.session.refusals import Refused
from service.stores.port import StoreUnavailable
from service.telemetry.log import LogEvent, log_line, noting, where
from service.telemetry.metrics import Duties
from service.telemetry.series import OTHER
from service.turn import run_planning, run_turn

_REPEATS_OF_A_TURN = 3


class Doing:
    """Does duties: of a session one turn of each kind at a time, and one page of each alert.

    Once ``stopping`` is set, no turn is repeated.
    """

    def __init__(self, ledger: Ledger, ports: Ports, stopping: asyncio.Event) -> None:
        self._ledger, self._ports, self._stopping = ledger, ports, stopping
        self._under_way: set[tuple[str, str]] = set()
        self._waits = Waits(ledger.policy)

    def has_begun(self, session_id: str, duty: Duty) -> bool:
        """Whether that duty is under way here; pages of two alerts are two."""
        return (session_id, duty.subject or duty.kind) in self._under_way

    async def owed(self, session_id: str) -> Owed:
        """What a session owes, and when to look again; turns that are under way here left out."""
        state = await self._ledger.load(session_id)
        begun: set[DutyKind] = {kind for kind in TURNS if (session_id, kind) in self._under_way}
        return owed_now(state, self._waits, self._ports.clock.now_ms(), begun)

    async def do_all(self, session_id: str, duties: Sequence[Duty]) -> bool:
        """Do duties; never raises. True when one failed and waits to be tried again."""
        waits = False
        for duty in duties:
            with sparing_others(session_id, duty.kind):
                await self._do(session_id, duty)
                waits |= self._waits.known(session_id, duty.kind, duty.subject)
        return waits

    async def _do(self, session_id: str, duty: Duty) -> None:
        if self.has_begun(session_id, duty):
            return
        key = (session_id, duty.subject or duty.kind)
        self._under_way.add(key)
        try:
            began = time.perf_counter()
            with Duties.seconds.timed(kind=duty.kind), noting() as noted:
                outcome = "done" if await self._carry_out(session_id, duty) else "retried"
                ms = round(1_000 * (time.perf_counter() - began), 1)
                noted.update(duty=duty.kind, session_id=session_id, latency_ms=ms, outcome=outcome)
                log_line(LogEvent.DUTY_DONE, **noted)
        finally:
            self._under_way.discard(key)
        Duties.done.add(kind=duty.kind, outcome=outcome)

    async def _carry_out(self, session_id: str, duty: Duty) -> bool:
        """Do one duty; False when it did not work out and is to be tried again."""
        if duty.kind == "page":
            desk = Desk(self._ledger, self._ports)
            return await page_due(session_id, duty.subject, desk, self._waits)
        if duty.kind == "release":
            await release_due(session_id, Desk(self._ledger, self._ports))
            return True
        return await self._turn(session_id, duty.kind)

    async def _turn(self, session_id: str, kind: DutyKind) -> bool:
        """Run a turn; again when the session moved on meanwhile and still owes it."""
        run, well = run_turn if kind == "draft" else run_planning, True
        owed = await self.owed(session_id)
        for _ in range(_REPEATS_OF_A_TURN):
            well = await run(owed.state, self._ledger, self._ports)
            if not well:
                self._waits.begin(owed.state, kind, self._ports.clock.now_ms())
            owed = await self.owed(session_id)
            if self._stopping.is_set() or kind not in [duty.kind for duty in owed.now]:
                break
        return well


@contextmanager
def sparing_others(session_id: str, kind: DutyKind | None = None) -> Generator[None]:
    """Say what went wrong with a session, and go on with the others."""
    try:
        yield
    except StoreUnavailable:
        if kind:
            Duties.done.add(kind=kind, outcome="retried")
        log_line(LogEvent.STORE_UNAVAILABLE, "error", session_id=session_id)
    except Refused as refused:
        Duties.done.add(kind=kind or OTHER, outcome="superseded")
        log_line(LogEvent.TURN_FAILED, session_id=session_id, code=refused.code)
    except Exception as bug:  # noqa: BLE001  (one session's bug stops no other)
        Duties.done.add(kind=kind or OTHER, outcome="failed")
        at = where(bug)
        log_line(LogEvent.BUG, "error", session_id=session_id, error=type(bug).__name__, where=at)

"""A worker's clock is behind the API's: what it owes waits, so operators are told at once."""

from dataclasses import replace

from service.gauges import Gauges
from service.ledger import Ledger
from service.worker import Worker
from tests.driving import Town
from tests.fakes import ManualClock
from tests.stories.test_numbers_tell import number

MINUTE = 60_000
LATE_MS = 10 * MINUTE


class LateProcess:
    """A worker and its gauges on a machine whose clock is ten minutes behind."""

    def __init__(self, here: Town) -> None:
        self.clock = ManualClock(here.clock.now_ms() - LATE_MS)
        ports = replace(here.ports, clock=self.clock)
        ledger = Ledger(here.store, here.master, self.clock, here.policy)
        self._gauges, self._worker = Gauges(ledger, ports), Worker(ledger, ports)

    async def goes_round(self) -> None:
        """Measure, and do what is due."""
        await self._gauges.measure()
        await self._worker.drain()


async def test_a_late_worker_says_so_and_hides_no_wait(here: Town) -> None:
    late = LateProcess(here)
    await here.say(await here.open(), "[imminent]")
    here.clock.tick(2 * MINUTE)
    late.clock.tick(2 * MINUTE)
    await here.say(await here.open(), "I am calm.")
    await late.goes_round()
    assert number("clock_behind_seconds") >= LATE_MS / 1_000
    assert number("alert_oldest_unacknowledged_seconds", level="imminent") >= 120
    late.clock.tick(LATE_MS)
    await late.goes_round()
    assert number("clock_behind_seconds") < 1

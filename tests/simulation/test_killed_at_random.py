"""Kill any process at any moment of a session and start it again: nothing is lost or doubled.

``KILL_SEED=7 pytest tests/simulation/test_killed_at_random.py`` chooses the same moments again.
"""

import asyncio
import os
import random
from pathlib import Path

import httpx
import pytest

from service.ids import SystemClock
from service.ledger import Ledger
from service.sealing import MasterKeys
from service.session import events
from service.session.duties import Policy
from service.stores.sqlite import SqliteStore
from tests.chaos.fleet import MASTER_KEY
from tests.chaos.people import Address
from tests.household import Household
from tests.simulation.auditing import Auditor
from tests.simulation.demo import Demo, Told

KILLS = int(os.environ.get("KILL_MOMENTS", "20"))
LONGEST_S = 0.8
"""A moment is this long at most after everything answers again."""
VICTIMS = ("api", "worker-0", "engine", "everything")


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_nothing_is_lost_or_doubled_by_twenty_kills(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int(os.environ.get("KILL_SEED", random.randrange(10**6)))
    with capsys.disabled():
        print(f"\nKILL_SEED={seed}: {KILLS} kills")
    path = tmp_path / "secondchair.db"
    home = Household(tmp_path / "home", f"sqlite:///{path}", settings={"HOLD_MS": 250})
    app, ada = await home.issue("app", "client_app"), await home.issue("ada", "therapist")
    home.start()
    try:
        told = await _play(home, app, ada, random.Random(seed))
    finally:
        home.stop()
    await _audit(path, told)


async def _play(home: Household, app: str, ada: str, dice: random.Random) -> list[Told]:
    """Play session after session until every kill has been done, and the last one to its end."""
    await home.ready()
    told: list[Told] = []
    async with httpx.AsyncClient(trust_env=False) as http, asyncio.TaskGroup() as tasks:
        address = Address((home.url,), http)
        killing = tasks.create_task(_kill(home, dice))
        while not killing.done():
            told.append(await Demo(address, app, ada, f"session-{len(told)}").play())
    return told


async def _kill(home: Household, dice: random.Random) -> None:
    for number in range(KILLS):
        victim, wait_s = dice.choice(VICTIMS), dice.uniform(0.0, LONGEST_S)
        await asyncio.sleep(wait_s)
        print(f"kill {number + 1}: {victim} after {wait_s:.3f} s")
        for name in home.members if victim == "everything" else (victim,):
            home.kill(name)
        await asyncio.sleep(0.1)
        home.start()
        await home.ready()


async def _audit(path: Path, told: list[Told]) -> None:
    """Hold every log to the promises and to what the people outside were told."""
    store = SqliteStore(path)
    ledger = Ledger(store, MasterKeys((MASTER_KEY,)), SystemClock(), Policy(hold_ms=250))
    for one in told:
        auditor = Auditor(one.session)
        await auditor.look(store, ledger)
        log = [each.event for each in (await ledger.events(one.session, 0)).values()]
        said = [each for each in log if isinstance(each, events.MessageReceived)]
        assert [each.message_id for each in said] == list(one.accepted.values())
        assert [each.text for each in said] == list(one.accepted)
        assert one.decided <= set(auditor.decided), "a decision that was acknowledged is kept"
        left = [auditor.decided[each].text for each in auditor.released]
        assert list(one.heard.values()) == left, "the client heard what was decided, once"
        assert len(left) == len(said), "every message has its reply"
        assert auditor.state.position.plan.actions[-1] == "End session"
        assert auditor.state.held is None
    await store.close()

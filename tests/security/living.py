"""A living service to throw things at: fakes around the API, its worker at work on its own thread.

A hand of its own keeps bringing sessions to where a plan waits and to where one runs, so that also
the calls which belong to the end of a session find something to do.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import uvicorn

from service.session.duties import Policy
from tests.driving import Town, one_app, town
from tests.ports import free_port

_TICK_MS = 50
"""How far the service's clock moves a tenth of a second; slow, so that claims last."""
_HOLD_MS = 1_000
"""How long a decided reply can be undone."""
_WAITING = 2
"""Sessions of each sort that are kept ready."""
_STEPS = 10


@dataclass
class Living:
    """Where the service answers, everybody's keys, and sessions that wait for what is rare."""

    address: str
    keys: dict[str, str] = field(default_factory=dict[str, str])
    prepared: deque[str] = field(default_factory=lambda: deque[str](maxlen=2 * _WAITING))


@contextmanager
def living() -> Generator[Living]:
    """Serve the API with its harness doors open until the ``with`` ends."""
    port, ready, stop = free_port(), threading.Event(), threading.Event()
    made = Living(f"http://127.0.0.1:{port}")
    server = uvicorn.Server(
        uvicorn.Config(one_app(), port=port, lifespan="off", log_level="critical", log_config=None)
    )

    async def serve() -> None:
        async with town(policy=Policy(hold_ms=_HOLD_MS)) as here:
            here.refit(harness=True)
            made.keys.update(here.keys)
            tasks = (
                asyncio.create_task(server.serve()),
                asyncio.create_task(_work(here, stop)),
                asyncio.create_task(_prepare(here, made, stop)),
            )
            while not server.started:  # noqa: ASYNC110  (uvicorn offers no event to wait for)
                await asyncio.sleep(0.02)
            ready.set()
            await asyncio.gather(*tasks)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        if not ready.wait(60):
            raise TimeoutError("the service did not start")
        yield made
    finally:
        stop.set()
        server.should_exit = True
        thread.join(60)


async def _work(here: Town, stop: threading.Event) -> None:
    while not stop.is_set():
        await here.work(_TICK_MS)
        await asyncio.sleep(0.1)


async def _prepare(here: Town, made: Living, stop: threading.Event) -> None:
    """Keep a few sessions ready: every other one with a plan that waits, or that runs."""
    running = False
    while not stop.is_set():
        # Whatever is thrown may take, close or erase a session under our hands; then the next.
        with suppress(AssertionError, KeyError, TypeError):
            session = await _diagnosed(here, stop)
            desk = await here.desk("ada", session)
            if running:
                path = f"/v1/plans/{desk['plan']['proposed']['plan_id']}/decisions"
                body = {"verdict": "approve", "basis": desk["seq"]}
                await here.write("ada", session, "POST", path, body)
            running = not running
            made.prepared.append(session)
        await asyncio.sleep(1)


async def _diagnosed(here: Town, stop: threading.Event) -> str:
    """Walk a session to its proposed plan, at the pace at which decided replies leave."""
    session = await here.open()
    await here.say(session, "Everything feels heavy lately.")
    for _ in range(_STEPS):
        await _until_drafted(here, session, stop)
        desk = await here.desk("ada", session)
        if desk["plan"]["proposed"] or stop.is_set():
            break
        await here.claim("ada", session)
        await here.decide("ada", session, "approve")
        # A reply on hold would keep the next draft waiting; the undo is tried elsewhere.
        here.clock.tick(_HOLD_MS)
        await here.say(session, "It is mostly at work.")
    return session


async def _until_drafted(here: Town, session: str, stop: threading.Event) -> None:
    while not stop.is_set():
        desk = await here.desk("ada", session)
        if desk["plan"]["proposed"] or (desk["draft"] and not desk["draft"]["stale"]):
            return
        await asyncio.sleep(0.1)

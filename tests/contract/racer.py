"""One racing process of `test_processes`: ``python -m tests.contract.racer STORE NAME WHAT``.

``claim N`` waits for the starting shot, claims N sessions as fast as it can and prints which it
got; ``append`` appends one event and ends; ``hear`` waits for somebody else's.
"""

import asyncio
import sys
from pathlib import Path

from service.stores.port import ClaimedByOther, ClaimWish, Store
from service.stores.redis import RedisStore
from service.stores.sqlite import SqliteStore
from tests.contract.making import NOW, append

_AT_ONCE = 16


def open_store(address: str) -> Store:
    """Open the store a parent process named."""
    if address.startswith("redis://"):
        return RedisStore(address)
    return SqliteStore(Path(address))


async def _claim(store: Store, name: str, count: int) -> None:
    won: list[str] = []
    todo = iter(range(count))

    async def race() -> None:
        for number in todo:
            wish = ClaimWish(f"ses_{number:05d}", name, NOW, NOW + 60_000)
            try:
                claim = await store.claim(wish)
            except ClaimedByOther:
                continue
            assert claim.number == 1
            won.append(wish.session_id)

    await store.ping()
    print("ready", flush=True)
    sys.stdin.readline()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(_AT_ONCE):
            tasks.create_task(race())
    print(" ".join(won), flush=True)


async def _hear(store: Store) -> None:
    mark = 0
    while (known := await store.changed(mark, 0.3)) != mark:
        mark = known
    print("ready", flush=True)
    while (known := await store.changed(mark, 60.0)) == mark:
        pass
    print("heard", flush=True)


async def _run(address: str, name: str, what: str, count: int) -> None:
    store = open_store(address)
    try:
        match what:
            case "claim":
                await _claim(store, name, count)
            case "hear":
                await _hear(store)
            case _:
                await store.append(append(f"ses_{name}"))
    finally:
        await store.close()


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], sys.argv[2], sys.argv[3], int((*sys.argv, "0")[4])))

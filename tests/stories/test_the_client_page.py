"""The example that client developers copy from docs/client.md, run as it stands there."""

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from tests.driving import Town, one_app
from tests.ports import free_port

PAGE = Path(__file__).parents[2] / "docs" / "client.md"


async def test_the_pages_example_hears_what_a_therapist_approved(here: Town) -> None:
    told: dict[str, Any] = {}
    code = re.search(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    assert code is not None
    exec(compile(code[1], str(PAGE), "exec"), told)  # noqa: S102  (the page is ours)
    config = uvicorn.Config(one_app(), port=free_port(), lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    headers = {"Authorization": f"Bearer {here.keys['app']}"}
    address = f"http://127.0.0.1:{config.port}"
    with httpx.Client(base_url=address, headers=headers, trust_env=False) as api:
        while not server.started:  # noqa: ASYNC110  (uvicorn offers no event to wait for)
            await asyncio.sleep(0.02)
        talking = asyncio.create_task(asyncio.to_thread(told["talk"], api, "A long week.", "k"))
        session = ""
        while not session:
            await asyncio.sleep(0.02)
            await here.work()
            waiting = (await here.call("ada", "GET", "/v1/queue?kind=draft")).json()["items"]
            session = waiting[0]["session_id"] if waiting else ""
        await here.claim("ada", session)
        await here.decide("ada", session, "edit", text="What made it long?", reasons=["style"])
        async with asyncio.timeout(60):
            assert await talking == "What made it long?"
    server.should_exit = True
    await serving

"""A client's words, told at every door of the service, and then erased: nothing gives them back."""

import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from safety.risk import RiskLevel
from service.session.duties import Policy
from service.stores.redis import RedisStore
from service.stores.sqlite import SqliteStore
from tests.contract.redis_server import RedisServer
from tests.contract.test_erasure import everything_in, rewritten
from tests.driving import MASTER, Town, town

_READS = (
    "/v1/sessions/{}/events", "/v1/sessions/{}/export", "/v1/sessions/{}/workspace",
    "/v1/sessions/{}/plan", "/v1/audit/verify?session_id={}", "/v1/preferences/export",
    "/v1/queue", "/v1/alerts", "/v1/sessions", "/v1/insights", "/metrics",
)  # fmt: skip


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.redis)])
async def place(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[Town, Path, RedisServer | None]]:
    """A service on a store that keeps files, and the folder they are in."""
    server: RedisServer | None = None
    if request.param == "redis":
        server = request.getfixturevalue("empty_redis")
        assert server is not None
        folder, store = server.folder, RedisStore(server.url)
    else:
        folder, store = tmp_path, SqliteStore(tmp_path / "secondchair.db")
    async with town(store, Policy(hold_ms=0)) as here:
        yield here, folder, server


async def tell(here: Town, token: str) -> str:
    """Leave a token wherever the service takes words; give the session."""
    here.scrubber.finder.names = (token,)
    profile = {"name": token, "research_consent": True}
    session = await here.open(client_ref=token, profile=profile)
    await here.say(session, f"I am {token} and tired.")
    await here.work()
    await here.claim("ada", session)
    edited = {"text": f"Hello {token}", "reasons": ["style"]}
    assert (await here.decide("ada", session, "edit", **edited)).is_success
    await here.work()
    await here.say(session, f"Again {token} [high]")
    await here.work()
    doors = (
        ("PUT", "unsent", {"text": f"Dear {token}"}),
        ("POST", "notes", {"text": f"About {token}"}),
        ("PATCH", "formulation", {"triggering_situation": token, "basis": 1}),
        ("POST", "drafts", {"hint": f"Ask {token}"}),
    )
    for method, door, body in doors:
        if "basis" in body:
            body["basis"] = (await here.desk("ada", session))["seq"]
        await here.write("ada", session, method, f"/v1/sessions/{session}/{door}", body)
    alert = (await here.call("ada", "GET", "/v1/alerts")).json()["items"][0]["alert_id"]
    done = {"outcome": "safe", "note": f"Talked to {token}."}
    await here.call("ada", "POST", f"/v1/alerts/{alert}/resolve", done)
    await here.work()
    return session


async def test_after_an_erasure_no_door_file_log_or_export_gives_a_word(
    place: tuple[Town, Path, RedisServer | None], capsys: pytest.CaptureFixture[str]
) -> None:
    here, folder, server = place
    token = f"Zq{secrets.token_hex(8)}"
    session = await tell(here, token)
    assert token in json.dumps(await here.desk("ada", session))
    exported = await here.call("sue", "GET", f"/v1/sessions/{session}/export")
    assert exported.is_success
    wrapped = await here.store.wrapped_key(session)
    assert wrapped is not None
    plain = MASTER.unwrap(session, wrapped)
    answer = await here.call("sue", "DELETE", f"/v1/sessions/{session}")
    assert answer.status_code == 202
    await here.work(3_600_000)
    if server is not None:
        assert isinstance(here.store, RedisStore)
        await rewritten(server, here.store)
    heard = [await here.call("sue", "GET", path.format(session)) for path in _READS]
    here.restart()
    heard += [await here.call("sue", "GET", path.format(session)) for path in _READS]
    assert all(one.status_code < 500 for one in heard)
    told = capsys.readouterr()
    files = everything_in(folder)
    leaks = {
        "answers": any(token in one.text for one in heard),
        "an export made before": token in exported.text,
        "logs": token in told.out + told.err,
        "files": token.encode() in files,
        "the wrapped key": wrapped[12:28] in files or wrapped[-16:] in files,
        "the key itself": plain in files,
        "what the model read": token in here.engine.read,
        "pages": token in repr(here.pager.__dict__),
    }
    assert [name for name, found in leaks.items() if found] == []
    assert "session_erased" in told.out + told.err


async def test_the_row_of_an_erased_session_owes_and_tells_nothing(
    place: tuple[Town, Path, RedisServer | None],
) -> None:
    here, _, _ = place
    session = await tell(here, f"Zq{secrets.token_hex(8)}")
    await here.call("sue", "DELETE", f"/v1/sessions/{session}")
    found = await here.store.row(session)
    assert found is not None
    row = found.row
    assert (row.status, row.kind, row.due_at_ms) == ("erased", None, None)
    assert (row.draft_id, row.plan_id, row.alert_id) == (None, None, None)
    assert row.risk is RiskLevel.NONE

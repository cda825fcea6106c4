"""Whatever is sent: a problem document, never a failure of ours, and nothing half done."""

import json
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from service.stores import paging
from service.stores.sqlite import SqliteStore
from tests.driving import Town, town
from tests.fakes import ListlessStore
from tests.stories.spoiling import (
    SPOILED_TEXTS,
    STREAMS,
    Operation,
    mistyped_fields,
    operations,
    spoiled_bodies,
    spoiled_fields,
)

ALL = {one.name: one for one in operations()}
WITH_BODY = [name for name, one in ALL.items() if one.body is not None]


class Scene:
    """A session with everything in it, and a view of all that is stored."""

    def __init__(self, here: Town, path: Path, ids: Mapping[str, str]) -> None:
        self.here, self.path, self.ids = here, path, ids
        self.sent = 0

    async def send(
        self, operation: Operation, body: bytes | None = None, **how: object
    ) -> httpx.Response:
        """Send a request as somebody who may; give the answer."""
        path = operation.path.format(**{**self.ids, **how.get("path", {})})  # pyright: ignore
        keeper = "app" if operation.needs_key else "sue"
        if operation.method == "GET" and path.rsplit("/", 1)[-1] in {
            self.ids["session_id"],
            "replies",
            "stream",
        }:
            keeper = "app"
        self.sent += 1
        headers = {
            "Authorization": f"Bearer {self.here.keys[keeper]}",
            "Idempotency-Key": f"try-{self.sent}", "X-Claim": self.ids["claim"],
            "Content-Type": "application/json", **how.get("headers", {}),  # pyright: ignore
        }  # fmt: skip
        query = how.get("query", "")
        return await self.here.http.request(
            operation.method, f"{path}{query}", content=body, headers=headers
        )

    def stored(self) -> tuple[object, ...]:
        """Give everything that a request could have changed."""
        with sqlite3.connect(self.path) as link:
            wanted = (
                "SELECT session_id, seq FROM events", "SELECT * FROM rows", "SELECT * FROM keys",
                "SELECT key FROM answers", "SELECT * FROM documents WHERE kind <> 'viewer'",
            )  # fmt: skip
            return tuple(link.execute(sql).fetchall() for sql in wanted)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """A session with a draft, a decision, a plan and an alert, on a real file."""
    path = tmp_path / "log.db"
    async with town(SqliteStore(path)) as here:
        session = await here.drafted()
        decided = (await here.decide("ada", session, "approve")).json()["decision_id"]
        await here.say(session, "[moderate]")
        await here.work()
        note = {"take_over": True, "note": "Mine."}
        taken = await here.call("sue", "POST", f"/v1/sessions/{session}/claim", note)
        desk = await here.desk("sue", session)
        ids = {
            "session_id": session, "draft_id": desk["draft"]["draft_id"],
            "decision_id": decided, "plan_id": f"pln_1.{session[4:]}", "rollout_id": "rol_1",
            "alert_id": desk["alerts"][0]["alert_id"], "claim": taken.json()["claim"],
            "role": "utterance",
        }  # fmt: skip
        yield Scene(here, path, ids)


def held(answer: httpx.Response, before: tuple[object, ...], after: tuple[object, ...]) -> None:
    """Hold an answer to its form, and a refused request to having done nothing."""
    assert answer.status_code < 500, answer.status_code
    if answer.status_code >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert {"type", "title", "status", "detail", "code"} <= set(answer.json())
        assert answer.json()["code"] != "internal"
        assert after == before, "a refused request left something behind"


@pytest.mark.parametrize("name", WITH_BODY)
async def test_no_field_of_any_body_breaks_the_service(scene: Scene, name: str) -> None:
    for body in spoiled_fields(ALL[name].body):
        before = scene.stored()
        answer = await scene.send(ALL[name], body)
        held(answer, before, scene.stored())
        assert b"\\ud800" not in body or answer.status_code >= 400
        assert b"\\u0000" not in body or answer.status_code >= 400


@pytest.mark.parametrize("name", WITH_BODY)
async def test_a_value_of_another_type_is_refused_wherever_it_stands(
    scene: Scene, name: str
) -> None:
    scene.here.refit(harness=True)
    doors = ALL[name].path in {"/v1/chat/completions", "/api/chat"}
    known = {"Authorization": f"Bearer {scene.here.keys['lab_app']}"} if doors else {}
    tried = 0
    for where, body in mistyped_fields(ALL[name].body):
        before = scene.stored()
        answer = await scene.send(ALL[name], body, headers=known)
        held(answer, before, scene.stored())
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), where
        assert f"body{where}" in {one["where"] for one in answer.json()["errors"]}, where
        tried += 1
    assert tried > 10


@pytest.mark.parametrize("name", WITH_BODY)
async def test_no_body_breaks_the_service(scene: Scene, name: str) -> None:
    for kind, body in spoiled_bodies():
        before = scene.stored()
        answer = await scene.send(ALL[name], body, headers={"Content-Type": kind})
        held(answer, before, scene.stored())
        allowed = body.endswith(b"{}") or (not body and not ALL[name].needs_body)
        assert allowed or answer.status_code >= 400 or kind != "application/json"


@pytest.mark.parametrize("name", ALL)
async def test_no_query_path_or_header_breaks_the_service(scene: Scene, name: str) -> None:
    operation = ALL[name]
    for where, what in operation.parameters:
        for text in SPOILED_TEXTS:
            if operation.path in STREAMS and text.isdecimal():
                continue
            how: dict[str, object] = {
                "query": {"query": f"?{what}={quote(text)}"},
                "path": {"path": {what: quote(text, safe="")}},
                "header": {"headers": {what: text.encode("utf-8")}},
            }[where]  # fmt: skip
            before = scene.stored()
            if operation.path in STREAMS and text == "" and where == "path":
                continue
            held(await scene.send(operation, b"{}", **how), before, scene.stored())


@pytest.mark.parametrize("path", ["/v1/queue", "/v1/sessions", "/v1/alerts"])
async def test_a_page_token_that_is_not_ours_is_refused(scene: Scene, path: str) -> None:
    for token in (paging.token(1), paging.token("a", "b", "c"), paging.token(2**70, 2**70, "x")):
        answer = await scene.send(ALL[f"GET {path}"], query=f"?page_token={token}")
        assert (answer.status_code, answer.json()["code"]) == (400, "page_token_invalid")


@pytest.mark.parametrize("part", ["replies", "events"])
async def test_a_page_token_of_another_list_is_refused(scene: Scene, part: str) -> None:
    operation = ALL["GET /v1/sessions/{session_id}/" + part]
    answer = await scene.send(operation, query=f"?page_token={paging.token('a')}")
    assert (answer.status_code, answer.json()["code"]) == (400, "page_token_invalid")


@pytest.mark.parametrize("path", ["/v1/queue", "/v1/alerts"])
async def test_a_failure_of_ours_is_not_called_a_bad_page_token(path: str) -> None:
    async with town(ListlessStore()) as here:
        with pytest.raises(ValueError, match="newer build"):
            await here.call("ada", "GET", path)


@pytest.mark.parametrize("words", ["我很难过", "so_alone", "Gregor"])
@pytest.mark.parametrize(
    ("sent", "where"),
    [
        ({"kind": "srs", "answers": {"WORDS": 3}}, "body.answers.?.?"),
        ({"kind": "srs", "answers": {"insight": 3}, "WORDS": 1}, "body.?"),
        ({"kind": "srs", "answers": {"insight": "WORDS"}}, "body.answers.insight"),
    ],
)
async def test_names_that_a_caller_made_up_are_not_repeated(
    scene: Scene, words: str, sent: Mapping[str, object], where: str
) -> None:
    operation = ALL["POST /v1/sessions/{session_id}/questionnaires"]
    body = json.dumps(sent, ensure_ascii=False).replace("WORDS", words).encode()
    answer = await scene.send(operation, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert [one["where"] for one in answer.json()["errors"]] == [where]
    assert words not in answer.text


async def test_a_query_that_a_caller_made_up_is_not_repeated_and_ours_is(scene: Scene) -> None:
    answer = await scene.send(ALL["GET /v1/queue"], query="?so_alone=1&page_size=x")
    assert {one["where"] for one in answer.json()["errors"]} == {"query.?", "query.page_size"}
    answer = await scene.send(ALL["GET /v1/preferences/export"], query="?since=x")
    assert [one["where"] for one in answer.json()["errors"]] == ["query.since"]


@pytest.mark.parametrize("part", ["replies", "events"])
async def test_a_place_beyond_every_log_gives_an_empty_page_or_is_refused(
    scene: Scene, part: str
) -> None:
    operation = ALL["GET /v1/sessions/{session_id}/" + part]
    answer = await scene.send(operation, query=f"?page_token={paging.token(2**53)}")
    if part == "replies":
        # Who went on from there would never be given what leaves before.
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    else:
        assert (answer.status_code, answer.json()["items"]) == (200, [])
    for far in (2**70, -(2**70)):
        answer = await scene.send(operation, query=f"?page_token={paging.token(far)}")
        assert (answer.status_code, answer.json()["code"]) == (400, "page_token_invalid")


async def test_a_slash_too_many_leads_nowhere(scene: Scene) -> None:
    for path in ("/v1/sessions/", "/v1/queue/"):
        answer = await scene.here.http.request("GET", path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert "Location" not in answer.headers


async def test_a_method_that_is_not_offered_is_refused(scene: Scene) -> None:
    answer = await scene.here.http.request("PATCH", "/v1/sessions")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


async def in_pieces(body: bytes) -> AsyncGenerator[bytes]:
    """Send a body without saying how long it will be."""
    for start in range(0, len(body), 10_000):
        yield body[start : start + 10_000]


@pytest.mark.parametrize("path", ["/v1/sessions", "/v1/sessions/{session_id}/close", "/v1/queue"])
@pytest.mark.parametrize("said", [True, False], ids=["announced", "in_pieces"])
async def test_a_body_that_is_too_large_is_refused_as_such(
    scene: Scene, path: str, said: bool
) -> None:
    body = b'{"client_ref": "' + b"x" * 70_000 + b'"}'
    headers = {
        "Authorization": f"Bearer {scene.here.keys['app']}", "Idempotency-Key": "large",
        "Content-Type": "application/json",
    }  # fmt: skip
    before = scene.stored()
    answer = await scene.here.http.request(
        "GET" if path == "/v1/queue" else "POST", path.format(**scene.ids),
        content=body if said else in_pieces(body), headers=headers,
    )  # fmt: skip
    held(answer, before, scene.stored())
    if path == "/v1/queue" and not said:
        assert answer.status_code == 403
        return
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"

"""Every endpoint, every role, one's own team and another: each has one decided answer.

What is asked for is really there: a draft, a plan, an alert, a held reply of the team north.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import pytest
from starlette.routing import Route

from planner.vocabulary import Role
from service.session.duties import Policy
from tests.driving import Town, one_app, town
from tests.listening import ended, listens, outlast
from tests.planning import to_a_plan
from tests.security.doors import ALL, DESK, ENDLESS, FAR, LEAD, MATRIX, PEOPLE, Door

HOLD_MS = 60_000
OF_A_SESSION = ("{session_id}", "{draft_id}", "{plan_id}", "{alert_id}", "{decision_id}", "verify")
FOREIGN = [
    pytest.param(one, role, id=f"{role}-{one.call}")
    for one in MATRIX
    if any(part in one.call for part in OF_A_SESSION)
    for role in sorted(FAR)
    if role in one.roles
]


@asynccontextmanager
async def scenery(one: Door, who: str) -> AsyncGenerator[tuple[Town, Mapping[str, str]]]:
    """Open a service in which ``who`` of the north has claimed what the door is for."""
    async with town(policy=Policy(hold_ms=HOLD_MS if one.scene == "held" else 0)) as here:
        danger = " [high]" if one.scene == "alert" else ""
        session = await here.drafted(f"Everything feels heavy lately.{danger}", who)
        place = {"session_id": session, "role": str(Role.UTTERANCE), "rollout_id": "rol_1"}
        place["decision_id"] = await _held(here, who, session) if one.scene == "held" else ""
        if one.scene == "plan":
            await to_a_plan(here, session, who)
        desk = await here.desk(who, session)
        place["draft_id"] = desk["draft"]["draft_id"] if desk["draft"] else ""
        place["plan_id"] = desk["plan"]["proposed"]["plan_id"] if one.scene == "plan" else ""
        place["alert_id"] = desk["alerts"][0]["alert_id"] if one.scene == "alert" else ""
        yield here, place


async def _held(here: Town, who: str, session: str) -> str:
    """Decide on the draft; the reply is held from then on."""
    decided = await here.decide(who, session, "approve")
    return decided.json()["decision_id"]


async def ask(here: Town, who: str, one: Door, place: Mapping[str, str]) -> tuple[int, str]:
    """Ask one door as somebody; give the status and the code of a refusal."""
    method, _, path = one.call.partition(" ")
    path, session = path.format(**place), place["session_id"]
    assert "//" not in f"{path}/", "there must be what is asked for"
    if path.endswith("verify"):
        path += f"?session_id={session}"
    body = one.body
    if body and "basis" in body:
        body = {**body, "basis": await here.length(session)}
    headers = {"Idempotency_Key": f"matrix-{who}-{one.call}"[:90].replace(" ", "_")}
    if claim := here.claims.get((who, session)):
        headers["X_Claim"] = claim
    waiting = asyncio.create_task(here.call(who, method, path, body, **headers))
    if one.call in ENDLESS:
        await asyncio.sleep(0.05)
        if not waiting.done():
            await outlast(here, session if "{session_id}" in one.call else "")
    answer = await waiting
    problem = answer.headers.get("content-type", "").startswith("application/problem+json")
    return answer.status_code, answer.json()["code"] if problem else ""


def test_the_matrix_covers_the_whole_api() -> None:
    paths = one_app().openapi()["paths"]
    offered = {f"{method.upper()} {path}" for path, ways in paths.items() for method in ways}
    assert offered == {one.call for one in MATRIX}


def test_nothing_is_served_that_the_description_leaves_out_but_the_description_itself() -> None:
    described = set(one_app().openapi()["paths"])
    served = {route.path for route in one_app().routes if isinstance(route, Route)}
    assert served - described == {"/openapi.json"}


@pytest.mark.parametrize("one", [one for one in MATRIX if one.roles], ids=lambda one: one.call)
async def test_a_stranger_is_asked_who_they_are(one: Door) -> None:
    async with scenery(one, "ada") as (here, place):
        assert await ask(here, "", one, place) == (401, "unauthenticated")


@pytest.mark.parametrize("one", MATRIX, ids=lambda one: one.call)
@pytest.mark.parametrize("role", sorted(ALL))
async def test_a_role_may_do_its_own_work_and_nothing_else(one: Door, role: str) -> None:
    who = PEOPLE[role]
    async with scenery(one, who if role in {DESK, LEAD} else "ada") as (here, place):
        before = await here.length(place["session_id"])
        status, code = await ask(here, who, one, place)
        if one.roles and role not in one.roles:
            assert (status, code) == (403, "forbidden")
            assert await here.length(place["session_id"]) == before
        else:
            assert status == one.gives, code


@pytest.mark.parametrize(("one", "role"), FOREIGN)
async def test_what_is_another_team_s_does_not_exist(one: Door, role: str) -> None:
    async with scenery(one, "ada") as (here, place):
        before = await here.length(place["session_id"])
        assert await ask(here, FAR[role], one, place) == (404, "not_found")
        assert await here.length(place["session_id"]) == before


@pytest.mark.parametrize(
    "call",
    ["/v1/queue", "/v1/alerts", "/v1/sessions", "/v1/preferences/export", "/v1/stream"],
)
async def test_lists_hold_only_one_s_own_team(call: str) -> None:
    async with town() as here:
        ours = await _busy(here)
        told = {who: await _told(here, who, call) for who in ("sue", "far_sue")}
    assert any(session in told["sue"] for session in ours)
    assert not any(session in told["far_sue"] for session in ours)


async def test_figures_count_only_one_s_own_team() -> None:
    async with town() as here:
        ours = await _busy(here)
        near, far = [
            (await here.call(who, "GET", "/v1/insights")).json() for who in ("sue", "far_sue")
        ]
    assert (near["team"], near["sessions"]) == ("north", len(ours))
    assert (far["team"], far["sessions"], far["reviewers"], far["dwells"]) == ("south", 0, [], [])


async def _busy(here: Town) -> list[str]:
    """Give the north a reply that may be exported, a draft that waits, and an alert."""
    session = await here.edited(profile={"research_consent": True})
    alarming, _ = await here.alarmed()
    await here.work()
    return [session, alarming]


async def _told(here: Town, who: str, path: str) -> str:
    if path.endswith("stream"):
        stream = await listens(here, who, path)
        await outlast(here)
        return await ended(stream)
    answer = await here.call(who, "GET", path)
    assert answer.status_code == 200
    return answer.text

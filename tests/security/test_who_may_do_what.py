"""Every endpoint, every role, one's own team and another: each has one decided answer.

What is asked for is really there: a draft, a plan, an alert, a held reply of the team north.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

import pytest
from starlette.routing import Route

from planner.vocabulary import Role
from service.session.duties import Policy
from tests.driving import Json, Town, one_app, town

APP, DESK, LEAD, OPS = "client_app", "therapist", "supervisor", "ops"
ALL = frozenset({APP, DESK, LEAD, OPS})
PEOPLE: Mapping[str, str] = {APP: "app", DESK: "ada", LEAD: "sue", OPS: "oli"}
FAR: Mapping[str, str] = {APP: "far_app", DESK: "far", LEAD: "far_sue"}
PLAN = {
    "strategy": "Decatastrophizing", "text": "t", "reason": "r",
    "actions": ["name the worst case", "name the best case", "find the likely case",
                "plan how to cope", "End session"],
}  # fmt: skip
SCHEMAS = one_app().openapi()["components"]["schemas"]
SRS = SCHEMAS["QuestionnaireRequest"]["properties"]["answers"]["propertyNames"]["enum"]
HOLD_MS = 60_000
Scene = Literal["draft", "alert", "held", "plan"]


@dataclass(frozen=True, slots=True)
class Door:
    """An endpoint, who may use it, a body that does what it is for, and how that is answered."""

    call: str
    roles: frozenset[str]
    body: Json = None
    gives: int = 200
    scene: Scene = "draft"
    """What there must be, for the door to have something to do."""


def door(
    call: str, *roles: str, body: Json = None, gives: int = 200, scene: Scene = "draft"
) -> Door:
    """Give a door; no roles means that nobody needs to say who they are."""
    return Door(call, frozenset(roles), body, gives, scene)


MATRIX = (
    door(
        "POST /v1/sessions", APP, gives=201,
        body={"client_ref": "c", "language": "en", "region": "US"},
    ),
    door("GET /v1/sessions", LEAD, OPS),
    door("GET /v1/sessions/{session_id}", APP),
    door("DELETE /v1/sessions/{session_id}", LEAD, gives=202),
    door("POST /v1/sessions/{session_id}/messages", APP, body={"text": "hello"}, gives=202),
    door("POST /v1/sessions/{session_id}/close", APP),
    door("GET /v1/sessions/{session_id}/replies", APP),
    door(
        "POST /v1/sessions/{session_id}/replies", DESK, LEAD, gives=201,
        body={"text": "hi", "basis": 1},
    ),
    door(
        "POST /v1/sessions/{session_id}/questionnaires", APP, gives=201,
        body={"kind": "srs", "answers": dict.fromkeys(SRS, 3)},
    ),
    door("GET /v1/queue", DESK, LEAD),
    door("POST /v1/sessions/{session_id}/claim", DESK, LEAD, body={}),
    door("DELETE /v1/sessions/{session_id}/claim", DESK, LEAD, gives=204),
    door("GET /v1/drafts/{draft_id}", DESK, LEAD),
    door(
        "POST /v1/drafts/{draft_id}/decisions", DESK, LEAD, gives=201,
        body={"verdict": "approve", "basis": 1},
    ),
    door("DELETE /v1/decisions/{decision_id}", DESK, LEAD, scene="held"),
    door("POST /v1/sessions/{session_id}/drafts", DESK, LEAD, body={}, gives=202),
    door("GET /v1/sessions/{session_id}/plan", DESK, LEAD, scene="plan"),
    door(
        "POST /v1/plans/{plan_id}/decisions", DESK, LEAD, gives=201, scene="plan",
        body={"verdict": "approve", "basis": 1},
    ),
    door(
        "POST /v1/sessions/{session_id}/plans", DESK, LEAD, gives=201, scene="plan",
        body={"plan": PLAN, "reason": "r", "basis": 1},
    ),
    door(
        "PUT /v1/sessions/{session_id}/position", DESK, LEAD,
        body={"stage": "diagnostic", "action_index": 1, "reason": "r", "basis": 1},
    ),
    door(
        "PATCH /v1/sessions/{session_id}/formulation", DESK, LEAD,
        body={"triggering_situation": "A full inbox.", "basis": 1},
    ),
    door("GET /v1/alerts", DESK, LEAD, scene="alert"),
    door("POST /v1/alerts/{alert_id}/acknowledge", DESK, LEAD, scene="alert"),
    door(
        "POST /v1/alerts/{alert_id}/resolve", DESK, LEAD, scene="alert",
        body={"outcome": "safe", "note": "n"},
    ),
    door("GET /v1/me", *ALL),
    door("GET /v1/sessions/{session_id}/workspace", DESK, LEAD),
    door("PUT /v1/sessions/{session_id}/unsent", DESK, LEAD, body={"text": "t"}, gives=204),
    door("POST /v1/sessions/{session_id}/notes", DESK, LEAD, body={"text": "t"}, gives=201),
    door("POST /v1/sessions/{session_id}/assign", DESK, LEAD, body={"to": "ben"}),
    door("GET /v1/sessions/{session_id}/stream", APP),
    door("GET /v1/stream", DESK, LEAD),
    door("GET /v1/sessions/{session_id}/events", LEAD),
    door("GET /v1/audit/verify", LEAD),
    door("GET /v1/adapters", OPS, LEAD),
    # There is no adapter here; whoever may ask is told so at the latest by the rollout.
    door(
        "POST /v1/adapters/{role}/rollouts", OPS, LEAD, gives=202,
        body={"name": "utterance-0123456789ab"},
    ),
    door("POST /v1/adapters/{role}/rollback", OPS, LEAD, gives=409),
    door("GET /v1/rollouts/{rollout_id}", OPS, LEAD, gives=404),
    door("GET /v1/sessions/{session_id}/export", LEAD),
    door("GET /v1/preferences/export", LEAD),
    door("GET /v1/insights", LEAD),
    # Closed for everybody unless a setting opens them; tests/stories/test_simulated_talks.py.
    door("GET /v1/models", gives=404),
    door(
        "POST /v1/chat/completions", gives=404,
        body={"messages": [{"role": "user", "content": "hi"}]},
    ),
    door("POST /api/chat", gives=404, body={"messages": [{"role": "user", "content": "hi"}]}),
    door("GET /healthz"),
    door("GET /readyz"),
    door("GET /metrics"),
)  # fmt: skip
ENDLESS = {"GET /v1/sessions/{session_id}/stream", "GET /v1/stream"}
"""Streams that answer until they are ended."""
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
        session = await here.open()
        danger = " [high]" if one.scene == "alert" else ""
        await here.say(session, f"Everything feels heavy lately.{danger}")
        await here.work()
        await here.claim(who, session)
        place = {"session_id": session, "role": str(Role.UTTERANCE), "rollout_id": "rol_1"}
        place["decision_id"] = await _held(here, who, session) if one.scene == "held" else ""
        if one.scene == "plan":
            await _walk_to_a_plan(here, who, session)
        desk = await here.desk(who, session)
        place["draft_id"] = desk["draft"]["draft_id"] if desk["draft"] else ""
        place["plan_id"] = desk["plan"]["proposed"]["plan_id"] if one.scene == "plan" else ""
        place["alert_id"] = desk["alerts"][0]["alert_id"] if one.scene == "alert" else ""
        yield here, place


async def _held(here: Town, who: str, session: str) -> str:
    """Decide on the draft; the reply is held from then on."""
    decided = await here.decide(who, session, "approve")
    return decided.json()["decision_id"]


async def _walk_to_a_plan(here: Town, who: str, session: str) -> None:
    for _ in range(10):
        if (await here.desk(who, session))["plan"]["proposed"]:
            return
        assert (await here.decide(who, session, "approve")).status_code == 201
        await here.say(session, "It is mostly at work.")
        await here.work()
    raise AssertionError("no plan was proposed")


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
            await _end_streams(here)
    answer = await waiting
    problem = answer.headers.get("content-type", "").startswith("application/problem+json")
    return answer.status_code, answer.json()["code"] if problem else ""


async def _end_streams(here: Town) -> None:
    """Let so much time go by that streams end, and wake them."""
    here.clock.tick(600_000)
    await here.open()


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
    session = await here.open(profile={"research_consent": True})
    await here.say(session, "It was a long week.")
    await here.work()
    await here.claim("ada", session)
    await here.decide("ada", session, "edit", text="What made it long?", reasons=["style"])
    await here.say(session, "It was work.")
    await here.work()
    alarming = await here.open()
    await here.say(alarming, "[high]")
    await here.work()
    return [session, alarming]


async def _told(here: Town, who: str, path: str) -> str:
    waiting = asyncio.create_task(here.call(who, "GET", path))
    if path.endswith("stream"):
        await asyncio.sleep(0.05)
        await _end_streams(here)
    answer = await waiting
    assert answer.status_code == 200
    return answer.text

"""A stand-in for the service that serves canned answers; the bearer token names the scene.

Tokens read ``role-scene`` or ``role-scene.reader``: role one of therapist, supervisor, ops,
client_app; scene one of full, empty, busy (100 waiting, 200 turns), taken, lost, stale, fallback,
nodraft, gone, unplugged (no engine), paused, broken, away, expired, forbidden, and

* of the queue: held (colleagues hold all), deep (the one free session is on the second page),
  alone (one session waits), raced (every claim comes too late), throttled;
* of the crisis desk: crisis, twice (two alerts in a session), seen (an alert off the first page),
  rising (an alert comes beside another), dawning (an alert comes to an empty desk);
* of the service: waking (away, then back), shut (not even who you are).
"""

import sys
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from safety.risk import RiskLevel
from service.schemas import admin, alerts, review
from service.schemas.problem import Problem
from service.schemas.wire import Wire
from service.schemas.workspace import Workspace
from tests.console import canned, canned_admin, canned_crisis
from tests.console.canned_talk import MODERATE

app = FastAPI()
ROLES = {"therapist", "supervisor", "ops", "client_app"}
SESSIONS: dict[str, Callable[[str], Workspace]] = {
    canned.IN_CRISIS: canned_crisis.crisis_workspace,
    canned.WATCHED: canned_crisis.watched_workspace,
    canned.PLANNED: canned.planned_workspace,
}
SCENES: dict[str, Callable[[str], Workspace]] = {
    "crisis": canned_crisis.crisis_workspace,
    "twice": canned_crisis.twice_workspace,
    "seen": lambda session: canned_crisis.watched_workspace(session, status="closed"),
    "taken": lambda session: canned.workspace_of(session, claimed_by="S. Supervisor"),
    "lost": lambda session: canned.workspace_of(session, claimed_by="S. Supervisor"),
    "stale": canned.moved_on,
    "fallback": lambda session: canned.workspace_of(session, draft=canned.template()),
    "unplugged": lambda session: canned.workspace_of(session, draft=canned.template()),
    "nodraft": lambda session: canned.workspace_of(
        session, draft=None, no_draft_reason="engine unavailable"
    ),
    "paused": lambda session: canned.workspace_of(session, draft=None, no_draft_reason="drafting"),
}
RESOLVED: defaultdict[str, set[str]] = defaultdict(set)
"""What each reader has resolved."""
FIRST: dict[str, float] = {}
"""When each reader first asked."""
WAKING_S, RISING_S = 6, 8


def problem(status: int, code: str) -> Response:
    body = Problem(type="about:blank", title=code, status=status, detail=code, code=code)
    return JSONResponse(body.model_dump(mode="json"), status, media_type="application/problem+json")


def scene(request: Request) -> tuple[str, str]:
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    role, _, name = token.partition("-")
    return role, name.split(".")[0]


def _for_so_long(request: Request) -> float:
    """Seconds since this reader first asked for more than who they are; endless before."""
    reader = request.headers["authorization"]
    if request.url.path.endswith("/me") and reader not in FIRST:
        return float("inf")
    return time.monotonic() - FIRST.setdefault(reader, time.monotonic())


def answer(body: Wire, status: int = 200) -> Response:
    return Response(body.model_dump_json(), status, media_type="application/json")


@app.middleware("http")
async def gate(request: Request, proceed: Callable) -> Response:  # type: ignore[type-arg]
    role, name = scene(request)
    if role not in ROLES:
        return problem(401, "unauthenticated")
    if name == "broken" and not request.url.path.endswith("/me"):
        return problem(503, "unavailable")
    if name == "expired" and not request.url.path.endswith("/me"):
        return problem(401, "unauthenticated")
    if name == "forbidden" and not request.url.path.endswith("/me"):
        return problem(403, "forbidden")
    if name == "waking" and _for_so_long(request) < WAKING_S:
        return Response("gateway", 502)
    if name == "away" and not request.url.path.endswith("/me"):
        return Response("gateway", 502)
    return await proceed(request)


@app.get("/v1/me")
def me(request: Request) -> Response:
    role, name = scene(request)
    if name == "shut":
        return problem(503, "unavailable")
    name = "S. Supervisor" if role == "supervisor" else "R. Therapist"
    return answer(admin.Me.model_validate({"name": name, "role": role, "team": "north"}))


@app.get("/v1/queue")
def queue(request: Request) -> Response:
    _, name = scene(request)
    start = int(request.query_params.get("page_token", 0))
    if name in {"held", "deep"}:
        free = canned.DRAFTED if name == "deep" else None
        return answer(canned_admin.held_queue(130, free, start))
    if name == "alone":
        own = canned_admin.held_queue(1, canned.DRAFTED)
        return answer(own)
    sizes = {"empty": 0, "busy": 100}
    return answer(canned_admin.queue(sizes.get(name, 8)))


@app.get("/v1/sessions/{session}/workspace")
def workspace(session: str, request: Request) -> Response:
    _, name = scene(request)
    if name == "gone":
        return problem(404, "not_found")
    made = SCENES.get(name) or SESSIONS.get(session)
    whole = made(session) if made else canned.workspace_of(session, 200 if name == "busy" else 9)
    return answer(_without_resolved(whole, request))


def _without_resolved(whole: Workspace, request: Request) -> Workspace:
    """The workspace after what this reader resolved."""
    done = RESOLVED[request.headers["authorization"]]
    found = tuple(
        one.model_copy(update={"resolved_at": canned.ago(0)}) if one.alert_id in done else one
        for one in whole.alerts
    )
    stops = any(not one.resolved_at and one.level.at_least(RiskLevel.HIGH) for one in found)
    status = "open" if whole.status == "crisis" and not stops else whole.status
    return whole.model_copy(update={"alerts": found, "status": status})


@app.post("/v1/alerts/{alert}/resolve")
def resolve(alert: str, request: Request) -> Response:
    RESOLVED[request.headers["authorization"]].add(alert)
    return Response(status_code=204)


@app.post("/v1/sessions/{session}/claim")
def claim(session: str, request: Request) -> Response:
    _, name = scene(request)
    if name == "throttled":
        return problem(429, "rate_limited")
    if name in {"taken", "lost", "raced"}:
        return problem(409, "claimed_by_other")
    return answer(review.Claim(claim="1", expires_at=canned.NOW + timedelta(minutes=5)))


@app.post("/v1/drafts/{draft}/decisions")
@app.post("/v1/sessions/{session}/replies")
def decide(request: Request) -> Response:
    release = canned.datetime.now(canned.UTC) + timedelta(seconds=5)
    return answer(review.Decided(decision_id="dec_1", release_at=release, seq=43), 201)


@app.get("/v1/alerts")
def alert_list(request: Request) -> Response:
    _, name = scene(request)
    high, lesser = canned_crisis.alert(), canned_crisis.alert(MODERATE, canned.WATCHED, seen=True)
    items = {"crisis": (high, lesser), "full": (high, lesser), "seen": (lesser,)}.get(name, ())
    if name == "twice":
        whole = _without_resolved(canned_crisis.twice_workspace(canned.DRAFTED), request)
        items = tuple(one for one in whole.alerts if one.resolved_at is None)
    if name in {"rising", "dawning"}:
        before = (lesser,) if name == "rising" else ()
        items = (high, lesser) if _for_so_long(request) > RISING_S else before
    return answer(alerts.Alerts(items=items))


@app.get("/v1/sessions")
def sessions(request: Request) -> Response:
    return answer(canned_admin.rows(0 if scene(request)[1] == "empty" else 8))


@app.get("/v1/sessions/{session}/events")
def events() -> Response:
    return answer(canned_admin.events())


@app.get("/v1/sessions/{session}/export")
def export(session: str) -> Response:
    return JSONResponse({"diagnosis": {"turns": []}, "id": session})


@app.delete("/v1/sessions/{session}")
def erase(session: str) -> Response:
    return Response(status_code=202)


@app.get("/v1/audit/verify")
def verify(session_id: str) -> Response:
    return answer(
        admin.AuditVerdict(
            session_id=session_id, intact=True, events=4, first_broken_seq=None, head="ab" * 32
        )
    )


@app.get("/v1/insights")
def insights(request: Request) -> Response:
    whole = canned_admin.figures()
    if scene(request)[1] == "empty":
        nothing = ("reviewers", "days", "dwells", "reasons", "alerts", "reactions")
        whole = whole.model_copy(update=dict.fromkeys(nothing, ()) | {"sessions": 0})
    return answer(whole)


@app.get("/v1/adapters")
def adapters() -> Response:
    return answer(canned_admin.adapters())


@app.post("/v1/adapters/{role}/rollouts")
def roll_out(role: str) -> Response:
    return answer(canned_admin.rollout(), 202)


@app.get("/v1/rollouts/{rollout}")
def rollout(rollout: str) -> Response:
    return answer(canned_admin.rollout())


@app.get("/readyz")
def ready(request: Request) -> Response:
    _, name = scene(request)
    engine = "down" if name == "unplugged" else "ok"
    drafting = "paused" if name == "paused" else "on"
    checks = {"store": "ok", "engine": engine, "drafting": drafting}
    return answer(admin.Health(status="ok" if engine == "ok" else "degraded", checks=checks))


@app.api_route("/{path:path}", methods=["POST", "PUT", "PATCH", "DELETE"])
def written(path: str) -> Response:
    return Response(status_code=204)


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="warning")

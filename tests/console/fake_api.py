"""A stand-in for the service that serves canned answers; the bearer token names the scene.

Tokens read ``role-scene``: role one of therapist, supervisor, ops, client_app; scene one of
full, empty, busy (100 waiting, 200 turns), crisis, taken, lost, stale, fallback, nodraft, gone,
unplugged (no engine), paused, broken, away, expired, forbidden.
"""

import sys
from collections.abc import Callable
from datetime import timedelta

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from safety.risk import RiskLevel
from service.schemas import admin, alerts, review
from service.schemas.problem import Problem
from service.schemas.wire import Wire
from tests.console import canned, canned_admin

app = FastAPI()
ROLES = {"therapist", "supervisor", "ops", "client_app"}


def problem(status: int, code: str) -> Response:
    body = Problem(type="about:blank", title=code, status=status, detail=code, code=code)
    return JSONResponse(body.model_dump(mode="json"), status, media_type="application/problem+json")


def scene(request: Request) -> tuple[str, str]:
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    role, _, name = token.partition("-")
    return role, name


def answer(body: Wire, status: int = 200) -> Response:
    return Response(body.model_dump_json(), status, media_type="application/json")


@app.middleware("http")
async def gate(request: Request, proceed: Callable) -> Response:  # type: ignore[type-arg]
    role, name = scene(request)
    if role not in ROLES:
        return problem(401, "unauthenticated")
    if name == "broken" and not request.url.path.endswith("/me"):
        return problem(503, "store_unavailable")
    if name == "expired" and not request.url.path.endswith("/me"):
        return problem(401, "unauthenticated")
    if name == "forbidden" and not request.url.path.endswith("/me"):
        return problem(403, "forbidden")
    if name == "away" and not request.url.path.endswith("/me"):
        return Response("gateway", 502)
    return await proceed(request)


@app.get("/v1/me")
def me(request: Request) -> Response:
    role, _ = scene(request)
    name = "S. Supervisor" if role == "supervisor" else "R. Therapist"
    return answer(admin.Me.model_validate({"name": name, "role": role, "team": "north"}))


@app.get("/v1/queue")
def queue(request: Request) -> Response:
    sizes = {"empty": 0, "busy": 100}
    return answer(canned_admin.queue(sizes.get(scene(request)[1], 8)))


@app.get("/v1/sessions/{session}/workspace")
def workspace(session: str, request: Request) -> Response:
    _, name = scene(request)
    if name == "gone":
        return problem(404, "not_found")
    if name == "crisis":
        return answer(canned.crisis_workspace(session))
    if name in {"taken", "lost"}:
        return answer(canned.workspace_of(session, claimed_by="S. Supervisor"))
    if name == "stale":
        return answer(canned.workspace_of(session, draft=canned.draft(stale=True)))
    if name == "fallback":
        return answer(canned.workspace_of(session, draft=canned.template()))
    if name in {"nodraft", "paused"}:
        reason = "drafting" if name == "paused" else "engine unavailable"
        return answer(canned.workspace_of(session, draft=None, no_draft_reason=reason))
    return answer(canned.workspace_of(session, 200 if name == "busy" else 9))


@app.post("/v1/sessions/{session}/claim")
def claim(session: str, request: Request) -> Response:
    if scene(request)[1] in {"taken", "lost"}:
        return problem(409, "claimed_by_other")
    return answer(review.Claim(claim="1", expires_at=canned.NOW + timedelta(minutes=5)))


@app.post("/v1/drafts/{draft}/decisions")
@app.post("/v1/sessions/{session}/replies")
def decide(request: Request) -> Response:
    release = canned.datetime.now(canned.UTC) + timedelta(seconds=5)
    return answer(review.Decided(decision_id="dec_1", release_at=release, seq=43), 201)


@app.get("/v1/alerts")
def alert_list(request: Request) -> Response:
    if scene(request)[1] in {"crisis", "full"}:
        return answer(alerts.Alerts(items=(canned.alert(), canned.alert(RiskLevel.MODERATE, True))))
    return answer(alerts.Alerts(items=()))


@app.get("/v1/sessions")
def sessions(request: Request) -> Response:
    return answer(canned_admin.rows(0 if scene(request)[1] == "empty" else 8))


@app.get("/v1/sessions/{session}/events")
def events() -> Response:
    return answer(canned_admin.events())


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

"""Every endpoint: who may use it, and a body that does what it is for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tests.driving import Json, one_app

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
    door("POST /v1/sessions/{session_id}/alerts", DESK, LEAD, body={}, gives=201),
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

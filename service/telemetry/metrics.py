"""Every number the service tells about itself, grouped by what it is about.

Names end in their unit; labels are closed sets (see `series`). No words, no ids, no people.
"""

import re
from collections.abc import Iterable
from typing import Final

from models.completion import EngineFault
from models.rollout import Phase
from planner.vocabulary import Role
from safety.guard import CheckName
from safety.risk import Category, RiskLevel
from service.telemetry.series import Closed, Count, Level, Spread, declared

_FAST: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_SLOW: Final = (0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 20, 30, 60, 120, 300)
_HUMAN: Final = (5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1800, 3600)
_TOKENS: Final = (16, 64, 128, 256, 512, 1024, 2048, 4096)
_TENTHS: Final = tuple(step / 10 for step in range(1, 11))


def _of(values: Iterable[str]) -> Closed:
    return Closed(frozenset(str(value) for value in values))


def _like(pattern: str) -> Closed:
    return Closed(pattern=re.compile(pattern))


_LEVEL = _of(RiskLevel)
_ROLE = _of(Role)
_CODE = _like(r"[a-z][a-z_]{2,39}")
_ADAPTER = _like(r"[a-z][a-z0-9.\-]{1,63}")
_ROUTE = _like(r"(/(\{[a-z_]+\}|v1|[a-z.\-]{2,24})){1,6}")
_DUTY = _of(("page", "release", "plan", "draft"))
_OPERATION = _of(
    (
        "append",
        "read",
        "row",
        "rows",
        "lease_due",
        "keep_lease",
        "next_due_ms",
        "claim",
        "release_claim",
        "wrapped_key",
        "rewrap",
        "answer",
        "forget_answers",
        "document",
        "documents",
        "put_document",
        "drop_document",
        "changed",
        "used_ratio",
        "ping",
    )
)


class Intake:
    """What clients send, and what happens to it inside the request."""

    accepted: Final = Count("messages_accepted", "Client messages recorded and answered 202.")
    seconds: Final = Spread(
        "intake_seconds", "Time from a client's request to its 202, screen included.", _FAST
    )


class Screening:
    """The judge of danger, and the scrubbing of personal data."""

    judged: Final = Count(
        "screen_judged",
        "Judgments of messages, by the level and the layer that decided it; a message that is sent"
        " again is judged again.",
        level=_LEVEL,
        source=_of(("rules", "classifier", "engine", "failure", "none")),
    )
    failed: Final = Count(
        "screen_failed", "Judgments that failed and therefore counted as the highest level."
    )
    seconds: Final = Spread("screen_seconds", "Time to judge one message.", _FAST)
    scrub_seconds: Final = Spread("scrub_seconds", "Time to scrub one text.", _FAST)
    scrub_failed: Final = Count(
        "scrub_failed", "Texts that could not be scrubbed and so reached no model."
    )


class Drafts:
    """What is prepared for a therapist."""

    prepared: Final = Count(
        "drafts_prepared",
        "Drafts and plans prepared, by the adapter asked and where the text came from.",
        role=_ROLE,
        adapter=_ADAPTER,
        source=_of(("model", "template")),
    )
    ready_seconds: Final = Spread(
        "draft_ready_seconds",
        "Time from a client's message to a draft in front of a therapist.",
        _SLOW,
        source=_of(("model", "template")),
    )
    stale: Final = Count("drafts_stale", "Decisions refused because the session had moved on.")
    checks_failed: Final = Count(
        "guard_checks_failed", "Guard checks a text did not pass, by check.", check=_of(CheckName)
    )


class Engine:
    """What the engine is asked and what that costs."""

    seconds: Final = Spread("engine_seconds", "Time of one call to the engine.", _SLOW, role=_ROLE)
    tokens: Final = Count(
        "engine_tokens",
        "Tokens sent and received; cached ones are part of prompt.",
        kind=_of(("prompt", "cached", "completion")),
        role=_ROLE,
    )
    completion_tokens: Final = Spread(
        "engine_completion_tokens", "Length of one answer.", _TOKENS, role=_ROLE
    )
    failed: Final = Count(
        "engine_failed",
        "Calls without a usable answer.",
        reason=_of((*EngineFault, "unavailable", "unreadable")),
    )
    up: Final = Level(
        "engine_up", "1 while the engine answers its health check, else 0.", "livemax"
    )


class Queue:
    """What waits for a human, as the workers last saw it."""

    depth: Final = Level(
        "queue_sessions", "Sessions that wait for a human.", "livemax", risk=_LEVEL
    )
    oldest_seconds: Final = Level(
        "queue_oldest_seconds", "Age of the longest wait for a human.", "livemax", risk=_LEVEL
    )
    awaiting_draft_seconds: Final = Level(
        "awaiting_draft_oldest_seconds",
        "Age of the oldest client message still without a draft.",
        "livemax",
    )


class Alerts:
    """Danger, and how fast a human answered it."""

    raised: Final = Count("alerts_raised", "Alerts raised.", level=_LEVEL, category=_of(Category))
    acknowledged_seconds: Final = Spread(
        "alert_acknowledged_seconds",
        "Time from an alert to its acknowledgement.",
        _HUMAN,
        level=_LEVEL,
    )
    waiting_seconds: Final = Level(
        "alert_oldest_unacknowledged_seconds",
        "Age of the oldest alert nobody has acknowledged; 0 where there is none.",
        "livemax",
        level=_LEVEL,
    )
    escalated: Final = Count("alerts_escalated", "Alerts passed on unanswered.", level=_LEVEL)
    pages: Final = Count("pages", "Pages to people on call.", outcome=_of(("delivered", "failed")))


class Review:
    """What therapists decide."""

    decided: Final = Count(
        "decisions",
        "Decisions on drafts and plans.",
        verdict=_of(("approve", "edit", "reject", "respond", "escalate")),
        subject=_of(("draft", "plan", "reply")),
    )
    edited_ratio: Final = Spread(
        "edit_distance_ratio", "Share of the draft's words an edit changed, 0 to 1.", _TENTHS
    )
    held: Final = Count("replies_held", "Replies that entered the hold window.")
    undone: Final = Count("decisions_undone", "Decisions taken back inside the hold window.")
    released: Final = Count(
        "replies_released", "Replies that left.", kind=_of(("reply", "crisis_notice"))
    )
    claims: Final = Count(
        "claims",
        "Claims asked for.",
        outcome=_of(("granted", "renewed", "taken_over", "handed_over", "refused", "lost")),
    )


class Adapters:
    """Changes of the adapters in use."""

    rollouts: Final = Count(
        "rollout_moves", "Moves of rollouts into a state.", role=_ROLE, state=_of(Phase)
    )
    live: Final = Level(
        "adapter_live",
        "1 for the adapter that answers now.",
        "livemax",
        role=_ROLE,
        adapter=_ADAPTER,
    )


class Store:
    """The session log's store."""

    seconds: Final = Spread(
        "store_seconds", "Time of one store operation.", _FAST, operation=_OPERATION
    )
    conflicts: Final = Count("store_conflicts", "Appends refused because the log had moved on.")
    failed: Final = Count("store_failed", "Store operations that failed.", operation=_OPERATION)
    used_ratio: Final = Level(
        "store_used_ratio",
        "Share of the store's room that is taken, 0 to 1: of Redis's memory, of SQLite's disk.",
        "livemax",
    )


class Duties:
    """What the logs say the service still owes."""

    done: Final = Count(
        "duties_done",
        "Duties carried out, by kind and how that ended.",
        kind=_DUTY,
        outcome=_of(("done", "retried", "failed", "superseded")),
    )
    """Retried: it was tried, did not work out, and is tried again by itself."""
    seconds: Final = Spread("duty_seconds", "Time to carry out one duty.", _SLOW, kind=_DUTY)
    oldest_seconds: Final = Level(
        "duties_oldest_overdue_seconds", "Age of the longest overdue duty.", "livemax"
    )
    clock_behind_seconds: Final = Level(
        "clock_behind_seconds",
        "How far the worker's clock is behind the newest time in the queue's logs.",
        "livemax",
    )
    rounds: Final = Count("worker_rounds", "Rounds of the worker's loop; still means dead.")


class Keys:
    """API keys."""

    ends_seconds: Final = Level(
        "key_ends_seconds",
        "Time until the first API key ends that nobody revoked; below 0 for two weeks after that,"
        " +Inf where none ends.",
        "livemax",
    )


class Http:
    """Requests, by route template and never by path."""

    requests: Final = Count(
        "http_requests",
        "Requests answered.",
        route=_ROUTE,
        method=_of(("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")),
        status=_of(("1xx", "2xx", "3xx", "4xx", "5xx")),
    )
    refused: Final = Count(
        "http_refused", "Requests answered with a problem, by its stable code.", code=_CODE
    )
    seconds: Final = Spread("http_seconds", "Time to answer a request.", _FAST, route=_ROUTE)
    streams: Final = Level(
        "stream_clients", "Open event streams.", "livesum", audience=_of(("client", "console"))
    )


DECLARED: Final = declared()
"""All of the above, in this order: what documentation, rules and dashboards are checked against."""

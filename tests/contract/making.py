"""Rows, envelopes and appends for store tests: nothing in them was ever said by anybody."""

from dataclasses import replace
from typing import Any

from planner.vocabulary import Stage
from safety.risk import RiskLevel
from service.session.row import Row
from service.stores.port import Answer, Append, ClaimWish, Envelope

NOW = 4_100_000_000_000
"""Far ahead, so that no store's own clock ends an answer while a test runs."""


def row(session_id: str = "ses_a", seq: int = 1, **changes: Any) -> Row:
    """Give a plain open session's row, changed as asked."""
    plain = Row(
        session_id=session_id, team="north", seq=seq, status="open", stage=Stage.DIAGNOSTIC,
        action="Greeting", kind=None, risk=RiskLevel.NONE, score=0.0, urgency=0,
        waiting_since_ms=None, due_at_ms=None, draft_id=None, plan_id=None, alert_id=None,
        assigned_to=None, language="en", simulated=False, created_at_ms=NOW, updated_at_ms=NOW,
    )  # fmt: skip
    return replace(plain, **changes)


def waiting(session_id: str, since_ms: int = NOW, **changes: Any) -> Row:
    """Give the row of a session that waits for a human."""
    return row(session_id, **{"kind": "draft", "waiting_since_ms": since_ms, **changes})


def wish(holder: str = "anna", session_id: str = "ses_a", **changes: object) -> ClaimWish:
    """Give a claim for a minute, changed as asked."""
    given: dict[str, object] = {"now_ms": NOW, "until_ms": NOW + 60_000, **changes}
    return ClaimWish(session_id, holder, **given)  # type: ignore[arg-type]


def envelope(session_id: str = "ses_a", seq: int = 1, sealed: bytes = b"\0sealed\xff") -> Envelope:
    """Give an envelope with any bytes; stores do not look inside."""
    return Envelope(
        session_id, seq, "message_received", NOW + seq, "client:1", bytes(32),
        bytes([seq % 256] * 32), 1, sealed,
    )  # fmt: skip


def append(session_id: str = "ses_a", after: int = 0, count: int = 1, **changes: Any) -> Append:
    """Give an append of ``count`` envelopes after position ``after``."""
    last = after + count
    made = Append(
        session_id,
        expected_seq=after,
        envelopes=[envelope(session_id, seq) for seq in range(after + 1, last + 1)],
        row=row(session_id, last),
        wrapped_key=b"\0key of " + session_id.encode() if after == 0 else None,
    )
    return replace(made, **changes)


def opened(made: Row, **changes: Any) -> Append:
    """Give the first append of a session with this row."""
    return append(made.session_id, row=made, **changes)


def answer(key: str = "a1", until_ms: int = NOW + 86_400_000, body: bytes = b"{}") -> Answer:
    """Give a remembered answer."""
    return Answer(key, b"\x01" * 32, 202, body, until_ms)

"""PURE. The summary of a session that lists and queues read: no words, fixed size."""

from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from planner.vocabulary import Stage
from safety.risk import RiskLevel
from service.session.duties import Policy, due_at_ms
from service.session.state import State, Status

QueueKind = Literal["alert", "draft", "plan", "no_draft"]
_SCORE_STEPS = 10
"""How finely the screen's score orders sessions of one level."""


@dataclass(frozen=True, slots=True)
class Row:
    """One session in the clear. Kept in the same transaction as every append."""

    session_id: str
    team: str
    seq: int
    status: Status
    stage: Stage
    action: str
    kind: QueueKind | None
    """What a human must do; None when nothing waits."""
    risk: RiskLevel
    score: float
    urgency: int
    """Queue order, higher first: level, then score; equal ones by waiting time."""
    waiting_since_ms: int | None
    due_at_ms: int | None
    draft_id: str | None
    plan_id: str | None
    alert_id: str | None
    """The most urgent alert that nobody has resolved, in closed sessions too."""
    assigned_to: str | None
    language: str
    simulated: bool
    created_at_ms: int
    updated_at_ms: int


def summarise(state: State, policy: Policy) -> Row:
    """Give the row of a session as it stands."""
    assert state.opened is not None or state.status == "erased"  # noqa: S101
    kind, since = _waiting(state)
    risk, score = _danger(state)
    fresh = state.draft if state.draft_is_fresh else None
    position = state.position
    return Row(
        session_id=state.session_id,
        team=state.team,
        seq=state.seq,
        status=state.status,
        stage=position.stage,
        action=position.plan.actions[position.cursor or 0],
        kind=kind,
        risk=risk,
        score=score,
        urgency=risk.rank * (_SCORE_STEPS + 1) + int(score * _SCORE_STEPS),
        waiting_since_ms=since,
        due_at_ms=due_at_ms(state, policy),
        draft_id=fresh.prepared.draft_id if fresh else None,
        plan_id=state.proposed.plan_id if state.proposed else None,
        alert_id=state.open_alarms[0].alert_id if state.open_alarms else None,
        assigned_to=state.assigned_to,
        language=state.language,
        simulated=state.opened.simulated if state.opened else False,
        created_at_ms=state.created_at_ms,
        updated_at_ms=state.updated_at_ms,
    )


def unmet_since_ms(state: State) -> int | None:
    """Since when somebody waits to whom nobody has turned yet; None when nobody does.

    Not `Row.waiting_since_ms`, by which a crisis keeps its place in the queue to its end: whoever
    acknowledged every alert has seen what was written until then, and is at it.
    """
    kind, since = _waiting(state)
    seen = [one.acknowledged_at_ms for one in state.open_alarms if one.acknowledged_at_ms]
    if kind != "alert" or len(seen) < len(state.open_alarms):
        return since
    return None if state.status == "closed" else _unanswered_ms(state, max(seen))


def _unanswered_ms(state: State, since_ms: int = 0) -> int | None:
    """When the first line was written that nobody has answered; of those from a moment on."""
    if state.unanswered is None:
        return None
    newest = takewhile(lambda one: one.kind != "reply", reversed(state.entries))
    lines = (one.at_ms for one in newest if one.kind == "client" and one.at_ms >= since_ms)
    return min(lines, default=None)


def _waiting(state: State) -> tuple[QueueKind | None, int | None]:
    """What a human must do and since when somebody waits for it."""
    if state.status == "erased":
        return None, None
    unseen = state.unseen_alarms
    # Not by status: a crisis whose session was closed by its client app is still a crisis.
    danger = [one for one in state.open_alarms if one.level.rank >= RiskLevel.HIGH.rank]
    if unseen or danger:
        return "alert", (unseen or danger)[0].raised_at_ms
    if state.status == "closed" or state.held:
        return None, None
    waits = _unanswered_ms(state)
    if state.proposed:
        since = state.plans[-1].at_ms
        return "plan", since if waits is None else min(since, waits)
    if state.draft is not None and state.draft_is_fresh:
        # Asked for, or the counselor's first line: no message waits, but the client does.
        return "draft", state.draft.at_ms if waits is None else waits
    if waits is None and state.draft_wanted:
        waits = state.updated_at_ms
    return (None, None) if waits is None else ("no_draft", waits)


def _danger(state: State) -> tuple[RiskLevel, float]:
    """The highest unresolved level, or that of what is unanswered, be it under the threshold."""
    if state.open_alarms:
        return state.open_alarms[0].level, state.open_alarms[0].score
    return state.newest_level, state.newest_score

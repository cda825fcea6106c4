"""Wire objects for the console's lists and figures: queue, sessions, adapters, insights."""

from hashlib import sha256
from typing import Final, NamedTuple

from planner.vocabulary import Role, Stage
from safety.risk import RiskLevel
from service.schemas import admin, insights, review
from tests.console.canned import DRAFTED, IN_CRISIS, NOW, PLANNED, WATCHED, ago
from tests.console.canned_talk import ACTIONS, HIGH, MODERATE, STEPS


class Waiting(NamedTuple):
    """One row of the queue."""

    session: str
    kind: review.Kind
    risk: RiskLevel
    score: float
    minutes: float
    stage: Stage
    action: str
    holder: str | None = None
    language: str = "en"


NO, ONE, TWO = RiskLevel.NONE, Stage.DIAGNOSTIC, Stage.INTERVENTION
WAITING = (
    Waiting(IN_CRISIS, "alert", HIGH.level, HIGH.score, 2, ONE, ACTIONS[2]),
    Waiting(WATCHED, "draft", MODERATE.level, MODERATE.score, 2, ONE, ACTIONS[2]),
    Waiting("ses_3", "draft", RiskLevel.LOW, 0.31, 6, TWO, STEPS[1]),
    Waiting("ses_4", "draft", NO, 0.18, 9, TWO, STEPS[0], "S. Supervisor"),
    Waiting(DRAFTED, "draft", NO, 0.10, 2, ONE, ACTIONS[2]),
    Waiting("ses_6", "no_draft", NO, 0.06, 7, ONE, ACTIONS[0], None, "zh"),
    Waiting(PLANNED, "plan", NO, 0.04, 3, ONE, ACTIONS[3]),
    Waiting("ses_7", "draft", NO, 0.02, 1, TWO, STEPS[4], None, "zh"),
)
"""Most urgent first: level, then score in tenths, then who waits longest."""


def queue(size: int = len(WAITING)) -> review.Queue:
    items = tuple(_item(WAITING[place] if place < 8 else _more(place)) for place in range(size))
    return review.Queue(items=items, total=size)


def held_queue(size: int, free: str | None = None, start: int = 0) -> review.Queue:
    """A page of a queue in which colleagues hold everything but one session, the last."""
    rows = [_more(place)._replace(holder="S. Colleague") for place in range(8, 8 + size)]
    if free is not None:
        rows[-1] = rows[-1]._replace(session=free, holder=None)
    items = tuple(map(_item, rows[start : start + 100]))
    token = str(start + 100) if start + 100 < size else None
    return review.Queue(items=items, total=size, next_page_token=token)


def _more(place: int) -> Waiting:
    return Waiting(f"ses_{place + 2}", "draft", NO, 0.02, 1 - place / 200, TWO, STEPS[place % 5])


def _item(row: Waiting) -> review.QueueItem:
    number = row.session.removeprefix("ses_")
    return review.QueueItem(
        session_id=row.session,
        kind=row.kind,
        risk=row.risk,
        score=row.score,
        waiting_since=ago(row.minutes),
        stage=row.stage,
        action=row.action,
        claimed_by=row.holder,
        draft_id=f"drf_{number}" if row.kind in {"draft", "plan"} else None,
        plan_id="pln_2" if row.kind == "plan" else None,
        alert_id={IN_CRISIS: "alr_1", WATCHED: "alr_2"}.get(row.session),
        language=row.language,
        seq=42,
    )


def rows(size: int) -> admin.SessionRows:
    return admin.SessionRows(
        items=tuple(
            admin.SessionRow(
                session_id=item.session_id,
                team="north",
                status="crisis" if item.session_id == IN_CRISIS else "open",
                stage=item.stage,
                action=item.action,
                risk=item.risk,
                kind=item.kind,
                waiting_since=item.waiting_since,
                claimed_by=item.claimed_by,
                assigned_to=None,
                language=item.language,
                simulated=True,
                created_at=ago(500 + place),
                updated_at=ago(5),
                seq=42,
            )
            for place, item in enumerate(queue(size).items)
        )
    )


def events() -> admin.Events:
    types = ("session_opened", "message_received", "text_scrubbed", "draft_prepared")
    chain = ["0" * 64, *(sha256(kind.encode()).hexdigest() for kind in types)]
    return admin.Events(
        items=tuple(
            admin.EventView(
                seq=place + 1,
                type=kind,
                at=ago(30 - place),
                actor="demo-app" if place < 2 else "service",
                hash=chain[place + 1],
                prev_hash=chain[place],
                schema_version=1,
            )
            for place, kind in enumerate(types)
        ),
        seq=5,
    )


def adapters() -> admin.Adapters:
    return admin.Adapters(
        items=(
            admin.AdapterView(
                name="utterance-3f9a1c2b7d10", role=Role.UTTERANCE, serving=True, loaded=True,
                error_rate=0.004,
            ),
            admin.AdapterView(
                name="utterance-77aa01bc9e42", role=Role.UTTERANCE, serving=False, loaded=False
            ),
            admin.AdapterView(
                name="planner-0a1b2c3d4e5f", role=Role.PLANNER, serving=True, loaded=True,
                error_rate=0.0,
            ),
        ),
        aliases={Role.UTTERANCE: "utterance-3f9a1c2b7d10", Role.PLANNER: "planner-0a1b2c3d4e5f"},
    )  # fmt: skip


def rollout() -> admin.RolloutView:
    return admin.RolloutView(
        rollout_id="rol_1",
        role=Role.UTTERANCE,
        name="utterance-77aa01bc9e42",
        previous="utterance-3f9a1c2b7d10",
        state="warming",
        steps=("preflight", "loading", "warming"),
        reason=None,
        started_at=ago(2),
        updated_at=ago(0.2),
    )


DAYS: Final = tuple(
    {"approve": approve, "edit": edit, "reject": reject, "respond": respond}
    for approve, edit, reject, respond in (
        (9, 3, 2, 1), (8, 4, 1, 1), (8, 3, 1, 1), (7, 4, 1, 1), (7, 3, 1, 0), (7, 4, 1, 0),
        (7, 3, 1, 0),
    )
)  # fmt: skip
"""What was decided on each day, newest first; over all it is what both reviewers decided."""


def figures() -> insights.Insights:
    times = insights.Times(p50_s=38.0, p90_s=140.0)
    people = ("R. Therapist", "S. Supervisor")
    return insights.Insights(
        team="north",
        since=ago(60 * 24 * 7),
        until=NOW,
        sessions=24,
        truncated=False,
        reviewers=tuple(
            insights.ReviewerFigures(
                reviewer=name,
                team="north",
                decisions=40 + 9 * place,
                verdicts={"approve": 22 + 9 * place, "edit": 12, "reject": 4, "respond": 2},
                undone=1,
                answering=times,
                edit_distance=0.27,
                streak=3 + 9 * place,
                longest_streak=9 + 14 * place,
                fast_approvals=1 + 6 * place,
                dwell=insights.Times(p50_s=11.0, p90_s=31.0),
            )
            for place, name in enumerate(people)
        ),
        days=tuple(
            insights.DayFigures(
                day=ago(60 * 24 * back).date(),
                messages=sum(day.values()) + 1,
                replies=sum(day.values()) - day["reject"],
                waiting=insights.Times(p50_s=3.0 + back, p90_s=9.0 + back),
                answering=insights.Times(p50_s=30.0 + 4 * back, p90_s=100.0 + 9 * back),
                verdicts=day,
            )
            for back, day in enumerate(DAYS)
        ),
        dwells=tuple(
            insights.Dwell(
                reviewer=people[place % 2],
                verdict="edit" if place % 3 == 0 else "approve",
                words=8 + place % 25,
                dwell_ms=900 + 700 * (place % 17) * (1 + place % 2),
                distance=0.3 if place % 3 == 0 else 0.0,
            )
            for place in range(60)
        ),
        reasons=(
            insights.ReasonCount(reviewer=people[0], reason="clarity", count=7),
            insights.ReasonCount(reviewer=people[0], reason="autonomy", count=4),
            insights.ReasonCount(reviewer=people[1], reason="wrong_step", count=3),
        ),
        alerts=(
            insights.AlertFigures(
                level=RiskLevel.HIGH, raised=2, acknowledged=2, resolved=1, escalated=0,
                acknowledging=insights.Times(p50_s=22.0, p90_s=41.0),
            ),
            insights.AlertFigures(
                level=RiskLevel.MODERATE, raised=5, acknowledged=4, resolved=4, escalated=1,
                acknowledging=insights.Times(p50_s=61.0, p90_s=210.0),
            ),
        ),
        reactions=tuple(
            insights.Reaction(
                session_id=f"ses_{place % 3}", at=ago(1000 - place), nth=1 + place // 3,
                helpful=3.0 + 0.25 * (place // 3), hindering=2.2 - 0.2 * (place // 3),
            )
            for place in range(12)
        ),
    )  # fmt: skip

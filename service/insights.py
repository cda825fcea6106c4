"""What supervisors learn about their team's work. Logs are opened to count; words stay inside."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from statistics import mean, quantiles
from typing import Annotated, NamedTuple, cast

from fastapi import APIRouter, Query

from safety.risk import RiskLevel
from service.figures import Alarmed, Answered, Judged, Span, Tally, Waited, streaks
from service.house import House, InHouse, Supervisor
from service.ids import moment
from service.schemas.insights import (
    AlertFigures,
    DayFigures,
    Dwell,
    Insights,
    Reaction,
    ReasonCount,
    ReviewerFigures,
    Times,
)
from service.schemas.plans import Reason
from service.schemas.review import Verdict
from service.schemas.wire import Label, When, Wire
from service.session.events import Recorded
from service.session.refusals import Refused
from service.session.row import Row
from service.stores.port import RowQuery, StoreUnavailable
from service.telemetry.log import outliving

router = APIRouter(prefix="/v1", tags=["supervisor and ops"])
_SESSIONS_MAX = 400
"""Logs opened for one answer; more would hold the process up."""
_DWELLS_MAX = 1_500
_READING_MS = 150
"""A fast reader's time for one word; quicker decisions were not read."""
_READING_SIGN_MS = 70
"""The same for one Chinese character."""


class InsightWindow(Wire):
    """Which span and whose work."""

    since: When | None = None
    """Default: seven days ago."""
    until: When | None = None
    reviewer: Label | None = None


class _Work(NamedTuple):
    """What one reviewer did in the span."""

    name: str
    team: str
    judged: Sequence[Judged]
    took_ms: Sequence[int]
    undone: int
    streak: int
    longest_streak: int


@router.get("/insights")
async def read_insights(
    house: InHouse, caller: Supervisor, window: Annotated[InsightWindow, Query()]
) -> Insights:
    """Give figures about the team's work in a span; no client's words."""
    until = window.until or moment(house.ports.clock.now_ms())
    try:
        since = window.since or until - timedelta(days=7)
        tally = Tally(Span(_ms(since), _ms(until) + 1))
    except OverflowError as error:
        raise Refused("invalid_request", "The span reaches beyond what a date can say.") from error
    read, truncated = await _read(house, caller.team, tally)
    judged = [one for one in tally.judged if window.reviewer in {None, one.by}]
    judged.sort(key=lambda one: one.at_ms)  # Sessions were walked newest first.
    released = [one for one in tally.released if window.reviewer in {None, one.by}]
    undone = Counter(
        {by: count for by, count in tally.undone.items() if window.reviewer in {None, by}}
    )
    return Insights(
        team=caller.team, since=since, until=until, sessions=read, truncated=truncated,
        reviewers=_reviewers(caller.team, judged, released, undone),
        days=_days(tally, judged, released),
        dwells=tuple(
            Dwell(reviewer=one.by, verdict=one.verdict, words=one.words, dwell_ms=one.dwell_ms,
                  distance=one.distance)
            for one in judged[-_DWELLS_MAX:] if one.dwell_ms is not None and one.words
        ),
        reasons=_reasons(judged), alerts=_alerts(tally.alarms), reactions=_reactions(tally.answers),
    )  # fmt: skip


async def _read(house: House, team: str, tally: Tally) -> tuple[int, bool]:
    """Walk the team's logs, newest sessions first; those that hold nothing of the span are skipped.

    So are those that cannot be opened, as by a build older than their newest event.
    """
    read, after = 0, None
    while True:
        query = RowQuery("newest", team, now_ms=house.ports.clock.now_ms(), after=after, limit=200)
        page = await house.ports.store.rows(query)
        for stored in page.items:
            row = stored.row
            if row.status == "erased" or _outside(row, tally.span):
                continue
            if read >= _SESSIONS_MAX:
                return read, True
            log = await _log(house, row.session_id)
            if log:
                tally.read(row.session_id, log)
                read += 1
        after = page.next_after
        if after is None:
            return read, False


def _outside(row: Row, span: Span) -> bool:
    """Whether a session ended before the span or began after it."""
    return row.updated_at_ms < span.since_ms or row.created_at_ms >= span.until_ms


async def _log(house: House, session_id: str) -> tuple[Recorded, ...]:
    with outliving(StoreUnavailable, session_id=session_id), suppress(Refused):
        return tuple((await house.ledger.events(session_id, 0)).values())
    return ()  # Unreadable, or erased between the row and the log: nothing to count.


def _reviewers(
    team: str, judged: Sequence[Judged], released: Sequence[Waited], undone: Counter[str]
) -> tuple[ReviewerFigures, ...]:
    runs = streaks(judged)
    return tuple(
        _reviewer(
            _Work(
                name, team, [one for one in judged if one.by == name],
                [one.took_ms for one in released if one.by == name], undone[name], *runs[name],
            )
        )
        for name in sorted({one.by for one in judged} | set(undone))
    )  # fmt: skip


def _reviewer(work: _Work) -> ReviewerFigures:
    judged = work.judged
    edits = [one.distance for one in judged if one.verdict == "edit"]
    fast = [one for one in judged if one.verdict == "approve" and _unread(one)]
    return ReviewerFigures(
        reviewer=work.name, team=work.team, decisions=len(judged), verdicts=_verdicts(judged),
        undone=work.undone, streak=work.streak, longest_streak=work.longest_streak,
        answering=_times(work.took_ms), edit_distance=mean(edits) if edits else None,
        fast_approvals=len(fast),
        dwell=_times([one.dwell_ms for one in judged if one.dwell_ms is not None]),
    )  # fmt: skip


def _unread(one: Judged) -> bool:
    pace = _READING_SIGN_MS if one.chinese else _READING_MS
    return one.dwell_ms is not None and one.dwell_ms < one.words * pace


def _days(
    tally: Tally, judged: Sequence[Judged], released: Sequence[Waited]
) -> tuple[DayFigures, ...]:
    messages = Counter(_day(at) for at in tally.messages)
    prepared, answered = _by_day(tally.prepared), _by_day(released)
    decided: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        decided[_day(one.at_ms)].append(one)
    return tuple(
        DayFigures(
            day=datetime.fromisoformat(day).date(), messages=messages[day],
            replies=len(answered.get(day, ())), waiting=_times(prepared.get(day, ())),
            answering=_times(answered.get(day, ())), verdicts=_verdicts(decided.get(day, ())),
        )
        for day in sorted({*messages, *prepared, *answered, *decided})
    )  # fmt: skip


def _by_day(waits: Sequence[Waited]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for one in waits:
        found[_day(one.at_ms)].append(one.took_ms)
    return dict(found)


def _verdicts(judged: Sequence[Judged]) -> dict[Verdict, int]:
    return dict(Counter(one.verdict for one in judged))


def _reasons(judged: Sequence[Judged]) -> tuple[ReasonCount, ...]:
    counts = Counter((one.by, reason) for one in judged for reason in one.reasons)
    return tuple(
        # The reasons in the log came through the wire's closed list.
        ReasonCount(reviewer=by, reason=cast("Reason", reason), count=count)
        for (by, reason), count in counts.most_common()
    )


def _alerts(found: Sequence[Alarmed]) -> tuple[AlertFigures, ...]:
    return tuple(
        _alert(level, [one for one in found if one.level is level])
        for level in reversed(RiskLevel)
        if any(one.level is level for one in found)
    )


def _alert(level: RiskLevel, found: Sequence[Alarmed]) -> AlertFigures:
    seen = [one.acknowledged_ms - one.raised_ms for one in found if one.acknowledged_ms]
    return AlertFigures(
        level=level, raised=len(found), acknowledged=len(seen),
        resolved=sum(one.resolved for one in found), escalated=sum(one.paged > 1 for one in found),
        acknowledging=_times(seen),
    )  # fmt: skip


def _reactions(answers: Sequence[Answered]) -> tuple[Reaction, ...]:
    nth: Counter[str] = Counter()
    found: list[Reaction] = []
    for one in sorted(answers, key=lambda a: a.at_ms):
        nth[one.client] += 1
        found.append(
            Reaction(
                session_id=one.session_id, at=moment(one.at_ms), nth=nth[one.client],
                helpful=one.helpful, hindering=one.hindering,
            )
        )  # fmt: skip
    return tuple(found)


def _times(took_ms: Sequence[int]) -> Times:
    if not took_ms:
        return Times(p50_s=None, p90_s=None)
    if len(took_ms) == 1:
        return Times(p50_s=took_ms[0] / 1000, p90_s=took_ms[0] / 1000)
    cuts = quantiles(took_ms, n=10, method="inclusive")
    return Times(p50_s=cuts[4] / 1000, p90_s=cuts[8] / 1000)


def _day(at_ms: int) -> str:
    return moment(at_ms).date().isoformat()


def _ms(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp() * 1000)

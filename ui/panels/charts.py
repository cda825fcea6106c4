"""The insights page's charts: figures in, one drawing out."""

from collections.abc import Mapping, Sequence

import altair as alt

from service.schemas.insights import Insights
from ui.desk import t, word

Drawn = alt.Chart | alt.LayerChart | None
Row = Mapping[str, object]

HEIGHT = 250
DAY = "%m-%d"
BELOW = alt.Legend(orient="bottom", labelLimit=0, columns=2)


def times(figures: Insights) -> Drawn:
    """Median and slow answering times by day."""
    rows = [
        {"day": day.day.isoformat(), "what": t(f"insights.{name}"), "seconds": value}
        for day in figures.days
        for name, value in (
            ("median", day.answering.p50_s),
            ("slowest", day.answering.p90_s),
            ("prepared", day.waiting.p50_s),
        )
        if value is not None
    ]
    if not rows:
        return None
    return (
        _on(rows)
        .mark_line(point=True)
        .encode(
            # A day is a day of the service's calendar; read as local time it is yesterday to some.
            x=alt.X(
                "day:T",
                title=None,
                scale=alt.Scale(type="utc"),
                axis=alt.Axis(format=DAY, tickCount="day"),
            ),
            y=alt.Y("seconds:Q", title=t("insights.unit_s")),
            color=alt.Color("what:N", title=None, legend=BELOW),
        )
    )


def verdicts(figures: Insights) -> Drawn:
    """What was decided, by day."""
    rows = [
        {"day": day.day.isoformat(), "verdict": word("verdict", name), "count": count}
        for day in figures.days
        for name, count in day.verdicts.items()
    ]
    return _bars(rows, "day:O", "count:Q", "verdict:N")


def reasons(figures: Insights) -> Drawn:
    """Why drafts were changed or refused."""
    rows = [
        {"reason": word("reason", one.reason), "count": one.count, "who": one.reviewer}
        for one in figures.reasons
    ]
    if not rows:
        return None
    return (
        _on(rows)
        .mark_bar()
        .encode(
            x=alt.X("count:Q", title=None, axis=alt.Axis(tickMinStep=1, format="d")),
            y=alt.Y("reason:N", title=None, sort="-x"),
            color=alt.Color("who:N", title=None, legend=BELOW),
        )
    )


def dwell(figures: Insights) -> Drawn:
    """How long a draft was looked at against how much there was to read."""
    rows = [
        {
            "words": one.words,
            "seconds": one.dwell_ms / 1000,
            "verdict": word("verdict", one.verdict),
            "who": one.reviewer,
        }
        for one in figures.dwells
    ]
    if not rows:
        return None
    return (
        _on(rows)
        .mark_point(filled=True, opacity=0.65, size=50)
        .encode(
            x=alt.X("words:Q", title=t("insights.words")),
            y=alt.Y("seconds:Q", title=t("insights.unit_s")),
            color=alt.Color("who:N", title=None, legend=BELOW),
            shape=alt.Shape("verdict:N", title=None, legend=BELOW),
        )
    )


def alerts(figures: Insights) -> Drawn:
    """How alerts of each level went."""
    rows = [
        {"level": word("level", one.level), "what": t(f"insights.{name}"), "count": count}
        for one in figures.alerts
        for name, count in (
            ("raised", one.raised),
            ("seen", one.acknowledged),
            ("ended", one.resolved),
            ("escalated", one.escalated),
        )
    ]
    if not rows:
        return None
    return (
        _on(rows)
        .mark_bar()
        .encode(
            x=alt.X("count:Q", title=None, axis=alt.Axis(tickMinStep=1, format="d")),
            y=alt.Y("level:N", title=None),
            yOffset="what:N",
            color=alt.Color("what:N", title=None, legend=BELOW),
        )
    )


def reactions(figures: Insights) -> Drawn:
    """Session-reaction scores over a client's sessions: helpful should rise, hindering fall."""
    rows = [
        {"nth": one.nth, "what": t(f"insights.{name}"), "score": score}
        for one in figures.reactions
        for name, score in (("helpful", one.helpful), ("hindering", one.hindering))
    ]
    if not rows:
        return None
    return (
        _on(rows)
        .mark_line(point=True)
        .encode(
            x=alt.X("nth:O", title=t("insights.nth"), axis=alt.Axis(labelAngle=0)),
            y=alt.Y("mean(score):Q", title=None, scale=alt.Scale(domain=[1, 5])),
            color=alt.Color("what:N", title=None, legend=BELOW),
        )
    )


def _bars(rows: Sequence[Row], x: str, y: str, color: str) -> Drawn:
    if not rows:
        return None
    return (
        _on(rows)
        .mark_bar()
        .encode(
            x=alt.X(
                x,
                title=None,
                timeUnit="utcyearmonthdate",
                axis=alt.Axis(format=DAY, labelAngle=0, labelOverlap=True),
            ),
            y=alt.Y(y, title=None),
            color=alt.Color(color, title=None, legend=BELOW),
        )
    )


def _on(rows: Sequence[Row]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=[dict(row) for row in rows]), height=HEIGHT)

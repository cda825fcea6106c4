"""Insights for supervisors: how long people wait, what is decided, and whether anybody reads."""

from collections.abc import Sequence
from datetime import timedelta
from html import escape
from statistics import median
from typing import Final

import streamlit as st

from service.schemas.insights import AlertFigures, Insights, ReviewerFigures
from ui.desk import desk, now, t, word
from ui.panels import charts
from ui.panels.states import card, guarded

SPANS: Final = (7, 30, 90)
STREAK: Final = 20
"""So many approvals without an edit in a row are worth a conversation."""


@guarded
def show() -> None:
    """Draw the figures of the team."""
    head, span = st.columns([4, 2], vertical_alignment="center")
    head.html(f"<h1>{escape(t('page.insights'))}</h1>")
    days = span.segmented_control(
        t("insights.span"),
        SPANS,
        default=7,
        required=True,
        format_func=lambda days: t("insights.days", n=days),
        label_visibility="collapsed",
    )
    since = now() - timedelta(days=int(days or 7))
    figures = desk().api.insights({"since": since.isoformat()})
    if not figures.sessions:
        card("none", t("insights.empty_title"), t("insights.empty"))
        return
    if figures.truncated:
        st.caption(t("insights.truncated"))
    _numbers(figures)
    _charts(figures)
    _watch(figures.reviewers)


def _numbers(figures: Insights) -> None:
    waits = [day.answering.p50_s for day in figures.days if day.answering.p50_s is not None]
    verdicts = [sum(one.verdicts.values()) for one in figures.reviewers]
    approved = sum(one.verdicts.get("approve", 0) for one in figures.reviewers)
    cells = (
        (t("insights.sessions"), str(figures.sessions)),
        (t("insights.decisions"), str(sum(verdicts))),
        (t("insights.answering"), _seconds(median(waits) if waits else None)),
        (t("insights.approved"), f"{approved / max(sum(verdicts), 1):.0%}"),
        (t("insights.alerts"), str(sum(alert.raised for alert in figures.alerts))),
        _acknowledging(figures.alerts),
    )
    st.html(
        '<dl class="numbers">'
        + "".join(f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in cells)
        + "</dl>"
    )


def _acknowledging(alerts: Sequence[AlertFigures]) -> tuple[str, str]:
    """How soon the gravest level was looked at: levels have no common median."""
    seen = [one for one in alerts if one.acknowledging.p50_s is not None]
    if not seen:
        return t("insights.acknowledging"), _seconds(None)
    gravest = max(seen, key=lambda one: one.level.rank)
    label = t("insights.acknowledging_level", level=word("level", gravest.level))
    return label, _seconds(gravest.acknowledging.p50_s)


def _charts(figures: Insights) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        _chart("times", charts.times(figures))
        _chart("reasons", charts.reasons(figures))
        _chart("reactions", charts.reactions(figures))
    with right:
        _chart("verdicts", charts.verdicts(figures))
        _chart("dwell", charts.dwell(figures))
        _chart("alert_times", charts.alerts(figures))


def _chart(name: str, chart: charts.Drawn) -> None:
    with st.container(key=f"chart_{name}", border=True):
        st.html(
            f"<h2>{escape(t(f'insights.{name}_title'))}</h2>"
            f'<p class="note">{escape(t(f"insights.{name}_note"))}</p>'
        )
        if chart is None:
            st.caption(t("insights.nothing"))
        else:
            st.altair_chart(chart, width="stretch")


def _watch(reviewers: Sequence[ReviewerFigures]) -> None:
    """Per reviewer; whoever approves long rows without an edit, or faster than reading."""
    names = ("reviewer", "decisions", "edited", "distance", "undone", "streak", "fast", "dwell")
    head = "".join(f"<th>{escape(t(f'insights.{name}'))}</th>" for name in names)
    rows = "".join(_row(one) for one in reviewers)
    st.html(
        f"<h2>{escape(t('insights.watch'))}</h2><p class='note'>"
        f"{escape(t('insights.watch_note', n=STREAK))}</p>"
        f'<table class="figures"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    )


def _row(one: ReviewerFigures) -> str:
    total = max(one.decisions, 1)
    marked = one.streak >= STREAK or one.fast_approvals > total / 10
    cells = (
        f"⚑ {one.reviewer}" if marked else one.reviewer,
        str(one.decisions),
        f"{one.verdicts.get('edit', 0) / total:.0%}",
        "–" if one.edit_distance is None else f"{one.edit_distance:.0%}",
        str(one.undone),
        f"{one.streak} ({one.longest_streak})",
        str(one.fast_approvals),
        _seconds(one.dwell.p50_s),
    )
    mark = ' class="watch"' if marked else ""
    return f"<tr{mark}>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _seconds(took: float | None) -> str:
    if took is None:
        return "–"
    return t("insights.seconds", n=round(took)) if took < 120 else _minutes(took)


def _minutes(seconds: float) -> str:
    return t("insights.minutes", n=round(seconds / 60))

"""The crisis desk: who may be in danger, what shows it, and every step to a good end."""

from html import escape
from time import monotonic
from typing import Final

import streamlit as st

from service.schemas.alerts import Alert
from service.schemas.workspace import Workspace
from ui.claims import take
from ui.client import Offline, Refused
from ui.desk import desk, done, now, t, word
from ui.keymap import letter
from ui.panels import crisis_card, decide, resolving, transcript, writing
from ui.panels.states import banner, card, guarded, guarded_part, holder
from ui.renewal import part, redraw
from ui.watching import address, go, mark, opened, point_at, pulse

REFRESH_S: Final = 2.0


@guarded
def show() -> None:
    """Draw the open alerts, and the one chosen."""
    head, back = st.columns([5, 1], vertical_alignment="center")
    head.html(f"<h1>{escape(t('page.crisis'))}</h1>")
    session = address()
    if back.button(t("plan.back"), key="back", shortcut=letter("B"), type="tertiary") and session:
        go("workspace", session)
    st.session_state["listed"] = monotonic()
    st.session_state["away"] = not _read()
    _list(session)
    if session is None:
        return
    # Asked of the session and not of the list, which may be older.
    workspace = opened(session)
    if _open(workspace):
        _session(workspace)
    else:
        crisis_card.left_over(session)
    # Also where nothing is open: the next alert of this very session must open the desk.
    pulse(session, mark(workspace))


def _session(workspace: Workspace) -> None:
    """What raised the alert and all that was said on one side, the answer on the other."""
    writing.settle(desk().editor(workspace.session_id), workspace)
    left, right = st.columns([10, 11], gap="medium")
    with left:
        _danger(workspace)
        # What the client answers to the questions stands nowhere else, nor what raises no second
        # alert; whoever ends the crisis says to have read it.
        with st.container(key="crisis_talk"):
            transcript.draw(workspace)
        if workspace.crisis_card is not None:
            crisis_card.draw(workspace, workspace.crisis_card)
    with right:
        with st.container(key="banners"):
            holder(workspace)
        _answer(workspace)


@part(REFRESH_S)
@guarded_part
def _list(chosen: str | None) -> None:
    """Every open alert, read again and again: a new one joins whatever else is on the page."""
    if monotonic() - float(st.session_state["listed"]) > REFRESH_S / 2:
        st.session_state["away"] = not _read()
    alerts, away = desk().alerts or (), bool(st.session_state["away"])
    if away:
        banner("lost", t("crisis.old_list"))
    if not alerts:
        if not away:
            card("calm", t("crisis.none_title"), t("crisis.none"))
        return
    with st.container(key="alert_list", horizontal=True):
        for alert in alerts:
            _offer_alert(alert, alert.session_id == chosen)
    if chosen not in {alert.session_id for alert in alerts}:
        st.caption(t("crisis.choose"))


def _offer_alert(alert: Alert, chosen: bool) -> None:
    label = f"{word('level', alert.level)} · {word('category', alert.category)} · {_age(alert)}"
    if st.button(
        label,
        key=f"open_{alert.alert_id}",
        type="primary" if chosen else "secondary",
        icon=":material/check:" if alert.acknowledged_at else ":material/emergency_heat:",
    ):
        _choose(alert.session_id)
        # The whole page: the button stands in a part that draws only itself.
        st.rerun()


def _read() -> bool:
    """Read the list of open alerts; false while the service is away, and the old list stays.

    Raises: Offline, Refused where there is no old list; Refused where the reader may not see it.
    """
    try:
        desk().alerts = desk().api.alerts()
    except (Offline, Refused) as failure:
        away = isinstance(failure, Offline) or failure.passing
        if not away or desk().alerts is None:
            raise
        return False
    return True


def _choose(session: str) -> None:
    point_at(session)
    take(session)


def _danger(workspace: Workspace) -> None:
    lines = {line.id: line for line in workspace.transcript}
    for alert in _open(workspace):
        said = lines.get(alert.message_id)
        words = transcript.highlighted(said.text, alert.evidence) if said else ""
        reasons = sorted({word("told", e.reason) for e in alert.evidence})
        with st.container(key=f"alert_{alert.alert_id}", border=True):
            st.html(
                f'<section class="alarm level-{alert.level}"><h2>{word("level", alert.level)} · '
                f"{escape(word('category', alert.category))}</h2><blockquote>{words}</blockquote>"
                f"<p>{escape(' · '.join(reasons))}</p>"
                f"<small>{escape(t('crisis.source', source=word('source', alert.source)))}</small>"
                "</section>"
            )
            _acknowledging(alert)


@part(1.0)
def _acknowledging(alert: Alert) -> None:
    """The clock runs until somebody says: I am looking."""
    if alert.acknowledged_at is not None:
        st.caption(t("crisis.acknowledged", who=alert.acknowledged_by or "", age=_age(alert)))
        return
    left = _until(alert)
    st.html(
        f'<p class="clock" role="timer">{escape(t("crisis.waiting", age=_age(alert)))} {left}</p>'
    )
    if st.button(
        t("crisis.acknowledge"), key=f"ack_{alert.alert_id}", type="primary", shortcut=letter("Q")
    ):
        done(lambda: desk().api.acknowledge(alert.alert_id), t("crisis.yours"))
        redraw()


@part()
def _answer(workspace: Workspace) -> None:
    session = workspace.session_id
    decide.side(workspace, leads_on=False)
    open_alerts = _open(workspace)
    if desk().shows_forms(session) and open_alerts:
        resolving.form(workspace, open_alerts)


def _open(workspace: Workspace) -> list[Alert]:
    return [alert for alert in workspace.alerts if alert.resolved_at is None]


def _age(alert: Alert) -> str:
    seconds = int((now() - alert.raised_at).total_seconds())
    return t("crisis.age", minutes=seconds // 60, seconds=f"{seconds % 60:02d}")


def _until(alert: Alert) -> str:
    if alert.escalates_at is None:
        return ""
    left = int((alert.escalates_at - now()).total_seconds())
    return escape(t("crisis.escalates", n=max(left, 0)))

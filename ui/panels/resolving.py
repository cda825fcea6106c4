"""How a crisis ends: which alert, how, what was agreed. Nothing is chosen beforehand."""

import re
from collections.abc import Sequence
from html import escape
from typing import Final, get_args

import streamlit as st

from safety.risk import RiskLevel
from service.schemas.alerts import Alert, Outcome, ResolveRequest
from service.schemas.workspace import Workspace
from ui.desk import desk, done, t, word
from ui.keymap import letter
from ui.panels import crisis_card
from ui.panels.transcript import zone

OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
_MARKS = re.compile(r"[!-/:-@\[-`{-~]")
"""A choice is read as Markdown; the client's words must stay words."""
BEGINNING: Final = 60
"""So many characters of a message tell it from the others."""


def form(workspace: Workspace, alerts: Sequence[Alert]) -> None:
    """Offer to end one of the session's open alerts, and ask what has to be known for it."""
    session = workspace.session_id
    here = session in desk().claims
    st.button(t("crisis.resolve"), key="resolve", shortcut=letter("S"), on_click=_toggle,
              args=(session,), disabled=not here, icon=":material/task_alt:")  # fmt: skip
    if st.session_state.get("resolving") != session:
        return
    # Every field is this session's own: what was typed about one client never meets another.
    with st.form(f"resolve_{session}"):
        alert = _which(workspace, alerts)
        outcome = st.radio(t("crisis.outcome"), OUTCOMES, index=None, horizontal=True,
                           key=f"outcome_{session}", format_func=_outcome)  # fmt: skip
        note = st.text_area(t("crisis.note"), height=80, key=f"agreed_{session}")
        sent = st.form_submit_button(t("crisis.resolve_go"), type="primary",
                                     disabled=not here or desk().offline,
                                     on_click=desk().on_screen, args=(workspace,))  # fmt: skip
    press = desk().pressed_on(session) if sent else None
    if press is None:
        return
    if alert is None or outcome is None or not note.strip():
        missing = "alert" if alert is None else "outcome" if outcome is None else "text"
        st.error(t(f"question.missing_{missing}"))
        return
    if alert.alert_id not in {one.alert_id for one in press.workspace.alerts}:
        st.error(t("refused.basis_is_stale"))
        return
    left = [one for one in alerts if one is not alert]

    def resolve() -> None:
        # First, for with the last alert the card goes, and the plan that was filled in on it.
        crisis_card.keep(session)
        request = ResolveRequest(outcome=outcome, note=note.strip(), basis=press.workspace.seq)
        desk().api.resolve(alert.alert_id, request)

    if done(resolve, _came_to(workspace, left)):
        _toggle(session)
    st.rerun()


def _which(workspace: Workspace, alerts: Sequence[Alert]) -> Alert | None:
    """The alert this is about; with several the reader says which."""
    if len(alerts) == 1:
        with st.container(key="ending"):
            st.caption(t("crisis.ending"))
            st.html(f'<p class="ask">{escape(_named(workspace, alerts[0]))}</p>')
        return alerts[0]

    def label(place: int) -> str:
        return _MARKS.sub(r"\\\g<0>", _named(workspace, alerts[place]))

    place = st.radio(
        t("crisis.which"),
        range(len(alerts)),
        index=None,
        key="_".join(["which", *(one.alert_id for one in alerts)]),
        format_func=label,
    )
    return None if place is None else alerts[place]


def _named(workspace: Workspace, alert: Alert) -> str:
    """Level, category, time and first words: enough to tell one alert from another."""
    said = next((line for line in workspace.transcript if line.id == alert.message_id), None)
    words = " ".join(said.text.split()) if said else "…"
    return t(
        "crisis.said_at",
        level=word("level", alert.level),
        category=word("category", alert.category),
        at=f"{(said.at if said else alert.raised_at).astimezone(zone()):%H:%M}",
        words=words if len(words) <= BEGINNING else f"{words[:BEGINNING].rstrip()}…",
    )


def _came_to(workspace: Workspace, left: Sequence[Alert]) -> str:
    """What the answer changes: drafting waits for every alert of high or above."""
    if workspace.status != "crisis":
        return t("crisis.left", n=len(left)) if left else t("crisis.resolved")
    if any(alert.level.at_least(RiskLevel.HIGH) for alert in left):
        return t("crisis.still", n=len(left))
    return t("crisis.resumed_left", n=len(left)) if left else t("crisis.resumed")


def _outcome(name: Outcome) -> str:
    return t(f"outcome.{name}")


def _toggle(session: str) -> None:
    """Open the form for this session, or close it."""
    here = st.session_state.get("resolving") == session
    st.session_state["resolving"] = None if here else session

"""Audit: the log of one session, and whether it is whole."""

from html import escape

import streamlit as st

from service.schemas.admin import EventView, SessionRow
from ui.desk import desk, t, word
from ui.panels.states import card, guarded
from ui.panels.transcript import zone
from ui.watching import address

PAGE = 200


@guarded
def show() -> None:
    """Draw the session list, the chain's verdict and the entries."""
    st.html(f"<h1>{escape(t('page.audit'))}</h1>")
    rows = desk().api.sessions({"page_size": 100}).items
    if not rows:
        card("none", t("audit.empty_title"), t("audit.empty"))
        return
    session = _choose(rows)
    if session is None:
        return
    left, right = st.columns([4, 2], vertical_alignment="center")
    with right:
        payload = st.toggle(t("audit.words"), key="audit_words", help=t("audit.words_help"))
    with left:
        _verdict(session)
    filters = {"page_size": PAGE, "payload": True if payload else None}
    events = desk().api.events(session, {**filters, **_from()})
    st.html(_table(events.items))
    if events.next_page_token:
        st.button(t("audit.more"), on_click=_more, args=(events.next_page_token,))


def _choose(rows: tuple[SessionRow, ...]) -> str | None:
    known = [row.session_id for row in rows]
    here = address()
    return st.selectbox(
        t("audit.session"),
        known,
        index=known.index(here) if here in known else 0,
        format_func=lambda session: _label(rows[known.index(session)]),
        on_change=_more,
        args=(None,),
    )


def _label(row: SessionRow) -> str:
    state = t(f"status.{row.status}")
    return f"{row.session_id} · {state} · {word('stage', row.stage)} · {row.created_at:%Y-%m-%d}"


def _verdict(session: str) -> None:
    verdict = desk().api.verify(session)
    if verdict.intact:
        text, kind = t("audit.intact", n=verdict.events, head=verdict.head[:16]), "good"
    else:
        text, kind = t("audit.broken", seq=verdict.first_broken_seq), "alert"
    st.html(f'<p class="banner {kind}" role="status">{escape(text)}</p>')


def _table(events: tuple[EventView, ...]) -> str:
    head = "".join(
        f"<th>{escape(t(f'audit.{name}'))}</th>" for name in ("seq", "at", "what", "who", "hash")
    )
    where = zone()
    rows = "".join(
        f"<tr><td>{event.seq}</td><td>{event.at.astimezone(where):%m-%d %H:%M:%S}</td>"
        f"<td>{escape(event.type.replace('_', ' '))}{_payload(event)}</td>"
        f"<td>{escape(event.actor)}</td><td><code>{escape(event.hash[:12])}</code></td></tr>"
        for event in events
    )
    return f'<table class="figures log"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _payload(event: EventView) -> str:
    if not isinstance(event.payload, dict):
        return ""
    parts = "; ".join(f"{name}: {value}" for name, value in event.payload.items() if value)
    return f"<small>{escape(parts)}</small>"


def _from() -> dict[str, str]:
    token = st.session_state.get("audit_from")
    return {"page_token": token} if token else {}


def _more(token: str | None) -> None:
    st.session_state["audit_from"] = token

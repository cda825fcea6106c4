"""Audit: the log of one session, whether it is whole, and the ways out for its words."""

from html import escape
from typing import Final

import streamlit as st

from service.schemas.admin import EventView, SessionRow
from ui import sign_in
from ui.desk import attempt, desk, done, t, word
from ui.panels.states import card, guarded
from ui.panels.transcript import zone
from ui.watching import address, point_at

PAGE: Final = 200
CHOSEN: Final = "audit_session"
FIND: Final = "audit_find"
COPY: Final = "audit_copy"
"""The session last exported, and the file."""


@guarded
def show() -> None:
    """Draw the session list, the chain's verdict and the entries."""
    st.html(f"<h1>{escape(t('page.audit'))}</h1>")
    rows = desk().api.sessions({"page_size": 100}).items
    if not rows:
        card("none", t("audit.empty_title"), t("audit.empty"))
        return
    session = _choose(rows)
    left, right = st.columns([4, 2], vertical_alignment="center")
    with right:
        # Each session's own: whoever asks for one client's words has not asked for another's.
        payload = st.toggle(t("audit.words"), key=f"audit_words_{session}",
                            help=t("audit.words_help"))  # fmt: skip
    with left:
        _verdict(session)
    _entries(session, payload)
    if not any(row.session_id == session and row.status == "erased" for row in rows):
        _ways_out(session)


def _ways_out(session: str) -> None:
    """What a client may ask of the house: a copy of their session, and that its words end."""
    with st.expander(t("audit.out"), icon=":material/logout:"):
        copy, end = st.columns(2, gap="large")
        with copy:
            st.caption(t("audit.export_help"))
            st.button(t("audit.export"), key="audit_export", on_click=_export, args=(session,))
            made: tuple[str, bytes] | None = st.session_state.get(COPY)
            if made is not None and made[0] == session:
                st.download_button(
                    t("audit.save"), made[1], f"{session}.json", "application/json",
                    key="audit_save", type="primary", icon=":material/download:",
                )  # fmt: skip
        with end:
            st.caption(t("audit.erase_help"))
            st.text_input(t("audit.erase_sure", end=_end(session)), key=_sure(session))
            st.button(t("audit.erase"), key="audit_erase", on_click=_erase, args=(session,),
                      icon=":material/delete_forever:")  # fmt: skip


def _export(session: str) -> None:
    """Have the copy made: scrubbing a long session takes a moment, and asking is logged."""
    made = attempt(lambda: desk().api.export(session))
    st.session_state[COPY] = (session, made) if made is not None else None


def _erase(session: str) -> None:
    """Erase once the reader has typed which session it is; nothing here brings it back."""
    if str(st.session_state[_sure(session)] or "").strip().upper() != _end(session):
        desk().notice = ("error", t("audit.erase_unsure", end=_end(session)))
    elif done(lambda: desk().api.erase(session), t("audit.erase_done")):
        st.session_state[COPY] = None
        sign_in.forget(session)


def _end(session: str) -> str:
    """How people tell sessions apart: the end of the id, as on every other page."""
    return session[-6:].upper()


def _sure(session: str) -> str:
    return f"audit_sure_{session}"


def _entries(session: str, payload: bool) -> None:
    """One page of the log, and the ways to the others; each session has its own place in it."""
    before: tuple[str, ...] = st.session_state.get(_place(session), ())
    asked = {"page_size": PAGE, "payload": True if payload else None}
    events = desk().api.events(session, {**asked, "page_token": before[-1] if before else None})
    st.html(_table(events.items))
    ways = {
        "first": () if before else None,
        "earlier": before[:-1] if before else None,
        "more": (*before, events.next_page_token) if events.next_page_token else None,
    }
    with st.container(key="audit_pages", horizontal=True):
        for way, place in ways.items():
            if place is not None:
                st.button(t(f"audit.{way}"), key=f"audit_{way}", on_click=_turn,
                          args=(session, place))  # fmt: skip


def _choose(rows: tuple[SessionRow, ...]) -> str:
    """The session in the address, be it listed or not: only the newest are; else the newest."""
    known = {row.session_id: row for row in rows}
    chosen: str | None = st.session_state.get(CHOSEN)
    here = address() or chosen or rows[0].session_id
    if chosen != here:
        st.session_state[CHOSEN] = here
    listed, older = st.columns([4, 2], vertical_alignment="bottom")
    older.text_input(t("audit.find"), key=FIND, on_change=_find, placeholder="ses_…")
    return listed.selectbox(
        t("audit.session"),
        list(known) if here in known else [here, *known],
        key=CHOSEN,
        format_func=lambda session: _label(known[session]) if session in known else session,
        on_change=_open,
    )


def _open() -> None:
    point_at(st.session_state[CHOSEN])


def _find() -> None:
    """Open a session that is too old for the list."""
    if wanted := str(st.session_state[FIND] or "").strip():
        point_at(wanted)


def _turn(session: str, place: tuple[str, ...]) -> None:
    st.session_state[_place(session)] = place


def _place(session: str) -> str:
    return f"audit_from_{session}"


def _label(row: SessionRow) -> str:
    state = t(f"status.{row.status}")
    # The reader's day, as in the entries below: one session has one date.
    day = f"{row.created_at.astimezone(zone()):%Y-%m-%d}"
    return f"{row.session_id} · {state} · {word('stage', row.stage)} · {day}"


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
        f"<tr><td>{event.seq}</td><td>{event.at.astimezone(where):%Y-%m-%d %H:%M:%S}</td>"
        f"<td>{escape(word('event', _happened(event)))}{_payload(event)}</td>"
        f"<td>{escape(event.actor)}</td><td><code>{escape(event.hash[:12])}</code></td></tr>"
        for event in events
    )
    return f'<table class="figures log"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _happened(event: EventView) -> str:
    """What the entry tells of: whether a page reached anybody is known with its words only."""
    if event.type != "alert_paged" or not isinstance(event.payload, dict):
        return event.type
    return "page_delivered" if event.payload.get("delivered") else "page_failed"


def _payload(event: EventView) -> str:
    if not isinstance(event.payload, dict):
        return ""
    # What is no or nought was said, too: a page that reached nobody, the first of the candidates.
    parts = "; ".join(
        f"{name}: {value}"
        for name, value in event.payload.items()
        if value is not None and value not in ("", [], {})
    )
    return f"<small>{escape(parts)}</small>"

"""Reading one session again and again: the page is drawn anew only when something changed."""

from time import monotonic
from typing import Final

import streamlit as st

from service.schemas.workspace import Workspace
from ui.claims import renew, take
from ui.client import Offline, Refused
from ui.desk import Editor, Held, desk, now
from ui.panels import writing
from ui.renewal import part, redraw

PULSE_S: Final = 2.0
RENEW_S: Final = 15.0


def address() -> str | None:
    """The session this page is about: from the address, else the one open last."""
    session = st.query_params.get("session") or st.session_state.get("session")
    if session is not None:
        point_at(session)
    return session


def point_at(session: str) -> None:
    """Make this the session that is open, in the address and for the other pages."""
    st.session_state["session"] = st.query_params["session"] = session


def go(page: str, session: str | None = None) -> None:
    """Open another page, for the same or another session."""
    target = st.session_state["pages"][page]
    st.switch_page(target, query_params={"session": session} if session else None)


def opened(session: str) -> Workspace:
    """The session as its reader sees it; what was held before a refresh is held again."""
    workspace = look(session)
    unheld = session not in desk().claims and session not in desk().lost
    if unheld and workspace.claimed_by == desk().me.name and take(session):
        workspace = look(session)
    news = session in desk().claims and not desk().offline and _holds_unknown(workspace)
    # The bar stands above the page and is drawn already; a press is heard first.
    if news and desk().pressed is None:
        st.rerun()
    return workspace


def _holds_unknown(workspace: Workspace) -> bool:
    """Offer to take back what was decided before a refresh, in another tab, or unanswered."""
    held, known = workspace.held, desk().held
    if held is None or held.release_at <= now():
        return False
    if known is not None and known.release_at > now():
        return False
    words = Editor(text=held.text, shown_at=now())
    desk().held = Held(workspace.session_id, held.decision_id, held.release_at, words)
    editor = desk().editor(workspace.session_id)
    if editor.text.strip() == held.text.strip():
        # Its answer was lost; the words are decided on, so they are no longer to be sent.
        writing.forget(workspace.session_id, editor)
    return True


def look(session: str) -> Workspace:
    """The session now; what was last seen of it while the service is away.

    Raises: Offline, Refused where it was never seen; Refused where it may not be.
    """
    st.session_state["looked"] = monotonic()
    try:
        workspace = desk().api.workspace(session)
    except Offline:
        return _kept(session)
    except Refused as refusal:
        if not refusal.passing or session not in desk().seen:
            raise
        return _kept(session)
    desk().offline = False
    desk().seen[session] = workspace
    return workspace


@part(PULSE_S)
def pulse(session: str, shown: tuple[object, ...]) -> None:
    """Look again; draw the page anew when there is something the reader must see."""
    if monotonic() - float(st.session_state["looked"]) < PULSE_S / 2:
        return
    if monotonic() - float(st.session_state.get("renewed", 0.0)) > RENEW_S:
        st.session_state["renewed"] = monotonic()
        renew(session)
    away, lost = desk().offline, session in desk().lost
    try:
        workspace = look(session)
    except (Offline, Refused):
        redraw()
        return
    _check_claim(workspace)
    if (desk().offline, session in desk().lost) != (away, lost) or mark(workspace) != shown:
        redraw()


def mark(workspace: Workspace) -> tuple[object, ...]:
    """What, when it changes, the reader must see."""
    draft, held = workspace.draft, workspace.held
    return (
        workspace.seq,
        workspace.status,
        workspace.no_draft_reason,
        workspace.claimed_by,
        workspace.viewers,
        draft and (draft.draft_id, draft.stale),
        held and held.decision_id,
        desk().trouble,
        tuple((alert.acknowledged_at, alert.resolved_at) for alert in workspace.alerts),
    )


def _check_claim(workspace: Workspace) -> None:
    """Notice at once, not at the next send, that a colleague has what we held."""
    session = workspace.session_id
    if session in desk().claims and workspace.claimed_by not in {None, desk().me.name}:
        renew(session)


def _kept(session: str) -> Workspace:
    desk().offline = True
    if session not in desk().seen:
        raise Offline
    return desk().seen[session]

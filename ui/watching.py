"""Reading one session again and again: the page is drawn anew only when something changed."""

from contextlib import suppress
from dataclasses import replace
from time import monotonic
from typing import Final

import streamlit as st

from service.schemas.workspace import Workspace
from ui import sign_in
from ui.claims import renew, take
from ui.client import Offline, Refused
from ui.desk import Editor, Held, desk, now, t
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
    for editor in desk().editors.values():
        editor.looked_at(None)
    workspace = look(session)
    unheld = session not in desk().claims and session not in desk().lost
    if unheld and workspace.claimed_by == desk().me.name and take(session):
        desk().editor(session).resumed |= not desk().editor(session).settled
        workspace = look(session)
    news = not desk().offline and (
        withdrawn(workspace) or (session in desk().claims and _holds_unknown(workspace))
    )
    # The bar stands above the page and is drawn already; a press is heard first.
    if news and desk().pressed is None:
        st.rerun()
    return workspace


def _holds_unknown(workspace: Workspace) -> bool:
    """Offer to take back what was decided before a refresh, in another tab, or unanswered."""
    session, held = workspace.session_id, workspace.held
    if held is None or held.release_at <= now():
        return False
    known = desk().held.get(session)
    if known is not None and (known.decision_id == held.decision_id or workspace.seq < known.seq):
        return False
    words = Editor(text=held.text, own=True, resumed=True)
    desk().hold(Held(session, held.decision_id, held.release_at, words, workspace.seq))
    editor = desk().editor(session)
    if editor.text.strip() == held.text.strip():
        # Its answer was lost; the words are decided on, so they are no longer to be sent.
        writing.forget(session, editor)
    return True


def withdrawn(workspace: Workspace) -> bool:
    """Give a reply back that will not leave, as when the client wrote of danger, and say so.

    True when there was one. What a press of this run was made on stays as it was read.
    """
    session, held = workspace.session_id, desk().held.get(workspace.session_id)
    if held is None or workspace.seq < held.seq or desk().pressed is not None:
        return False
    if workspace.held is not None and workspace.held.decision_id == held.decision_id:
        return False
    del desk().held[session]
    if any(line.id == held.decision_id for line in workspace.transcript):
        return False
    editor, words = desk().editor(session), held.words
    if workspace.draft is None or workspace.draft.draft_id != words.draft_id:
        # Their draft is past: as its words they would go with it.
        words = replace(words, own=True, start="", draft_id=None)
    if editor.text.strip() in {"", editor.start.strip()}:
        writing.give_back(session, words)
    editor.returned = words
    danger = workspace.status == "crisis"
    desk().notice = ("error", t("hold.withdrawn" if danger else "hold.returned"))
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
        if refusal.code == "session_erased":
            sign_in.forget(session)
        if not refusal.passing or session not in desk().seen:
            raise
        return _kept(session)
    desk().offline = False
    desk().seen[session] = workspace
    # What could not be kept while the service was away is kept as soon as it answers.
    writing.keep(session, desk().editor(session))
    return workspace


def look_after_held() -> None:
    """Where a client who is not on the page wrote of danger, the reply may have been withdrawn."""
    troubled = {alert.session_id for alert in desk().alerts or ()}
    for held in list(desk().held.values()):
        if held.session_id not in troubled:
            continue
        with suppress(Offline, Refused):
            if withdrawn(desk().api.workspace(held.session_id)):
                redraw()


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
    editor = desk().editor(session)
    if editor.seen_at is not None:
        editor.looked_at(now())
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

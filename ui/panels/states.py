"""What a page shows when it cannot show itself: loading, offline, refused, nothing chosen."""

from collections.abc import Callable
from functools import wraps
from html import escape
from time import monotonic
from typing import Final

import streamlit as st

from service.schemas.workspace import Workspace
from ui.claims import take_free
from ui.client import Offline, Refused
from ui.desk import attempt, desk, t, why
from ui.keymap import letter
from ui.panels import questions
from ui.renewal import part, redraw
from ui.sign_in import keep_plans, sign_out

RETRY_S: Final = 4.0


def guarded(draw: Callable[..., None]) -> Callable[..., None]:
    """Turn the service's silence and refusals into a calm card that goes when it is back."""
    return _carded(draw, _come_back)


def guarded_part(draw: Callable[..., None]) -> Callable[..., None]:
    """The same for a part that draws itself again and again anyway."""
    return _carded(draw, lambda: None)


def _carded(draw: Callable[..., None], ailing: Callable[[], None]) -> Callable[..., None]:
    @wraps(draw)
    def drawn(*given: object) -> None:
        try:
            draw(*given)
        except Offline:
            card("offline", t("state.offline_title"), t("state.offline"))
            ailing()
        except Refused as refusal:
            if refusal.code == "unauthenticated":
                expired()
                return
            card("refused", t("state.refused_title"), why(refusal))
            if refusal.passing:
                ailing()

    return drawn


def _come_back() -> None:
    # Without the time the first look would follow the failed one at once, and so on for ever.
    st.session_state["failed_at"] = monotonic()
    _again()


@part(RETRY_S)
def _again() -> None:
    """Draw the page anew as soon as the service answers, and not before: a reader may be reading.

    Asked is what every page may ask. A page whose own answer fails while this one comes tries
    again every few seconds too, as its card says.
    """
    if monotonic() - float(st.session_state["failed_at"]) < RETRY_S / 2:
        return
    try:
        desk().api.me()
    except Offline:
        return
    except Refused as refusal:
        if refusal.passing:
            return
    redraw()


def card(kind: str, title: str, text: str) -> None:
    """One message in the middle of the page."""
    st.html(
        f'<div class="blank {kind}" role="status"><h2>{escape(title)}</h2>'
        f"<p>{escape(text)}</p></div>"
    )


def banner(kind: str, text: str) -> None:
    """One line above the work: something to know before going on."""
    st.html(f'<p class="banner {kind}" role="status">{escape(text)}</p>')


def holder(workspace: Workspace) -> None:
    """Say who answers the session, where it is not this reader, and offer to take it."""
    session, name = workspace.session_id, workspace.claimed_by
    if session in desk().claims:
        return
    if session in desk().lost:
        banner("lost", t("workspace.lost", who=name) if name else t("workspace.let_go"))
    elif name:
        banner("taken", t("workspace.taken", who=name))
    free = name in {None, desk().me.name}
    st.button(t("workspace.take" if free else "workspace.take_over"), key="take",
              shortcut=letter("T"), on_click=_take, args=(session, free))  # fmt: skip


def _take(session: str, free: bool) -> None:
    # What went wrong says so itself; only where somebody holds it there is something to ask.
    if not free or attempt(lambda: take_free(session)) is False:
        questions.ask(desk().editor(session), "take_over")


def expired() -> None:
    """The service no longer knows the reader; the typed words stay where they are kept."""
    keep_plans()
    card("expired", t("state.expired_title"), t("state.expired"))
    with st.container(key="sign_in_again", horizontal_alignment="center"):
        if st.button(t("state.sign_in_again"), type="primary", icon=":material/login:"):
            sign_out(again=True)
            st.rerun()


def no_session() -> None:
    """A session page opened without a session."""
    card("none", t("state.no_session_title"), t("state.no_session"))
    if st.button(t("queue.back"), type="primary", icon=":material/inbox:"):
        st.switch_page(st.session_state["pages"]["queue"])


def no_permission() -> None:
    """Signed in with a role the console has no pages for."""
    card("refused", t("state.no_permission_title"), t("state.no_permission"))
    st.button(t("account.sign_out"), on_click=sign_out)

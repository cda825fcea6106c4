"""What a page shows when it cannot show itself: loading, offline, refused, nothing chosen."""

from collections.abc import Callable
from functools import wraps
from html import escape

import streamlit as st

from ui.client import Offline, Refused
from ui.desk import t, why
from ui.sign_in import sign_out


def guarded(draw: Callable[[], None]) -> Callable[[], None]:
    """Turn the service's silence and refusals into a calm card in place of the page."""

    @wraps(draw)
    def drawn() -> None:
        try:
            draw()
        except Offline:
            card("offline", t("state.offline_title"), t("state.offline"))
        except Refused as refusal:
            if refusal.code == "unauthenticated":
                expired()
                return
            card("refused", t("state.refused_title"), why(refusal))

    return drawn


def card(kind: str, title: str, text: str) -> None:
    """One message in the middle of the page."""
    st.html(
        f'<div class="blank {kind}" role="status"><h2>{escape(title)}</h2>'
        f"<p>{escape(text)}</p></div>"
    )


def banner(kind: str, text: str) -> None:
    """One line above the work: something to know before going on."""
    st.html(f'<p class="banner {kind}" role="status">{escape(text)}</p>')


def expired() -> None:
    """The service no longer knows the reader; the typed words stay where they are kept."""
    card("expired", t("state.expired_title"), t("state.expired"))
    with st.container(key="sign_in_again", horizontal_alignment="center"):
        if st.button(t("state.sign_in_again"), type="primary", icon=":material/login:"):
            sign_out()
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

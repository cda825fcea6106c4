"""Signing in: an access token in development, the organisation's OIDC provider in production."""

import httpx
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ui import parts
from ui.client import Api, Offline, Refused
from ui.desk import Desk, t
from ui.texts import TONGUES


def known() -> bool:
    """Whether the reader has signed in."""
    return "desk" in st.session_state


def signed_in(http: httpx.Client) -> bool:
    """Sign the reader in by what this tab or the organisation remembers; false if nothing does."""
    if _organisation():
        return st.user.is_logged_in and _enter(http, str(st.user.tokens["id"])) is None
    forget = bool(st.session_state.pop("signed_out", False))
    kept = parts.tab_memory("memory", keep=None, forget=forget)
    return kept is not None and not forget and _enter(http, kept) is None


def ask(http: httpx.Client) -> None:
    """Draw the sign-in page."""
    if _organisation():
        _ask_organisation(http)
    else:
        _ask_token(http)


def sign_out() -> None:
    """Forget the reader, here and in the tab."""
    tongue = st.session_state.get("tongue")
    st.session_state.clear()
    st.session_state["signed_out"] = True
    st.session_state["tongue"] = tongue
    if _organisation():
        st.logout()


def token_to_keep() -> str | None:
    """The development token, for the tab's memory; none with OIDC."""
    return None if _organisation() else st.session_state["desk"].api.token


def _organisation() -> bool:
    """Whether an OIDC provider is configured (``[auth]`` in Streamlit's secrets)."""
    try:
        return "auth" in st.secrets
    except FileNotFoundError:
        return False


def _ask_organisation(http: httpx.Client) -> None:
    with _card():
        if not st.user.is_logged_in:
            st.button(t("signin.organisation"), type="primary", width="stretch", on_click=st.login)
            return
        st.error(_enter(http, str(st.user.tokens["id"])) or t("state.offline"))
        st.button(t("account.sign_out"), on_click=st.logout)


def _ask_token(http: httpx.Client) -> None:
    with _card():
        with st.form("signin", border=False):
            token = st.text_input(t("signin.token"), type="password", help=t("signin.help"))
            sent = st.form_submit_button(t("signin.enter"), type="primary", width="stretch")
        if sent:
            fault = _enter(http, token.strip()) if token.strip() else t("signin.empty")
            if fault is None:
                st.rerun()
            st.error(fault)
        st.segmented_control(
            "Language / 语言",
            TONGUES,
            default="en",
            required=True,
            key="tongue",
            persist_state="session",
            format_func=lambda tongue: t(f"tongue.{tongue}"),
            label_visibility="collapsed",
        )


def _enter(http: httpx.Client, token: str) -> str | None:
    """Open the desk; what went wrong, or None."""
    api = Api(http, token)
    try:
        me = api.me()
    except Refused as refusal:
        return t("signin.unknown") if refusal.code != "rate_limited" else t("refused.rate_limited")
    except Offline:
        return t("state.offline")
    except UnicodeEncodeError:
        return t("signin.unknown")
    st.session_state["desk"] = Desk(api, me)
    return None


def _card() -> DeltaGenerator:
    box = st.container(key="signin_card")
    box.html(f"<h1>Second Chair</h1><p>{t('signin.motto')}</p>")
    return box

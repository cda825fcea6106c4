"""Signing in: an access token in development, the organisation's OIDC provider in production."""

from time import monotonic
from typing import Final

import httpx
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from service.schemas.admin import Me
from ui import parts
from ui.client import Api, Offline, Refused
from ui.desk import Desk, SafetyPlan, desk, now, t
from ui.texts import TONGUES

KEPT_S: Final = 3600.0
"""So long a safety plan waits for its writer to sign in again."""


def known() -> bool:
    """Whether the reader has signed in."""
    return "desk" in st.session_state


def signed_in(http: httpx.Client) -> bool:
    """Sign the reader in by what this tab or the organisation remembers; false if nothing does."""
    if _organisation():
        return st.user.is_logged_in and _enter(http, str(st.user.tokens["id"]))
    forget = bool(st.session_state.pop("signed_out", False))
    kept = parts.tab_memory("memory", keep=None, forget=forget)
    return kept is not None and not forget and _enter(http, kept)


def ask(http: httpx.Client) -> None:
    """Draw the sign-in page."""
    if _organisation():
        _ask_organisation()
    else:
        _ask_token(http)


def keep_plans() -> None:
    """Keep what no note holds yet for this very reader, beyond this tab and this sign-in."""
    for session, plan in desk().safety_plans.items():
        if plan.unkept:
            _plans()[desk().me, session] = (monotonic(), plan)
        elif _plans().get((desk().me, session), (0.0, None))[1] is plan:
            _plans().pop((desk().me, session))


def sign_out(again: bool = False) -> None:
    """Forget the reader, here and in the tab; who signs in ``again`` finds the kept plans."""
    if not again:
        for reader, session in list(_plans()):
            if reader == desk().me:
                _plans().pop((reader, session), None)
    # What the browser keeps of these it tells with its next connection only.
    wanted = {key: st.session_state.get(key) for key in ("tongue", "single_keys")}
    st.session_state.clear()
    st.session_state["signed_out"] = True
    st.session_state.update({key: kept for key, kept in wanted.items() if kept is not None})
    if _organisation():
        st.logout()


@st.cache_resource(show_spinner=False)
def _plans() -> dict[tuple[Me, str], tuple[float, SafetyPlan]]:
    """By reader and session, and since when.

    Of the process: the way over an organisation's page begins a new browser session.
    """
    return {}


def _kept_plans(me: Me) -> dict[str, SafetyPlan]:
    """Hand out what is kept for this reader, as often as the page is loaded; what is old goes."""
    found: dict[str, SafetyPlan] = {}
    for (reader, session), (since, plan) in list(_plans().items()):
        if monotonic() - since > KEPT_S:
            _plans().pop((reader, session), None)
        elif reader == me:
            found[session] = plan
    return found


def forget(session: str) -> None:
    """Let go of all words of a session that was erased, also of what outlives a sign-in."""
    desk().forget(session)
    for reader, known in list(_plans()):
        if known == session:
            _plans().pop((reader, known), None)


def token_to_keep() -> str | None:
    """The development token, for the tab's memory; none with OIDC."""
    return None if _organisation() else st.session_state["desk"].api.token


def _organisation() -> bool:
    """Whether an OIDC provider is configured (``[auth]`` in Streamlit's secrets)."""
    try:
        return "auth" in st.secrets
    except FileNotFoundError:
        return False


def _ask_organisation() -> None:
    """Offer the organisation's own page; whoever comes back from it in vain is told why."""
    with _card():
        fault = _fault() if st.user.is_logged_in else None
        if fault is not None:
            st.error(fault)
        if fault is None or _run_out():
            st.button(t("signin.organisation"), type="primary", width="stretch", on_click=st.login)
        else:
            st.button(t("account.sign_out"), on_click=st.logout)


def _ask_token(http: httpx.Client) -> None:
    with _card():
        with st.form("signin", border=False):
            token = st.text_input(t("signin.token"), type="password", help=t("signin.help"))
            sent = st.form_submit_button(t("signin.enter"), type="primary", width="stretch")
        if sent and token.strip() and _enter(http, token.strip()):
            st.rerun()
        fault = t("signin.empty") if sent and not token.strip() else _fault()
        if fault is not None:
            st.error(fault)
        st.segmented_control(
            "Language / 语言",
            TONGUES,
            default=parts.preferred().tongue,
            required=True,
            key="tongue",
            persist_state="session",
            format_func=lambda tongue: t(f"tongue.{tongue}"),
            label_visibility="collapsed",
        )


def _enter(http: httpx.Client, token: str) -> bool:
    """Open the desk; where it stays shut, remember why."""
    api = Api(http, token)
    st.session_state["signin_fault"] = None
    try:
        me = api.me()
    except (Refused, Offline) as failure:
        st.session_state["signin_fault"] = failure
        return False
    except UnicodeEncodeError:
        # Letters that no token has: it need not be asked about.
        st.session_state["signin_fault"] = "unknown"
        return False
    st.session_state["desk"] = Desk(api, me, safety_plans=_kept_plans(me))
    return True


def _fault() -> str | None:
    """Why the last attempt came to nothing, in the reader's words: whose fault it is, first."""
    match st.session_state.get("signin_fault"):
        case None:
            return None
        case Offline():
            return t("signin.offline")
        case Refused(code="rate_limited"):
            return t("refused.rate_limited")
        case Refused() as refusal if refusal.problem.status not in {401, 403}:
            return t("signin.failing", code=refusal.code)
        case _ if not _organisation():
            return t("signin.unknown")
        case _:
            return t("signin.expired" if _run_out() else "signin.no_role")


def _run_out() -> bool:
    """Whether the organisation's word for this reader has ended; its cookie lives longer."""
    ends = st.user.get("exp")
    return isinstance(ends, int | float) and ends <= now().timestamp()


def _card() -> DeltaGenerator:
    box = st.container(key="signin_card")
    box.html(f"<h1>Second Chair</h1><p>{t('signin.motto')}</p>")
    return box

"""The strip every page shares: who reads, language, help, open alerts, the hold bar."""

from contextlib import suppress
from html import escape
from time import monotonic

import streamlit as st

from ui import keymap, parts, tour, watching
from ui.client import Offline, Refused
from ui.desk import desk, t
from ui.panels import hold, writing
from ui.renewal import part
from ui.sign_in import sign_out, token_to_keep
from ui.texts import TONGUES

WATCH_S = 3.0
HEALTH_S = 9.0


def bar(pages: tuple[str, ...]) -> None:
    """Draw the strip."""
    parts.tab_memory("memory_kept", keep=token_to_keep())
    with st.container(key="account", horizontal=True, vertical_alignment="center"):
        _watch(pages)
        st.button("?", key="help_open", help=t("account.keys"), on_click=keymap.ask)
        with st.popover(desk().me.name, icon=":material/person:"):
            _menu()
    # Always the same number of places: what comes and goes must not move the page below, or the
    # browser would build the editor anew under the therapist's fingers.
    for draw in (_notice, hold.bar, tour.card):
        with st.container():
            draw()
    keymap.show()


def told() -> None:
    """The page is drawn to its end: what was said on top of it has reached the reader.

    A press that nothing on it took up, as where a colleague was faster, ends with it.
    """
    desk().telling = desk().pressed = None


@part(WATCH_S)
def _watch(pages: tuple[str, ...]) -> None:
    """Watch for alerts that nobody has acknowledged; title and sound tell wherever one is."""
    waiting = _unacknowledged() if desk().reviews else []
    if desk().reviews:
        watching.look_after_held()
        _trouble()
    said = t("account.new_alert")
    parts.signals("signals", parts.Signals(waiting, said, list(pages), keymap.wanted()))
    if waiting and st.button(
        t("account.alerts", n=len(waiting)), key="alerts_open", icon=":material/emergency_heat:"
    ):
        st.switch_page(st.session_state["pages"]["crisis"])


def _unacknowledged() -> list[str]:
    """The alerts nobody looks at; those last known of, and a word on it, while none can be read."""
    try:
        desk().alerts = desk().api.alerts()
    except Offline:
        _chip(t("account.unwatched"))
    except Refused as refusal:
        ended = refusal.code == "unauthenticated"
        _chip(t("account.signed_out" if ended else "account.unwatched"))
    return [alert.alert_id for alert in desk().alerts or () if alert.acknowledged_at is None]


def _trouble() -> None:
    """Say on every page why drafts do not come as usual."""
    if monotonic() - float(st.session_state.get("health", 0.0)) > HEALTH_S:
        st.session_state["health"] = monotonic()
        # Where nobody answers, what was known last stays.
        with suppress(Offline):
            checks = desk().api.health().checks
            paused = "paused" if checks.get("drafting") == "paused" else None
            desk().trouble = "engine_down" if checks.get("engine") == "down" else paused
    if desk().trouble:
        _chip(t(f"account.{desk().trouble}"))


def _chip(text: str) -> None:
    st.html(f'<span class="chip viewer" role="status">{escape(text)}</span>')


def _menu() -> None:
    me = desk().me
    st.caption(f"{t(f'role.{me.role}')} · {me.team}")
    st.segmented_control(
        t("account.language"),
        TONGUES,
        default=parts.preferred().tongue,
        required=True,
        key="tongue",
        persist_state="session",
        format_func=lambda tongue: t(f"tongue.{tongue}"),
    )
    st.toggle(
        t("account.single_keys"), value=parts.preferred().letters, key="single_keys",
        persist_state="session",
    )  # fmt: skip
    st.button(t("account.tour"), width="stretch", icon=":material/tour:", on_click=tour.start)
    leaving = bool(st.session_state.get("leaving")) and _unkept()
    if leaving:
        st.warning(t("account.unkept"))
    st.button(
        t("account.sign_out_anyway" if leaving else "account.sign_out"), key="sign_out",
        width="stretch", icon=":material/logout:", on_click=_leave, args=(leaving,),
    )  # fmt: skip


def _leave(asked: bool) -> None:
    """Sign out; ask first where words would go that nobody else has."""
    if asked or not _unkept():
        sign_out()
    else:
        st.session_state["leaving"] = True


def _unkept() -> bool:
    """Whether this desk alone has words: of a safety plan, or of a reply not saved or come back."""
    return any(plan.unkept for plan in desk().safety_plans.values()) or not all(
        writing.confirmed(editor) and writing.holds_returned(editor)
        for editor in desk().editors.values()
    )


def _notice() -> None:
    """Say what the last action came to; again, where a redraw cut the page short meanwhile."""
    here = desk()
    here.telling, here.notice = here.notice or here.telling, None
    if here.telling is None:
        return
    kind, text = here.telling
    with st.container(key="notice"):
        if kind == "error":
            st.error(text, icon=":material/error:")
        else:
            st.toast(text, icon=":material/check:" if kind == "success" else ":material/group:")

"""Adapters: which one speaks for which role, how a rollout goes, and the way back."""

from html import escape

import streamlit as st

from planner.vocabulary import Role
from service.schemas.admin import AdapterView, Health, RolloutView
from ui.client import Offline, Refused
from ui.desk import attempt, desk, done, t
from ui.panels.states import guarded
from ui.renewal import part

STEPS = ("preflight", "load", "warm up", "gate", "flip", "drain", "unload")
ENDED = {"done", "serving", "failed", "rolled_back"}


@guarded
def show() -> None:
    """Draw the adapters of both roles, the running rollout, and the service's health."""
    st.html(f"<h1>{escape(t('page.adapters'))}</h1>")
    _rollout()
    adapters = desk().api.adapters()
    for column, role in zip(st.columns(2, gap="medium"), Role, strict=True):
        with column.container(key=f"role_{role}", border=True):
            serving = adapters.aliases.get(role, "")
            st.html(
                f"<h2>{escape(t(f'adapters.{role}'))}</h2>"
                f'<p class="note">{escape(t("adapters.in_service", name=serving or "–"))}</p>'
            )
            for adapter in (one for one in adapters.items if one.role == role):
                _adapter(adapter)
            _back(role)
    _health()


def _adapter(adapter: AdapterView) -> None:
    words, act = st.columns([5, 2], vertical_alignment="center")
    state = "serving" if adapter.serving else "loaded" if adapter.loaded else "on_disk"
    rate = (
        "" if adapter.error_rate is None else f" · {t('adapters.errors')} {adapter.error_rate:.1%}"
    )
    words.html(
        f'<p class="adapter {state}"><code>{escape(adapter.name)}</code>'
        f"<small>{escape(t(f'adapters.{state}'))}{escape(rate)}</small></p>"
    )
    if not adapter.serving:
        act.button(t("adapters.roll_out"), key=f"roll_{adapter.name}", width="stretch",
                   on_click=_start, args=(adapter.role, adapter.name))  # fmt: skip


def _start(role: Role, name: str) -> None:
    rollout = attempt(lambda: desk().api.roll_out(role, name))
    if rollout is not None:
        st.session_state["rollout"] = rollout.rollout_id


def _back(role: Role) -> None:
    """Rolling back asks once more: it changes what every draft is written with."""
    with st.popover(t("adapters.roll_back"), icon=":material/undo:"):
        st.caption(t("adapters.roll_back_help"))
        if st.button(t("adapters.roll_back_go"), key=f"back_{role}", type="primary"):
            done(lambda: desk().api.roll_back(role), t("adapters.rolled_back"))
            st.rerun()


@part(2.0)
def _rollout() -> None:
    """The running rollout, step by step, until it has ended."""
    rollout_id = st.session_state.get("rollout")
    if rollout_id is None:
        return
    try:
        rollout = desk().api.rollout(rollout_id)
    except (Refused, Offline):
        return
    st.html(_progress(rollout))


def _progress(rollout: RolloutView) -> str:
    steps = "".join(f'<li class="done">{escape(step)}</li>' for step in rollout.steps)
    if rollout.state not in ENDED:
        steps += f'<li class="here"><span class="busy"></span>{escape(rollout.state)}</li>'
    why = f'<p class="banner alert">{escape(rollout.reason)}</p>' if rollout.reason else ""
    return (
        f'<section class="rollout" role="status"><b>{escape(rollout.name)}</b> '
        f"{escape(rollout.state)}<ol>{steps}</ol>{why}</section>"
    )


def _health() -> None:
    health = _health_now()
    cells = "".join(
        f'<span class="chip {"good" if verdict in {"ok", "on"} else "demo"}">'
        f"{escape(name)}: {escape(verdict)}</span>"
        for name, verdict in health.checks.items()
    )
    st.html(f"<h2>{escape(t('adapters.health'))}</h2><p>{cells}</p>")


def _health_now() -> Health:
    try:
        return desk().api.health()
    except Offline:
        return Health(status="down", checks={"service": "down"})

"""Adapters: which one speaks for which role, how a rollout goes, and the way back."""

from contextlib import suppress
from dataclasses import dataclass, replace
from html import escape
from typing import Final

import streamlit as st

from planner.vocabulary import Role
from service.schemas.admin import Adapters, AdapterView, Health, RolloutView
from ui.client import Offline, Refused
from ui.desk import attempt, desk, t, word
from ui.panels.states import guarded, guarded_part
from ui.renewal import part, redraw

ENDED: Final = {"done", "rolled_back"}
BACKWARD: Final = {"returning", "emptying", "clearing", "rolled_back"}
ASKED: Final = "asked"
"""The reason of a rollout that a person took back: nothing about it failed."""
BUSY: Final = '<span class="busy"></span>'


@dataclass(frozen=True, slots=True)
class Followed:
    """A rollout begun here, as last seen."""

    view: RolloutView
    back: bool
    """It is the way back, however the service goes it."""

    @property
    def over(self) -> bool:
        """Whether nothing more happens."""
        return self.view.state in ENDED

    @property
    def returning(self) -> bool:
        """Whether it is on the way back: a second press would have nothing to add."""
        return not self.over and (self.back or self.view.state in BACKWARD)


@guarded
def show() -> None:
    """Draw the adapters of both roles, what is being changed, and the service's health."""
    st.html(f"<h1>{escape(t('page.adapters'))}</h1>")
    _roles()
    _health()


@part(2.0)
@guarded_part
def _roles() -> None:
    """Read again and again: what serves changes with the last steps of a rollout."""
    adapters = desk().api.adapters()
    for column, role in zip(st.columns(2, gap="medium"), Role, strict=True):
        with column.container(key=f"role_{role}", border=True):
            _role(role, adapters)


def _role(role: Role, adapters: Adapters) -> None:
    serving = adapters.aliases.get(role, "")
    st.html(
        f"<h2>{escape(t(f'adapters.{role}'))}</h2>"
        f'<p class="note">{escape(t("adapters.in_service", name=serving or "–"))}</p>'
    )
    followed = _followed(role)
    # A place of its own: what comes and goes must not move the buttons below.
    with st.container():
        if followed is not None:
            st.html(_progress(followed))
    for adapter in (one for one in adapters.items if one.role == role):
        _adapter(adapter)
    _back(role, followed is not None and followed.returning)


def _adapter(adapter: AdapterView) -> None:
    words, act = st.columns([5, 2], vertical_alignment="center")
    state = "serving" if adapter.serving else "loaded" if adapter.loaded else "on_disk"
    rate = adapter.error_rate
    failed = "" if rate is None else f" · {t('adapters.errors', share=f'{rate:.1%}')}"
    words.html(
        f'<p class="adapter {state}"><code>{escape(adapter.name)}</code>'
        f"<small>{escape(t(f'adapters.{state}'))}{escape(failed)}</small></p>"
    )
    if not adapter.serving:
        act.button(t("adapters.roll_out"), key=f"roll_{adapter.name}", width="stretch",
                   on_click=_start, args=(adapter.role, adapter.name))  # fmt: skip


def _start(role: Role, name: str) -> None:
    view = attempt(lambda: desk().api.roll_out(role, name))
    _follow(role, view, back=False)


def _back(role: Role, returning: bool) -> None:
    """Rolling back asks once more: it changes what every draft is written with."""
    with st.popover(t("adapters.roll_back"), icon=":material/undo:"):
        st.caption(t("adapters.roll_back_help"))
        st.button(t("adapters.going_back" if returning else "adapters.roll_back_go"),
                  key=f"back_{role}", type="primary", disabled=returning,
                  on_click=_go_back, args=(role,))  # fmt: skip


def _go_back(role: Role) -> None:
    view = attempt(lambda: desk().api.roll_back(role))
    if view is not None:
        desk().notice = ("info", t("adapters.going_back"))
    _follow(role, view, back=True)


def _follow(role: Role, view: RolloutView | None, back: bool) -> None:
    if view is not None:
        st.session_state[f"rollout_{role}"] = Followed(view, back)
    # What was refused is said above this part of the page.
    redraw()


def _followed(role: Role) -> Followed | None:
    """The role's rollout as it stands by now; as last seen where that cannot be told."""
    known: Followed | None = st.session_state.get(f"rollout_{role}")
    if known is None or known.over:
        return known
    with suppress(Refused, Offline):
        known = replace(known, view=desk().api.rollout(known.view.rollout_id))
        st.session_state[f"rollout_{role}"] = known
    return known


def _progress(followed: Followed) -> str:
    view = followed.view
    chips = "".join(
        f'<li class="{kind}">{BUSY if kind == "here" else ""}{escape(word("phase", step))}</li>'
        for step, kind in steps(view)
    )
    return (
        f'<section class="rollout" role="status"><b>{escape(view.name)}</b> '
        f"{escape(word('phase', view.state))}<ol>{chips}</ol>{_told(followed)}</section>"
    )


def steps(view: RolloutView) -> list[tuple[str, str]]:
    """Each step once, and what became of it: done, failed, left when asked to, or here."""
    turned = next((place for place, step in enumerate(view.steps) if step in BACKWARD), 0)
    unfinished = "left" if _code(view)[0] == ASKED else "failed"
    way = [step for step in view.steps if step not in ENDED]
    kinds = [unfinished if place == turned - 1 else "done" for place in range(len(way))]
    if way and view.state not in ENDED:
        kinds[-1] = "here"
    return list(zip(way, kinds, strict=True))


def _told(followed: Followed) -> str:
    """What it came to, or that it is still on its way back."""
    code, detail = _code(followed.view)
    if code and code != ASKED:
        more = f" ({detail})" if detail else ""
        return f'<p class="banner alert">{escape(word("rollout_reason", code) + more)}</p>'
    if followed.returning:
        return f'<p class="banner">{escape(t("adapters.going_back"))}</p>'
    if followed.over and (followed.back or code == ASKED):
        return f'<p class="banner good">{escape(t("adapters.rolled_back"))}</p>'
    return ""


def _code(view: RolloutView) -> tuple[str, str]:
    """Why it was taken back, and what is known beyond the word for it."""
    code, _, detail = (view.reason or "").partition(":")
    return code.strip(), detail.strip()


def _health() -> None:
    health = _health_now()
    cells = "".join(
        f'<span class="chip {"good" if verdict in {"ok", "on"} else "demo"}">'
        f"{escape(word('part', name))}: {escape(word('part_state', verdict))}</span>"
        for name, verdict in health.checks.items()
    )
    st.html(f"<h2>{escape(t('adapters.health'))}</h2><p>{cells}</p>")


def _health_now() -> Health:
    try:
        return desk().api.health()
    except Offline:
        return Health(status="down", checks={"service": "down"})

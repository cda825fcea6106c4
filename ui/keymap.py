"""Every key of the console, in one place; ``?`` shows it."""

from html import escape
from typing import Final

import streamlit as st

from ui import parts
from ui.desk import t

GROUPS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "everywhere": (
        ("?", "map"), ("1 … 7", "pages"), ("Z", "undo"),
    ),
    "queue": (("↑ ↓ J K", "walk"), ("Enter", "open"), ("N", "next")),
    "workspace": (
        ("A", "approve"), ("Ctrl+Enter", "send_next"), ("E", "edit"), ("Esc", "leave"),
        ("W", "own"), ("X", "reject"), ("G", "redraft"), ("L", "escalate"), ("J K", "candidate"),
        ("U", "use_draft"), ("F", "reasons"), ("P", "plan"), ("O", "crisis"), ("H", "hand_over"),
        ("M", "note"), ("T", "take"), ("N", "next"), ("End", "newest"),
    ),
    "plan": (("A", "approve_plan"), ("D", "edit_plan"), ("X", "reject_plan"), ("V", "move"),
             ("B", "back")),
    "crisis": (("Q", "acknowledge"), ("S", "resolve"), ("B", "back")),
}  # fmt: skip


def letter(key: str) -> str | None:
    """The key, unless the reader turned single keys off: spoken or stray input would press them.

    WCAG 2.2, 2.1.4 Character Key Shortcuts.
    """
    return key if wanted() else None


def wanted() -> bool:
    """Whether single keys do something."""
    return parts.wanted().letters


def ask() -> None:
    """Open the map with the next run."""
    st.session_state["keymap"] = True


def show() -> None:
    """Draw the map while it is open; other parts of the page may change behind it."""
    if st.session_state.get("keymap"):
        _dialog(t("keys.title"))


def _dialog(title: str) -> None:
    @st.dialog(title, width="large", on_dismiss=_close)
    def draw() -> None:
        st.html(f'<div class="keymap">{"".join(_group(name) for name in GROUPS)}</div>')
        st.caption(t("keys.silent"))

    draw()


def _close() -> None:
    st.session_state["keymap"] = False


def _group(name: str) -> str:
    rows = "".join(
        f"<tr><td><kbd>{escape(keys)}</kbd></td><td>{escape(t(f'keys.{action}'))}</td></tr>"
        for keys, action in GROUPS[name]
    )
    return f"<section><h3>{escape(t(f'keys.in_{name}'))}</h3><table>{rows}</table></section>"

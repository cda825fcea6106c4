"""The hold bar: the words of a decision can be taken back until they leave."""

from html import escape
from typing import Final

import streamlit as st

from ui.client import Offline, Refused
from ui.desk import Held, desk, now, t, why
from ui.keymap import letter
from ui.panels import writing
from ui.renewal import part

_TOO_LATE: Final = {"already_released", "decision_is_final", "not_found", "claim_lost"}
"""Refusals after which another try cannot help."""


def bar() -> None:
    """Draw the bar while decisions of this reader are held."""
    if _live():
        _bar()


@part(1.0)
def _bar() -> None:
    """Gone by itself once the words have left; the page around it stays untouched."""
    live = _live()
    if not live:
        return
    with st.container(key="hold"):
        # Heard once; the seconds, drawn anew each time, are for the eye.
        st.html(f'<p class="unseen" role="status">{escape(t("hold.held"))}</p>')
        for place, held in enumerate(live):
            _row(held, first=place == 0)


def _row(held: Held, first: bool) -> None:
    """One decision's words; the key takes back those of the session that is open, or the latest."""
    left = (held.release_at - now()).total_seconds()
    with st.container(key=f"hold_{held.decision_id}", horizontal=True, vertical_alignment="center"):
        st.html(
            f'<div role="timer"><b>{escape(t("hold.leaves", n=max(1, round(left))))}</b> '
            f"<span>{escape(held.words.text)}</span></div>"
            f'<div class="fuse" style="animation-duration:{left:.1f}s"></div>'
        )
        # A key of its own: a press on one that has just gone must not fall to the next.
        if st.button(t("hold.undo"), key=f"undo_{held.decision_id}", icon=":material/undo:",
                     shortcut=letter("Z") if first else None):  # fmt: skip
            _undo(held)


def _live() -> list[Held]:
    """What can be taken back: of the session that is open first, then the latest."""
    here = st.session_state.get("session")
    live = [held for held in reversed(desk().held.values()) if held.live]
    return sorted(live, key=lambda held: held.session_id != here)


def _undo(held: Held) -> None:
    """Take the words back; while it is not known that they are, the bar stays for another try."""
    if not _taken_back(held):
        st.rerun()
    desk().held.pop(held.session_id, None)
    writing.give_back(held.session_id, held.words)
    st.switch_page(
        st.session_state["pages"]["workspace"], query_params={"session": held.session_id}
    )


def _taken_back(held: Held) -> bool:
    try:
        desk().api.undo(held.decision_id, desk().claims.get(held.session_id))
    except Offline:
        desk().notice = ("error", t("hold.not_undone"))
        return False
    except Refused as refusal:
        # An earlier press got through and only its answer was lost.
        if refusal.code != "already_undone":
            desk().notice = ("error", why(refusal))
            if refusal.code in _TOO_LATE:
                desk().held.pop(held.session_id, None)
            return False
    desk().notice = ("success", t("hold.undone"))
    return True

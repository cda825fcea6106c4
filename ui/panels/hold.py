"""The hold bar: the last decision's words can be taken back until they leave."""

from html import escape
from typing import Final

import streamlit as st

from ui.client import Offline, Refused
from ui.desk import Held, desk, now, t, why
from ui.renewal import part

_TOO_LATE: Final = {"already_released", "decision_is_final", "not_found", "claim_lost"}
"""Refusals after which another try cannot help."""


def bar() -> None:
    """Draw the bar while a decision of this reader is held."""
    held = desk().held
    if held is not None and held.release_at > now():
        _bar(held)


@part(1.0)
def _bar(held: Held) -> None:
    """Gone by itself once the words have left; the page around it stays untouched."""
    left = (held.release_at - now()).total_seconds()
    if desk().held is not held or left <= 0:
        return
    with st.container(key="hold", horizontal=True, vertical_alignment="center"):
        st.html(
            f'<div role="status"><b>{escape(t("hold.leaves", n=max(1, round(left))))}</b> '
            f"<span>{escape(held.words.text)}</span></div>"
            f'<div class="fuse" style="animation-duration:{left:.1f}s"></div>'
        )
        if st.button(t("hold.undo"), key="undo", shortcut="Z", icon=":material/undo:"):
            _undo(held)


def _undo(held: Held) -> None:
    """Take the words back; while it is not known that they are, the bar stays for another try."""
    if not _taken_back(held):
        st.rerun()
    earlier = desk().editor(held.session_id).revision
    desk().editors[held.session_id] = held.words
    held.words.revision = earlier
    held.words.put(held.words.text)
    desk().held = None
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
                desk().held = None
            return False
    desk().notice = ("success", t("hold.undone"))
    return True

"""The hold bar: the last decision's words can be taken back until they leave."""

from html import escape

import streamlit as st

from ui.desk import Held, desk, done, now, t
from ui.renewal import part


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
    claim = desk().claims.get(held.session_id)
    if done(lambda: desk().api.undo(held.decision_id, claim), t("hold.undone")):
        earlier = desk().editor(held.session_id).revision
        desk().editors[held.session_id] = held.words
        held.words.revision = earlier
        held.words.put(held.words.text)
        desk().held = None
        st.switch_page(
            st.session_state["pages"]["workspace"], query_params={"session": held.session_id}
        )
    desk().held = None
    st.rerun()

"""A page that keeps drawing itself anew while it is slow: where presses used to be forgotten."""

import time

import streamlit as st

from ui.renewal import drawn_anew, part, redraw


@part(1.0)
def slow() -> None:
    """Holds the run for most of each second, so that whatever comes meanwhile waits together."""
    time.sleep(0.8)


@part(1.0)
def restless() -> None:
    """Due with the press, and before it."""
    redraw()


@part()
def pressed() -> None:
    if st.button("Press", key="press"):
        st.session_state["presses"] = st.session_state.get("presses", 0) + 1
    st.html(f'<p class="presses">{st.session_state.get("presses", 0)}</p>')


drawn_anew()
slow()
restless()
pressed()

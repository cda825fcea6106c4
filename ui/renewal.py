"""Parts of a page that draw themselves again, and the redraw of the whole page they may ask for.

Streamlit draws parts that are due together in one run. A rerun inside one of them ends that run,
and a button pressed in a part that had not had its turn is forgotten. So nothing here reruns
by itself before every part of the run is drawn.
"""

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec

import streamlit as st
from streamlit.runtime.scriptrunner_utils.script_run_context import ThreadState, get_script_run_ctx

_WANTED: Final = "redraw"
P = ParamSpec("P")


def part(every_s: float | None = None) -> Callable[[Callable[P, None]], Callable[P, None]]:
    """A piece of a page that is drawn without the rest; again every so many seconds, if given."""

    def decorate(draw: Callable[P, None]) -> Callable[P, None]:
        @wraps(draw)
        def drawn(*args: P.args, **kwargs: P.kwargs) -> None:
            draw(*args, **kwargs)
            _settle()

        return st.fragment(drawn, run_every=every_s)

    return decorate


def redraw() -> None:
    """Ask, from within a part, for the whole page anew; every part due now has its turn first."""
    st.session_state[_WANTED] = True


def drawn_anew() -> None:
    """Said by each page as it begins: what was asked for is happening."""
    st.session_state.pop(_WANTED, None)


def _settle() -> None:
    context = get_script_run_ctx()
    due = context.fragment_ids_this_run if context else None
    if not due or due[-1] != ThreadState.get().fragment_id or _WANTED not in st.session_state:
        return
    # The address came with the parts' request, perhaps from before another session was opened.
    session = st.session_state.get("session")
    if session and st.query_params.get("session", session) != session:
        st.query_params["session"] = session
    st.rerun()

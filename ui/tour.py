"""The first minute: a card that walks a newcomer through supervise-then-send."""

from typing import Final

import streamlit as st

from ui import parts
from ui.desk import desk, t

STEPS: Final[tuple[tuple[str, str], ...]] = (
    ("queue", "queue_list"),
    ("take", "next"),
    ("read", "transcript_side"),
    ("why", "draft_card"),
    ("send", "decide"),
    ("undo", "hold"),
)
"""Each step's text and the part of the page it points at."""
OVER: Final = 99


def start() -> None:
    """Begin at the first step."""
    st.session_state["tour"] = 0


def card() -> None:
    """Draw the current step, if the tour runs; offer it once to whoever has not seen it."""
    shown = st.session_state.get("tour")
    unmarked = parts.newcomer("tour_mark", toured=shown is not None)
    if unmarked and shown is None and desk().me.role != "ops":
        _offer()
    step = -1 if shown is None else int(shown)
    if not 0 <= step < len(STEPS):
        return
    name, target = STEPS[int(step)]
    st.html(
        f"<style>.st-key-{target}{{outline:3px solid var(--sc-accent);"
        "outline-offset:4px;border-radius:12px}</style>"
    )
    with st.container(key="tour"):
        st.caption(t("tour.step", here=step + 1, of=len(STEPS)))
        st.markdown(f"**{t(f'tour.{name}_title')}**  \n{t(f'tour.{name}')}")
        with st.container(horizontal=True):
            last = step == len(STEPS) - 1
            st.button(
                t("tour.finish") if last else t("tour.next"),
                key="tour_next",
                type="primary",
                on_click=_go,
                args=(step + 1,),
            )
            st.button(t("tour.skip"), key="tour_skip", type="tertiary", on_click=_go, args=(OVER,))


def _offer() -> None:
    with st.container(key="tour"):
        st.markdown(f"**{t('account.tour')}**  \n{t('tour.offer')}")
        with st.container(horizontal=True):
            st.button(t("tour.start"), key="tour_start", type="primary", on_click=start)
            st.button(t("tour.later"), key="tour_later", type="tertiary", on_click=_go,
                      args=(OVER,))  # fmt: skip


def _go(step: int) -> None:
    st.session_state["tour"] = step

"""The plan: where the session stands, what is proposed, and the therapist's hand on both."""

from html import escape

import streamlit as st

from service.schemas.workspace import Workspace
from ui.desk import desk, t, word
from ui.panels import formulation, steps
from ui.panels import plan_forms as forms
from ui.panels.states import banner, guarded, no_session
from ui.watching import address, go, mark, opened, pulse


@guarded
def show() -> None:
    """Draw the plan of the session named in the address."""
    session = address()
    if session is None:
        no_session()
        return
    workspace = opened(session)
    can_write = session in desk().claims
    head, back = st.columns([5, 1], vertical_alignment="center")
    head.html(f"<h1>{escape(t('page.plan'))}</h1>")
    if back.button(t("plan.back"), key="back", shortcut="B", type="tertiary"):
        go("workspace", session)
    with st.container(key="banners"):
        if desk().offline:
            banner("offline", t("state.offline_kept"))
    left, right = st.columns(2, gap="medium")
    with left:
        _running(workspace, can_write)
    with right:
        _proposed(workspace, can_write)
        formulation.card(workspace, can_write)
    pulse(session, mark(workspace))


def _running(workspace: Workspace, can_write: bool) -> None:
    position = workspace.plan.position
    with st.container(key="running", border=True):
        st.html(
            f"<h2>{escape(t('plan.running'))} · {escape(word('stage', position.stage))}</h2>"
            + steps.about(position.plan)
            + steps.ladder(position)
        )
        if not can_write:
            return
        with st.container(horizontal=True):
            st.button(
                t("plan.move"), key="move", shortcut="V", on_click=forms.open_panel, args=("move",)
            )
            st.button(
                t("plan.edit"),
                key="edit_plan",
                shortcut="D",
                on_click=forms.open_panel,
                args=("edit",),
            )
            if workspace.status != "crisis":
                st.button(t("plan.ask"), key="ask_plan", on_click=forms.ask, args=(workspace,),
                          disabled=desk().offline)  # fmt: skip
        match st.session_state.get("plan_panel"):
            case "move":
                forms.move(workspace)
            case "edit":
                forms.edit(workspace, position.plan)
            case _:
                pass


def _proposed(workspace: Workspace, can_write: bool) -> None:
    proposed, now = workspace.plan.proposed, workspace.plan.position.plan
    if proposed is None:
        return
    with st.container(key="proposed", border=True):
        st.html(
            f"<h2>{escape(t('plan.proposed'))}</h2>{steps.about(proposed.plan)}"
            f"{steps.compared(now.actions, proposed.plan.actions)}"
            f"<details><summary>{escape(t('plan.aim_changed'))}</summary>"
            f'<p class="diff">{steps.words_changed(now.text, proposed.plan.text)}</p></details>'
        )
        if not can_write:
            return
        with st.container(horizontal=True):
            if st.button(
                t("plan.approve"), key="approve_plan", type="primary", shortcut="A",
                disabled=desk().offline, on_click=desk().on_screen, args=(workspace,),
            ):  # fmt: skip
                forms.decide(workspace.session_id, "approve")
            st.button(t("plan.edit_proposed"), key="edit_proposed", on_click=forms.open_panel,
                      args=("edit_proposed",))  # fmt: skip
            st.button(t("plan.reject"), key="reject_plan", shortcut="X", type="tertiary",
                      on_click=forms.open_panel, args=("reject",))  # fmt: skip
        match st.session_state.get("plan_panel"):
            case "edit_proposed":
                forms.edit(workspace, proposed.plan, proposed.plan_id)
            case "reject":
                forms.reject(workspace, proposed.plan_id)
            case _:
                pass

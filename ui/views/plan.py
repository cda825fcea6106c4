"""The plan: where the session stands, what is proposed, and the therapist's hand on both."""

from html import escape

import streamlit as st

from service.schemas.workspace import Workspace
from ui.desk import desk, t, word
from ui.keymap import letter
from ui.panels import formulation, questions, steps, transcript
from ui.panels import plan_forms as forms
from ui.panels.states import banner, guarded, holder, no_session
from ui.watching import address, go, mark, opened, pulse


@guarded
def show() -> None:
    """Draw the plan of the session named in the address."""
    session = address()
    if session is None:
        no_session()
        return
    workspace = opened(session)
    with_forms = desk().shows_forms(session)
    head, back = st.columns([5, 1], vertical_alignment="center")
    head.html(f"<h1>{escape(t('page.plan'))}</h1>")
    if back.button(t("plan.back"), key="back", shortcut=letter("B"), type="tertiary"):
        go("workspace", session)
    with st.container(key="banners"):
        _banners(workspace)
    left, right = st.columns(2, gap="medium")
    with left:
        _running(workspace, with_forms)
    with right:
        _proposed(workspace, with_forms)
        formulation.card(workspace, with_forms)
    pulse(session, mark(workspace))


def _banners(workspace: Workspace) -> None:
    """Why nothing can be changed, and the way to change that; forms stay where they are below."""
    if desk().offline:
        banner("offline", t("state.offline_kept"))
    holder(workspace)
    session = workspace.session_id
    if session not in desk().claims and desk().editor(session).panel == "take_over":
        questions.draw(workspace, desk().editor(session))


def _running(workspace: Workspace, with_forms: bool) -> None:
    position, session = workspace.plan.position, workspace.session_id
    reading, early = session not in desk().claims, forms.too_early(position)
    with st.container(key="running", border=True):
        st.html(
            f"<h2>{escape(t('plan.running'))} · {escape(word('stage', position.stage))}</h2>"
            + steps.about(position.plan)
            + steps.ladder(position)
        )
        if not with_forms:
            return
        with st.container(horizontal=True):
            st.button(t("plan.move"), key="move", shortcut=letter("V"), disabled=reading,
                      on_click=forms.open_panel, args=(session, "move"))  # fmt: skip
            st.button(t("plan.edit"), key="edit_plan", shortcut=letter("D"),
                      disabled=reading or early, on_click=forms.open_panel,
                      args=(session, "edit"))  # fmt: skip
            if workspace.status != "crisis":
                st.button(t("plan.ask"), key="ask_plan", on_click=forms.ask, args=(workspace,),
                          disabled=early or not desk().may_write(session))  # fmt: skip
        if early:
            st.caption(t("refused.too_early"))
        match forms.panel(session):
            case "move":
                forms.move(workspace)
            case "edit":
                forms.edit(workspace, position.plan)
            case _:
                pass


def _proposed(workspace: Workspace, with_forms: bool) -> None:
    proposed, now = workspace.plan.proposed, workspace.plan.position.plan
    if proposed is None:
        return
    with st.container(key="proposed", border=True):
        st.html(
            f"<h2>{escape(t('plan.proposed'))}</h2>{steps.about(proposed.plan)}"
            f"{steps.compared(now.actions, proposed.plan.actions)}"
            f"<details><summary>{escape(t('plan.aim_changed'))}</summary>"
            f'<p class="diff">{transcript.diff_html(now.text, proposed.plan.text)}</p></details>'
        )
        if not with_forms:
            return
        session = workspace.session_id
        reading = session not in desk().claims
        with st.container(horizontal=True):
            if st.button(
                t("plan.approve"), key="approve_plan", type="primary", shortcut=letter("A"),
                disabled=not desk().may_write(session), on_click=desk().on_screen,
                args=(workspace,),
            ):  # fmt: skip
                forms.decide(desk().pressed_on(session), "approve")
            st.button(t("plan.edit_proposed"), key="edit_proposed", disabled=reading,
                      on_click=forms.open_panel, args=(session, "edit_proposed"))  # fmt: skip
            st.button(
                t("plan.reject"), key="reject_plan", shortcut=letter("X"), type="tertiary",
                disabled=reading, on_click=forms.open_panel, args=(session, "reject"),
            )  # fmt: skip
        match forms.panel(session):
            case "edit_proposed":
                forms.edit(workspace, proposed.plan, proposed.plan_id)
            case "reject":
                forms.reject(workspace, proposed.plan_id)
            case _:
                pass

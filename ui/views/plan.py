"""The plan: where the session stands, what is proposed, and the therapist's hand on both."""

from collections.abc import Callable
from html import escape
from typing import get_args

import streamlit as st

from planner.vocabulary import Stage
from service.schemas.plans import (
    PlanBody,
    PlanDecisionRequest,
    PlanRequest,
    PositionRequest,
    Reason,
)
from service.schemas.workspace import Workspace
from ui.desk import desk, done, t, word
from ui.panels import formulation, steps
from ui.panels.states import banner, guarded, no_session
from ui.watching import address, go, mark, opened, pulse

Act = Callable[[], None]


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
            st.button(t("plan.move"), key="move", shortcut="V", on_click=_open, args=("move",))
            st.button(t("plan.edit"), key="edit_plan", shortcut="D", on_click=_open, args=("edit",))
            if workspace.status != "crisis":
                st.button(t("plan.ask"), key="ask_plan", on_click=_ask, args=(workspace,),
                          disabled=desk().offline)  # fmt: skip
        match st.session_state.get("plan_panel"):
            case "move":
                _move(workspace)
            case "edit":
                _edit(workspace, position.plan)
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
                _decide(workspace.session_id, "approve")
            st.button(t("plan.edit_proposed"), key="edit_proposed", on_click=_open,
                      args=("edit_proposed",))  # fmt: skip
            st.button(t("plan.reject"), key="reject_plan", shortcut="X", type="tertiary",
                      on_click=_open, args=("reject",))  # fmt: skip
        match st.session_state.get("plan_panel"):
            case "edit_proposed":
                _edit(workspace, proposed.plan, proposed.plan_id)
            case "reject":
                _reject(workspace, proposed.plan_id)
            case _:
                pass


def _move(workspace: Workspace) -> None:
    position = workspace.plan.position
    with st.form("move_form"):
        place = st.radio(
            t("plan.move_to"),
            range(len(position.plan.actions)),
            index=position.action_index or 0,
            format_func=position.plan.actions.__getitem__,
        )
        reason = st.text_input(t("plan.reason"))
        sent = _submit(workspace, "plan.move_go")
    press = desk().pressed_on(workspace.session_id) if sent and _said(reason) else None
    if press is None:
        return
    drawn = press.workspace

    def move() -> None:
        request = PositionRequest(
            stage=Stage(drawn.plan.position.stage),
            action_index=place,
            reason=reason.strip(),
            basis=drawn.seq,
        )
        desk().api.move(drawn.session_id, request, desk().claim(drawn.session_id))

    _act(move)


def _edit(workspace: Workspace, plan: PlanBody, proposed: str | None = None) -> None:
    """Skip, insert and reorder at once: the steps as lines of text."""
    session = workspace.session_id
    # A form for each plan: what was written about one is never sent as an edit of another.
    with st.form(f"edit_{proposed or hash(plan)}"):
        text = st.text_area(t("plan.aim"), value=plan.text, height=90)
        lines = st.text_area(t("plan.steps"), value="\n".join(plan.actions), height=190)
        reason = st.text_input(t("plan.reason"))
        sent = _submit(workspace, "plan.edit_go")
    if not sent or not _said(reason):
        return
    body = {
        **plan.model_dump(),
        "text": text.strip() or plan.text,
        "actions": tuple(line.strip() for line in lines.splitlines() if line.strip()),
    }
    if proposed is not None:
        _decide(session, "edit", plan=body, reason=reason.strip())
        return
    press = desk().pressed_on(session)
    if press is None:
        return
    asked = {"plan": body, "reason": reason.strip(), "basis": press.workspace.seq}
    _act(
        lambda: desk().api.new_plan(
            session, PlanRequest.model_validate(asked), desk().claim(session)
        )
    )


def _reject(workspace: Workspace, plan_id: str) -> None:
    with st.form(f"reject_{plan_id}"):
        reasons = st.pills(
            t("send.reasons"),
            get_args(Reason),
            selection_mode="multi",
            format_func=lambda reason: word("reason", reason),
        )
        sent = _submit(workspace, "plan.reject_go")
    if not sent:
        return
    if not reasons:
        st.error(t("question.missing_reasons"))
        return
    _decide(workspace.session_id, "reject", reasons=tuple(reasons))


def _submit(workspace: Workspace, text: str) -> bool:
    """The form's button; what is written stays while the service is away."""
    return st.form_submit_button(
        t(text), type="primary", shortcut="Ctrl+Enter", disabled=desk().offline,
        on_click=desk().on_screen, args=(workspace,),
    )  # fmt: skip


def _decide(session: str, verdict: str, **more: object) -> None:
    """Decide on the plan that was on the screen, whatever has been proposed since."""
    press = desk().pressed_on(session)
    proposed = press.workspace.plan.proposed if press else None
    if press is None or proposed is None:
        return
    asked = {"verdict": verdict, "basis": press.workspace.seq, **more}
    _act(
        lambda: desk().api.decide_plan(
            proposed.plan_id, PlanDecisionRequest.model_validate(asked), desk().claim(session)
        )
    )


def _ask(workspace: Workspace) -> None:
    session = workspace.session_id
    done(
        lambda: desk().api.new_plan(
            session, PlanRequest(basis=workspace.seq), desk().claim(session)
        ),
        t("plan.asked"),
    )


def _act(action: Act) -> None:
    if done(action, t("plan.saved")):
        _open(None)
    st.rerun()


def _said(reason: str) -> bool:
    if reason.strip():
        return True
    st.error(t("question.missing_text"))
    return False


def _open(panel: str | None) -> None:
    st.session_state["plan_panel"] = panel

"""The therapist's hand on a plan: move, change, refuse, ask for another; each by a form."""

from collections.abc import Callable, Sequence

import streamlit as st

from planner.plan_rules import DIAGNOSTIC_PLAN
from planner.vocabulary import Stage
from service.schemas.plans import (
    PlanBody,
    PlanDecisionRequest,
    PlanRequest,
    PositionRequest,
    PositionView,
)
from service.schemas.workspace import Workspace
from ui.desk import Press, desk, done, t, word
from ui.panels import draft as drafts

Act = Callable[[], None]


def move(workspace: Workspace) -> None:
    """Set the cursor on another step, of the diagnostic stage too, with a reason."""
    steps = _places(workspace.plan.position)
    here = (workspace.plan.position.stage, workspace.plan.position.action_index or 0)
    with st.form(f"move_{workspace.session_id}"):
        place = st.radio(
            t("plan.move_to"), list(steps), index=list(steps).index(here),
            format_func=steps.__getitem__,
        )  # fmt: skip
        reason = st.text_input(t("plan.reason"))
        sent = _submit(workspace, "plan.move_go")
    press = desk().pressed_on(workspace.session_id) if sent else None
    if press is None or not _said(reason):
        return
    drawn = press.workspace

    def place_cursor() -> None:
        stage, index = place
        request = PositionRequest(
            stage=stage,
            action_index=index,
            reason=reason.strip(),
            basis=drawn.seq,
        )
        desk().api.move(drawn.session_id, request, desk().claim(drawn.session_id))

    _act(place_cursor)


def _places(position: PositionView) -> dict[tuple[Stage, int], str]:
    """Where the cursor may go: back to the diagnostic stage, never on to the next one by hand."""
    if position.stage is Stage.DIAGNOSTIC:
        return _named(position.stage, position.plan.actions)
    stages = {Stage.DIAGNOSTIC: DIAGNOSTIC_PLAN.actions, position.stage: position.plan.actions}
    return {
        place: f"{word('stage', stage)} · {step}"
        for stage, actions in stages.items()
        for place, step in _named(stage, actions).items()
    }


def _named(stage: Stage, actions: Sequence[str]) -> dict[tuple[Stage, int], str]:
    return {(stage, place): word("told", action) for place, action in enumerate(actions)}


def edit(workspace: Workspace, plan: PlanBody, proposed: str | None = None) -> None:
    """Skip, insert and reorder at once: the steps as lines of text."""
    session = workspace.session_id
    # A form for each plan: what was written about one is never sent as an edit of another.
    with st.form(f"edit_{proposed or hash(plan)}"):
        text = st.text_area(t("plan.aim"), value=plan.text, height=90)
        lines = st.text_area(t("plan.steps"), value="\n".join(plan.actions), height=190)
        reason = st.text_input(t("plan.reason"))
        sent = _submit(workspace, "plan.edit_go")
    press = desk().pressed_on(session) if sent else None
    if press is None or not _said(reason):
        return
    body = {
        **plan.model_dump(),
        "text": text.strip() or plan.text,
        "actions": tuple(line.strip() for line in lines.splitlines() if line.strip()),
    }
    if proposed is not None:
        decide(press, "edit", plan=body, reason=reason.strip())
        return
    asked = {"plan": body, "reason": reason.strip(), "basis": press.workspace.seq}
    _act(
        lambda: desk().api.new_plan(
            session, PlanRequest.model_validate(asked), desk().claim(session)
        )
    )


def reject(workspace: Workspace, plan_id: str) -> None:
    """Refuse a proposed plan, with reasons."""
    with st.form(f"reject_{plan_id}"):
        reasons = drafts.reasons(f"reasons_{plan_id}")
        sent = _submit(workspace, "plan.reject_go")
    press = desk().pressed_on(workspace.session_id) if sent else None
    if press is None:
        return
    if not reasons:
        st.error(t("question.missing_reasons"))
        return
    decide(press, "reject", reasons=tuple(reasons))


def _submit(workspace: Workspace, text: str) -> bool:
    """The form's button; what is written stays while it cannot be sent."""
    return st.form_submit_button(
        t(text), type="primary", shortcut="Ctrl+Enter",
        disabled=not desk().may_write(workspace.session_id), on_click=desk().on_screen,
        args=(workspace,),
    )  # fmt: skip


def decide(press: Press | None, verdict: str, **more: object) -> None:
    """Decide on the plan that was on the screen, whatever has been proposed since."""
    proposed = press.workspace.plan.proposed if press else None
    if press is None or proposed is None:
        return
    session = press.workspace.session_id
    asked = {"verdict": verdict, "basis": press.workspace.seq, **more}
    _act(
        lambda: desk().api.decide_plan(
            proposed.plan_id, PlanDecisionRequest.model_validate(asked), desk().claim(session)
        )
    )


def ask(workspace: Workspace) -> None:
    """Have the planner propose another."""
    session = workspace.session_id
    done(
        lambda: desk().api.new_plan(
            session, PlanRequest(basis=workspace.seq), desk().claim(session)
        ),
        t("plan.asked"),
    )


def _act(action: Act) -> None:
    if done(action, t("plan.saved")):
        st.session_state["plan_panel"] = None
    st.rerun()


def _said(reason: str) -> bool:
    if reason.strip():
        return True
    st.error(t("question.missing_text"))
    return False


def open_panel(session: str, panel: str) -> None:
    """Show one of the forms; another session's page shows none."""
    st.session_state["plan_panel"] = (session, panel)


def panel(session: str) -> str | None:
    """The form that is open for this session."""
    whose, name = st.session_state.get("plan_panel") or (None, None)
    return name if whose == session else None


def too_early(position: PositionView) -> bool:
    """Whether a plan would be refused: it rests on what the whole first stage found out."""
    last = len(position.plan.actions) - 1
    return position.stage is Stage.DIAGNOSTIC and position.action_index != last

"""What the desk asks back before it acts: a reason, a hint, a colleague's name, a note."""

from collections.abc import Callable
from typing import Final, get_args

import streamlit as st

from service.schemas.plans import Reason
from service.schemas.review import DecisionRequest
from service.schemas.workspace import AssignRequest, Workspace
from ui.claims import let_go, take_over
from ui.desk import Editor, desk, done, t, word
from ui.panels import writing

REASONS: Final[tuple[Reason, ...]] = get_args(Reason)


def ask(editor: Editor, panel: str | None) -> None:
    """Open a question below the editor, or close it."""
    editor.panel = panel


def draw(workspace: Workspace, editor: Editor) -> None:
    """Draw the open question; acting on it or leaving it closes it."""
    name = editor.panel or ""
    with st.container(key="question", border=True):
        st.markdown(f"**{t(f'question.{name}')}**")
        act = PANELS[name](workspace, editor)
        with st.container(horizontal=True):
            go = st.button(
                t(f"question.{name}_go"), key="question_go", type="primary", shortcut="Ctrl+Enter"
            )
            st.button(
                t("question.back"), key="question_back", shortcut="Esc", on_click=ask,
                args=(editor, None), type="tertiary",
            )  # fmt: skip
    if go and act():
        editor.panel = None
        st.rerun()
    elif go and desk().notice is not None:
        st.rerun()


def _reject(workspace: Workspace, editor: Editor) -> Callable[[], bool]:
    reasons = st.pills(
        t("send.reasons"),
        REASONS,
        key="reasons",
        selection_mode="multi",
        format_func=lambda reason: word("reason", reason),
    )
    hint = st.text_input(t("question.hint"), key="hint", placeholder=t("question.hint_example"))

    def act() -> bool:
        if not reasons:
            return _missing("reasons")
        return _verdict(
            workspace,
            editor,
            DecisionRequest(
                verdict="reject",
                candidate=editor.candidate,
                reasons=tuple(reasons),
                hint=(hint or "").strip() or None,
                basis=workspace.seq,
            ),
            t("question.reject_done"),
        )

    return act


def _escalate(workspace: Workspace, editor: Editor) -> Callable[[], bool]:
    st.caption(t("question.escalate_help"))
    request = DecisionRequest(verdict="escalate", candidate=editor.candidate, basis=workspace.seq)
    return lambda: _verdict(workspace, editor, request, t("question.escalate_done"))


def _verdict(workspace: Workspace, editor: Editor, request: DecisionRequest, said: str) -> bool:
    draft, session = workspace.draft, workspace.session_id
    if draft is None:
        return False
    claim = desk().claims[session]
    decided = done(lambda: desk().api.decide(draft.draft_id, request, claim) and None, said)
    if decided and editor.text.strip() == editor.start.strip():
        writing.forget(session, editor)
    return decided


def _redraft(workspace: Workspace, editor: Editor) -> Callable[[], bool]:
    hint = st.text_input(t("question.hint"), key="hint", placeholder=t("question.hint_example"))
    session = workspace.session_id
    return lambda: done(
        lambda: desk().api.redraft(session, (hint or "").strip() or None, desk().claims[session]),
        t("question.redraft_done"),
    )


def _note(workspace: Workspace, editor: Editor) -> Callable[[], bool]:
    text = st.text_area(t("question.note_text"), key="note_text", height=90)
    session = workspace.session_id

    def act() -> bool:
        if not (text or "").strip():
            return _missing("text")
        claim = desk().claims[session]
        return done(
            lambda: desk().api.note(session, (text or "").strip(), claim), t("question.note_done")
        )

    return act


def _hand_over(workspace: Workspace, editor: Editor) -> Callable[[], bool]:
    to = st.text_input(t("question.colleague"), key="colleague")
    text = st.text_input(t("question.note_text"), key="hand_over_note")
    session = workspace.session_id

    def act() -> bool:
        if not (to or "").strip():
            return _missing("colleague")
        request = AssignRequest(to=(to or "").strip(), note=(text or "").strip() or None)
        claim = desk().claims[session]
        handed = done(
            lambda: desk().api.assign(session, request, claim), t("question.hand_over_done")
        )
        if handed:
            let_go(session)
        return handed

    return act


def _take_over(workspace: Workspace, editor: Editor) -> Callable[[], bool]:
    text = st.text_input(t("question.take_over_why"), key="take_over_note")
    return lambda: (
        take_over(workspace.session_id, (text or "").strip())
        if (text or "").strip()
        else _missing("text")
    )


def _missing(what: str) -> bool:
    desk().notice = ("error", t(f"question.missing_{what}"))
    return False


PANELS: Final[dict[str, Callable[[Workspace, Editor], Callable[[], bool]]]] = {
    "reject": _reject,
    "escalate": _escalate,
    "redraft": _redraft,
    "note": _note,
    "hand_over": _hand_over,
    "take_over": _take_over,
}

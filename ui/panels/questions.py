"""What the desk asks back before it acts: a reason, a hint, a colleague's name, a note."""

from collections.abc import Callable
from functools import partial
from typing import Final

import streamlit as st

from safety.risk import Category, RiskLevel
from service.schemas.alerts import AlertRequest
from service.schemas.review import DecisionRequest
from service.schemas.workspace import AssignRequest, Workspace
from ui.claims import colleagues, let_go, sure_of, take_over
from ui.client import Refused
from ui.desk import Editor, Press, desk, done, t, word
from ui.panels import draft as drafts
from ui.panels import writing

LEVELS: Final = (RiskLevel.MODERATE, RiskLevel.HIGH, RiskLevel.IMMINENT)
"""Those that alert."""
Act = Callable[[Press], bool]
"""Does what was asked, about what was on the screen; true when it happened."""


def ask(editor: Editor, panel: str | None) -> None:
    """Open a question below the editor, or close it."""
    editor.panel = panel


def draw(workspace: Workspace, editor: Editor) -> None:
    """Draw the open question; acting on it or leaving it closes it."""
    name, session = editor.panel or "", workspace.session_id
    with st.container(key="question", border=True):
        st.markdown(f"**{t(f'question.{name}')}**")
        act = PANELS[name](workspace, editor)
        with st.container(horizontal=True):
            go = st.button(
                t(f"question.{name}_go"), key="question_go", type="primary",
                shortcut="Ctrl+Enter", on_click=desk().on_screen, args=(workspace,),
            )  # fmt: skip
            st.button(
                t("question.back"), key="question_back", shortcut="Esc", on_click=ask,
                args=(editor, None), type="tertiary",
            )  # fmt: skip
    press = desk().pressed_on(session) if go else None
    if press is not None and act(press):
        editor.panel, editor.answered[name] = None, editor.answered.get(name, 0) + 1
        st.rerun()
    elif go and desk().notice is not None:
        st.rerun()


def _reject(workspace: Workspace, editor: Editor) -> Act:
    drafts.reasons(drafts.reasons_key(workspace))
    hint = _line("hint", workspace.session_id, "hint_reject", t("question.hint_example"))

    def refuse(press: Press) -> None:
        asked = DecisionRequest(
            verdict="reject", candidate=press.words.candidate, hint=hint or None,
            reasons=drafts.chosen_reasons(press.workspace), basis=press.workspace.seq,
        )  # fmt: skip
        _decide(press, asked)

    def act(press: Press) -> bool:
        if press.workspace.draft is None:
            desk().notice = ("error", t("refused.draft_is_stale"))
            return False
        if not drafts.chosen_reasons(press.workspace):
            return _missing("reasons")
        refused = done(lambda: refuse(press), t("question.reject_done"))
        if refused and editor.text.strip() == editor.start.strip():
            writing.forget(workspace.session_id, editor)
        return refused

    return act


def _escalate(workspace: Workspace, editor: Editor) -> Act:
    """Call people: by a verdict on the draft, else by hand; danger waits for no draft or claim."""
    st.caption(t("question.escalate_help"))
    session = workspace.session_id
    # What was begun by hand stays so, whatever draft comes meanwhile: it says more.
    by_hand = _key("level", session) in st.session_state or not _judgeable(workspace)
    ask = _danger(session) if by_hand else AlertRequest

    def call(press: Press) -> None:
        now, place = press.workspace, press.words.candidate
        if not by_hand and _judgeable(now):
            asked = DecisionRequest(verdict="escalate", candidate=place, basis=now.seq)
            try:
                _decide(press, asked)
                return
            except Refused as refusal:
                if refusal.passing:
                    raise
        desk().api.raise_alert(session, ask())

    return lambda press: done(lambda: call(press), t("question.escalate_done"))


def _danger(session: str) -> Callable[[], AlertRequest]:
    """Ask what the danger is; who has no time leaves it as it stands."""
    level = st.radio(
        t("question.level"), LEVELS, index=LEVELS.index(AlertRequest().level), horizontal=True,
        key=_key("level", session), format_func=lambda one: word("level", one),
    )  # fmt: skip
    kinds = sorted(Category, key=lambda one: one is not Category.NONE)
    category = st.selectbox(
        t("question.category"), kinds, key=_key("category", session),
        format_func=lambda one: word("category", one),
    )  # fmt: skip
    note = _line("note_text", session, "danger")
    return lambda: AlertRequest(level=level, category=category, note=note or None)


def _judgeable(workspace: Workspace) -> bool:
    """Whether a verdict on the draft has a chance."""
    draft = workspace.draft
    return draft is not None and not draft.stale and workspace.session_id in desk().claims


def _decide(press: Press, asked: DecisionRequest) -> None:
    draft = press.workspace.draft
    if draft is not None:
        desk().api.decide(draft.draft_id, asked, desk().claim(press.workspace.session_id))


def _redraft(workspace: Workspace, editor: Editor) -> Act:
    session = workspace.session_id
    hint = _line("hint", session, "hint_redraft", t("question.hint_example")) or None
    return lambda press: done(
        lambda: desk().api.redraft(session, hint, desk().claim(session)),
        t("question.redraft_done"),
    )


def _note(workspace: Workspace, editor: Editor) -> Act:
    session = workspace.session_id
    area = st.text_area(t("question.note_text"), key=_key("note", session), height=90,
                        persist_state="session")  # fmt: skip
    text, told = (area or "").strip(), t("question.note_done")
    keep = partial(desk().api.note, session, text)
    return lambda press: done(keep, told) if text else _missing("text")


def _hand_over(workspace: Workspace, editor: Editor) -> Act:
    session = workspace.session_id
    chosen = st.selectbox(
        t("question.colleague"), colleagues(workspace), index=None, key=_key("hand_to", session),
        accept_new_options=True, placeholder=t("question.colleague_other"), persist_state="session",
    )  # fmt: skip
    to = (chosen or "").strip()
    text = _line("note_text", session, "hand_over")

    def hand() -> None:
        desk().api.assign(session, AssignRequest(to=to, note=text or None), desk().claim(session))

    def act(press: Press) -> bool:
        if not to:
            return _missing("colleague")
        handed = sure_of(to, workspace) and done(hand, t("question.hand_over_done", who=to))
        if handed:
            let_go(session)
        return handed

    return act


def _take_over(workspace: Workspace, editor: Editor) -> Act:
    text = _line("take_over_why", workspace.session_id, "take_over")
    return lambda press: take_over(workspace.session_id, text) if text else _missing("text")


def _line(question: str, session: str, name: str, example: str = "") -> str:
    line = st.text_input(t(f"question.{question}"), key=_key(name, session), placeholder=example,
                         persist_state="session")  # fmt: skip
    return (line or "").strip()


def _key(name: str, session: str) -> str:
    """Each session has its own, so no client's words reach another's; once used it begins anew."""
    editor = desk().editor(session)
    answered = editor.answered.get(editor.panel or "", 0)
    return f"{name}_{session}_{answered}" if answered else f"{name}_{session}"


def _missing(what: str) -> bool:
    desk().notice = ("error", t(f"question.missing_{what}"))
    return False


PANELS: Final[dict[str, Callable[[Workspace, Editor], Act]]] = {
    "reject": _reject,
    "escalate": _escalate,
    "redraft": _redraft,
    "note": _note,
    "hand_over": _hand_over,
    "take_over": _take_over,
}

"""The editor: its words, what they came from, kept on the server while they are typed."""

import streamlit as st
from pydantic import ValidationError

from service.schemas.review import Candidate, Verdict
from service.schemas.wire import LONGEST
from service.schemas.workspace import Workspace
from ui import parts
from ui.client import Offline, Refused
from ui.desk import Editor, desk, now, t
from ui.panels import draft as drafts

REPLY_LENGTH = 200
"""What the method asks of a reply; longer ones are coloured, and the guard has its say."""


def settle(editor: Editor, workspace: Workspace) -> None:
    """Bring the editor in line with what the service says, never over typed words."""
    draft = workspace.draft if workspace.draft and workspace.draft.candidates else None
    if editor.shown_at is None:
        editor.shown_at = now()
        if draft is not None:
            drafts.begin(editor, draft)
        if workspace.unsent_text:
            editor.saved = workspace.unsent_text
            editor.put(workspace.unsent_text)
        return
    if editor.text.strip() not in {"", editor.start.strip()} or editor.own:
        return
    if draft is not None and draft.draft_id != editor.draft_id:
        drafts.begin(editor, draft)
        editor.shown_at = now()
    elif draft is None and editor.start:
        editor.start, editor.draft_id, editor.action = "", None, None
        editor.put("")


def chosen(editor: Editor, workspace: Workspace) -> Candidate | None:
    """The candidate the words came from, while deciding on it is still possible."""
    draft = workspace.draft
    if draft is None or draft.stale or draft.draft_id != editor.draft_id or editor.own:
        return None
    return draft.candidates[min(editor.candidate, len(draft.candidates) - 1)]


def verdict(editor: Editor, workspace: Workspace) -> Verdict:
    """What sending the words as they stand amounts to."""
    candidate = chosen(editor, workspace)
    if candidate is None:
        return "respond"
    return "approve" if editor.text.strip() == candidate.utterance.strip() else "edit"


def box(workspace: Workspace, editor: Editor, disabled: bool) -> bool:
    """Draw the editor; true when Ctrl+Enter was hit in it."""
    session = workspace.session_id
    key = f"editor_{session}"
    with st.container(key="editor"):
        parts.editor_box(
            key,
            parts.EditorBox(
                slot=f"{desk().me.name}/{session}",
                revision=editor.revision,
                value=editor.text,
                saved=editor.saved,
                label=t("editor.label"),
                placeholder=t("editor.placeholder"),
                disabled=disabled,
                limit=REPLY_LENGTH,
            ),
            on_text=lambda: typed(session, editor, st.session_state[key]["text"]),
            on_send=lambda: _sent(workspace, editor, key),
        )
    return bool(st.session_state.pop(f"send_{session}", False))


def typed(session: str, editor: Editor, text: str | None) -> None:
    """Take over what was typed, and keep it on the server."""
    if (text or "") != editor.text:
        editor.text, editor.warnings = text or "", ()
    keep = "" if editor.text.strip() == editor.start.strip() else editor.text[:LONGEST]
    if keep == editor.saved:
        return
    try:
        desk().api.save_unsent(session, keep)
    except (Refused, Offline, ValidationError):
        return
    editor.saved = keep


def forget(session: str, editor: Editor) -> None:
    """The words have gone out: an empty editor, here and on the server."""
    typed(session, editor, editor.start)
    editor.put("")
    editor.start, editor.draft_id, editor.candidate, editor.last = "", None, 0, None
    editor.own, editor.action, editor.panel, editor.warnings = False, None, None, ()


def _sent(workspace: Workspace, editor: Editor, key: str) -> None:
    session, sent = workspace.session_id, st.session_state[key]["send"]
    if sent and sent["revision"] == editor.revision:
        typed(session, editor, sent["text"])
        desk().on_screen(workspace)
        st.session_state[f"send_{session}"] = True

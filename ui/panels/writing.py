"""The editor: its words, what they came from, kept on the server while they are typed."""

from html import escape

import streamlit as st
from pydantic import ValidationError

from service.schemas.review import Candidate, Draft, Verdict
from service.schemas.wire import LONGEST
from service.schemas.workspace import UnsentText, Workspace
from ui import parts
from ui.client import Offline, Refused
from ui.desk import Editor, desk, now, t
from ui.panels import draft as drafts

REPLY_LENGTH = 200
"""What the method asks of a reply; longer ones are coloured, and the guard has its say."""


def settle(editor: Editor, workspace: Workspace) -> None:
    """Bring the editor in line with what the service says, never over typed words."""
    draft = workspace.draft if workspace.draft and workspace.draft.candidates else None
    if not editor.settled:
        _restore(editor, workspace, draft)
    elif not editor.own and editor.text.strip() in {"", editor.start.strip()}:
        if draft is not None and draft.draft_id != editor.draft_id:
            drafts.begin(editor, draft)
            editor.read_s, editor.seen_at, editor.resumed = 0.0, None, False
        elif draft is None and editor.start:
            editor.start, editor.draft_id, editor.action = "", None, None
            editor.put("")
    editor.looked_at(now())


def _restore(editor: Editor, workspace: Workspace, draft: Draft | None) -> None:
    """Begin with the draft, or with what was typed before a refresh; an edit stays an edit."""
    editor.settled = True
    text, origin = workspace.unsent_text, workspace.unsent_draft_id
    if not text:
        if draft is not None:
            drafts.begin(editor, draft)
        return
    place = workspace.unsent_candidate
    editor.saved = UnsentText(text=text, draft_id=origin, candidate=place)
    if draft is not None and draft.draft_id == origin and place < len(draft.candidates):
        drafts.begin(editor, draft, place)
    else:
        editor.own = draft is not None
    editor.put(text)


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
    with st.container(key="returned"):
        _returned(workspace, editor)
    with st.container(key="editor"):
        parts.editor_box(
            key,
            parts.EditorBox(
                slot=f"{desk().me.name}/{session}",
                revision=editor.revision,
                value=editor.text,
                confirmed=confirmed(editor),
                said=_said_last(workspace),
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
    keep(session, editor)


def keep(session: str, editor: Editor) -> None:
    """Keep the words on the server, if it has not got them; a failure is for the next look."""
    unsent = _unsent(editor)
    if unsent is None or unsent == editor.saved:
        return
    try:
        desk().api.save_unsent(session, unsent)
    except (Refused, Offline):
        return
    editor.saved = unsent


def confirmed(editor: Editor) -> bool:
    """Whether nothing would be lost with this console."""
    return len(editor.text) <= LONGEST and _unsent(editor) == editor.saved


def holds_returned(editor: Editor) -> bool:
    """Whether words that came back, if any did, stand in the editor."""
    return editor.returned is None or editor.returned.text.strip() in editor.text


def give_back(session: str, words: Editor) -> None:
    """Put words that were decided on into the editor again, below what was begun since."""
    editor = desk().editor(session)
    if editor.text.strip() in {"", editor.start.strip(), words.text.strip()}:
        editor.take_back(words)
    else:
        editor.put(f"{editor.text}\n\n{words.text}")
    keep(session, editor)


def forget(session: str, editor: Editor) -> None:
    """The words have gone out: an empty editor, here and on the server."""
    typed(session, editor, editor.start)
    editor.put("")
    editor.start, editor.draft_id, editor.candidate, editor.last = "", None, 0, None
    editor.own, editor.action, editor.panel = False, None, None
    editor.warnings, editor.returned = (), None


def _unsent(editor: Editor) -> UnsentText | None:
    """What the server should have of the words; None where it would not take them."""
    if editor.text.strip() == editor.start.strip():
        return UnsentText(text="")
    words = editor.text[:LONGEST]
    edited = bool(words and editor.start and not editor.own)
    try:
        return UnsentText(
            text=words,
            draft_id=editor.draft_id if edited else None,
            candidate=editor.candidate if edited else 0,
        )
    except ValidationError:
        return None


def _said_last(workspace: Workspace) -> str:
    if workspace.held is not None:
        return workspace.held.text
    return next((one.text for one in reversed(workspace.transcript) if one.kind == "reply"), "")


def _returned(workspace: Workspace, editor: Editor) -> None:
    """Say that words the reader believes sent were not, and have them at hand."""
    words = editor.returned
    if words is None:
        return
    key = "hold.withdrawn" if workspace.status == "crisis" else "hold.returned"
    st.html(f'<p class="banner alert" role="alert">{escape(t(key))}</p>')
    if not holds_returned(editor):
        st.html(f'<p class="ask">{escape(words.text)}</p>')
        st.button(t("hold.put_back"), key="put_back", type="tertiary",
                  on_click=give_back, args=(workspace.session_id, words))  # fmt: skip


def _sent(workspace: Workspace, editor: Editor, key: str) -> None:
    session, sent = workspace.session_id, st.session_state[key]["send"]
    if sent and sent["revision"] == editor.revision:
        typed(session, editor, sent["text"])
        desk().on_screen(workspace)
        st.session_state[f"send_{session}"] = True

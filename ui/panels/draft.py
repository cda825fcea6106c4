"""The draft as evidence: what it says, why, what it serves, what was checked, where it is from.

And what somebody has against it, from a closed list.
"""

from html import escape
from typing import Final, get_args

import streamlit as st

from service.schemas.plans import Reason
from service.schemas.problem import CheckResult
from service.schemas.review import Candidate, Draft
from service.schemas.workspace import Workspace
from ui import texts
from ui.desk import Editor, desk, t, word
from ui.keymap import letter

REASONS: Final[tuple[Reason, ...]] = get_args(Reason)


def card(workspace: Workspace, editor: Editor) -> None:
    """Draw the draft, or say why there is none."""
    draft = workspace.draft or _outdated(workspace, editor)
    with st.container(key="draft_card"):
        if draft is None or not draft.candidates:
            _none(workspace)
            return
        if draft.stale:
            _note("stale", t("draft.stale"))
        if draft.source == "template":
            _note("template", t("draft.template", why=_cause(draft.note or "")))
        candidate = draft.candidates[min(editor.candidate, len(draft.candidates) - 1)]
        st.html(_body(workspace, draft, candidate))
        if len(draft.candidates) > 1 and not draft.stale:
            _choice(draft, editor)


def begin(editor: Editor, draft: Draft, candidate: int = 0) -> None:
    """Put a candidate into the editor; what the therapist starts from."""
    editor.start = draft.candidates[candidate].utterance
    editor.draft_id, editor.last = draft.draft_id, draft
    editor.candidate = candidate
    editor.own, editor.action = False, None
    editor.warnings = ()
    editor.put(editor.start)


def offer_newer(workspace: Workspace, editor: Editor) -> None:
    """A draft came while words of an older one stand in the editor: offer, never replace."""
    draft = workspace.draft
    if draft is None or draft.stale or (draft.draft_id == editor.draft_id and not editor.own):
        return
    st.button(
        t("draft.use"),
        key="use_draft",
        shortcut=letter("U"),
        type="tertiary",
        icon=":material/arrow_downward:",
        on_click=begin,
        args=(editor, draft),
    )


def checks_html(checks: tuple[CheckResult, ...]) -> str:
    """Warnings and failures with their reasons; one calm line where there are none."""
    odd = "".join(
        f'<li class="{check.verdict}"><b>{escape(word("check", check.check))}</b> '
        f"{escape(word('told', check.detail))}</li>"
        for check in checks
        if check.verdict != "pass"
    )
    fine = "" if odd else f'<li class="pass">{escape(t("draft.passed"))}</li>'
    return f'<ul class="checks">{odd}{fine}</ul>'


def reasons(key: str) -> list[Reason]:
    """Ask why; what it is about has a key and with it an answer of its own."""
    return st.pills(
        t("send.reasons"),
        REASONS,
        key=key,
        selection_mode="multi",
        format_func=lambda reason: word("reason", reason),
    )


def chosen_reasons(workspace: Workspace) -> tuple[Reason, ...]:
    """What was answered for this session's draft."""
    return tuple(st.session_state.get(reasons_key(workspace)) or ())


def reasons_key(workspace: Workspace) -> str:
    """Each session's draft has its own reasons, for they go into that session's log."""
    draft = workspace.draft.draft_id if workspace.draft else ""
    return f"reasons_{workspace.session_id}_{draft}"


def known(reason: str) -> str:
    """The catalogue's name for why there is no draft; every other fault is the engine's."""
    if reason == "engine_timeout":
        return "timeout"
    if reason == "answer_unreadable":
        return "unreadable"
    return "engine_unavailable" if reason.startswith("engine") else reason.replace(" ", "_")


def _body(workspace: Workspace, draft: Draft, candidate: Candidate) -> str:
    actions = workspace.plan.position.plan.actions
    place = actions.index(candidate.action) + 1 if candidate.action in actions else None
    step = word("told", candidate.action)
    if place:
        step = t("draft.step", here=place, of=len(actions), action=step)
    origin = t(
        "draft.origin",
        adapter=draft.adapter,
        template=draft.template,
        basis=draft.basis,
        seconds=f"{draft.latency_ms / 1000:.1f}",
    )
    # Nobody checked a template, so nothing passed.
    checks = "" if draft.source == "template" else checks_html(candidate.checks)
    tongue = workspace.language
    return (
        f'<section class="draft {"stale" if draft.stale else ""}" '
        f'aria-label="{escape(t("draft.title"))}">'
        f'<p class="step">{escape(step)}</p>'
        f'<blockquote lang="{tongue}">{escape(candidate.utterance)}</blockquote>'
        f'<p class="why"><b>{escape(t("draft.why"))}</b> '
        f'<span lang="{tongue}">{escape(candidate.reasoning)}</span></p>'
        f"{checks}"
        f'<p class="origin">{escape(origin)}</p></section>'
    )


def _outdated(workspace: Workspace, editor: Editor) -> Draft | None:
    """The draft that was here a moment ago, while the one for the new message is prepared."""
    if editor.last is None or workspace.no_draft_reason != "drafting":
        return None
    return editor.last.model_copy(update={"stale": True})


def _choice(draft: Draft, editor: Editor) -> None:
    """Step through the candidates; typed words are never overwritten by looking."""
    count = len(draft.candidates)
    with st.container(key="candidates", horizontal=True, vertical_alignment="center"):
        st.caption(t("draft.candidate", here=editor.candidate + 1, of=count))
        for key, step in (("K", -1), ("J", 1)):
            st.button(
                t("draft.following" if step == 1 else "draft.previous"),
                key=f"candidate_{key}",
                shortcut=letter(key),
                type="tertiary",
                on_click=_look,
                args=(draft, editor, (editor.candidate + step) % count),
            )


def _look(draft: Draft, editor: Editor, candidate: int) -> None:
    if editor.text.strip() in {"", editor.start}:
        begin(editor, draft, candidate)
        return
    editor.candidate = candidate
    editor.start = draft.candidates[candidate].utterance


def _none(workspace: Workspace) -> None:
    reason = workspace.no_draft_reason or "nothing to answer"
    if reason == "drafting" and desk().trouble == "paused":
        reason = "paused"
    title = word("no_draft", known(reason))
    busy = '<span class="busy" aria-hidden="true"></span>' if reason == "drafting" else ""
    st.html(f'<section class="draft none" role="status">{busy}<p>{escape(title)}</p></section>')


def _cause(note: str) -> str:
    return t(f"cause.{known(note)}") if texts.knows(f"cause.{known(note)}") else note


def _note(kind: str, text: str) -> None:
    st.html(f'<p class="banner {kind}" role="status">{escape(text)}</p>')

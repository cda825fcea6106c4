"""The decision: one editor, one verdict that follows from its words, every way out by key."""

from dataclasses import replace
from html import escape

import streamlit as st
from pydantic import ValidationError

from service.schemas.review import Decided, DecisionRequest, ReplyRequest, Verdict
from service.schemas.workspace import Workspace
from ui.claims import lose
from ui.client import Offline, Refused, Unanswered
from ui.desk import Editor, Held, Press, desk, t, why
from ui.keymap import letter
from ui.panels import draft as drafts
from ui.panels import questions, steps, writing
from ui.panels.transcript import diff_html


def side(workspace: Workspace, leads_on: bool = True) -> bool:
    """Draw draft, editor and buttons; true when the reader is done and wants the next session.

    From a crisis nothing leads on: whoever answers there stays with the person.
    """
    session, editor = workspace.session_id, desk().editor(workspace.session_id)
    drafts.card(workspace, editor)
    with st.container(key="newer"):
        drafts.offer_newer(workspace, editor)
    with st.container(key="decide"):
        # Typing goes on while the service is away; only sending waits.
        hit = writing.box(workspace, editor, disabled=session not in desk().claims)
        verdict = writing.verdict(editor, workspace)
        with st.container(key="difference"):
            _difference(workspace, editor, verdict)
        with st.container(key="warnings"):
            _warnings(editor)
        if editor.panel is not None:
            questions.draw(workspace, editor)
            return False
        steps.choice(workspace, editor, verdict)
        if not desk().may_write(session):
            _other_ways(workspace, editor)
            return False
        onward = leads_on and workspace.status != "crisis"
        return _buttons(workspace, editor, verdict, hit, onward)


def _buttons(
    workspace: Workspace, editor: Editor, verdict: Verdict, hit: bool, onward: bool
) -> bool:
    why_not = _blocked(workspace, editor, verdict)
    blocked = why_not is not None
    act = t(f"send.{'confirm' if editor.warnings else verdict}")
    with st.container(key="send_row", horizontal=True):
        stay = st.button(act, key="send", type="primary", shortcut=letter("A"), disabled=blocked,
                         on_click=desk().on_screen, args=(workspace,))  # fmt: skip
        follow = onward and st.button(
            t("send.then_next", act=act), key="send_next", shortcut="Ctrl+Enter", disabled=blocked,
            on_click=desk().on_screen, args=(workspace,),
        )  # fmt: skip
    with st.container(key="why_not"):
        if why_not is not None:
            st.caption(t(f"send.blocked_{why_not}"))
    _other_ways(workspace, editor)
    press = desk().pressed_on(workspace.session_id) if stay or follow or hit else None
    if press is not None and send(press, editor):
        if onward and (follow or hit):
            return True
        st.rerun()
    return False


def _blocked(workspace: Workspace, editor: Editor, verdict: Verdict) -> str | None:
    """Why the words as they stand cannot be sent; None when they can."""
    if not editor.text.strip():
        return "empty"
    if any(check.verdict == "fail" for check in editor.warnings):
        return "check"
    if verdict != "approve" and _said_already(workspace, editor.text.strip()):
        return "twice"
    stale = verdict == "respond" and bool(workspace.draft and workspace.draft.stale)
    return "stale" if stale and editor.text.strip() == editor.start.strip() else None


def _said_already(workspace: Workspace, text: str) -> bool:
    """Whether these very words wait to leave or were said last: an answer may have been lost."""
    if workspace.held is not None and workspace.held.text.strip() == text:
        return True
    spoken = [line for line in workspace.transcript if line.kind in {"client", "reply"}]
    return bool(spoken) and spoken[-1].kind == "reply" and spoken[-1].text.strip() == text


def _other_ways(workspace: Workspace, editor: Editor) -> None:
    """What else can be done; only what the service would not refuse, and always a call for help."""
    writes, in_crisis = desk().may_write(workspace.session_id), workspace.status == "crisis"
    with st.container(key="other_row", horizontal=True):
        for action, key in (("own", "W"), ("reject", "X"), ("redraft", "G"), ("escalate", "L")):
            no_draft = action == "reject" and workspace.draft is None
            if no_draft or (action == "redraft" and in_crisis):
                continue
            if not writes and action != "escalate":
                continue
            st.button(
                t(f"send.{action}"),
                key=action,
                shortcut=letter(key),
                type="tertiary",
                on_click=_own if action == "own" else questions.ask,
                args=(editor,) if action == "own" else (editor, action),
            )


def send(press: Press, editor: Editor) -> bool:
    """Decide on the words that were read; true when the service took the decision."""
    workspace, session = press.workspace, press.workspace.session_id
    # Typed words stay in the editor; where a newer draft has come into it, the press meant others.
    words = editor if editor.draft_id == press.words.draft_id else press.words
    if _blocked(workspace, words, writing.verdict(words, workspace)) is not None:
        return False
    try:
        decided = _decide(workspace, words, desk().claim(session))
    except Refused as refusal:
        _refused(session, words, refusal)
        st.rerun()
    except (Offline, ValidationError) as failure:
        desk().notice = ("error", t(_unsent(failure)))
        st.rerun()
    if decided.release_at is not None:
        desk().hold(
            Held(session, decided.decision_id, decided.release_at, replace(words), decided.seq)
        )
    writing.forget(session, editor)
    return True


def _unsent(failure: Offline | ValidationError) -> str:
    """What to say where no answer, or no request, came about."""
    if isinstance(failure, ValidationError):
        return "refused.invalid_request"
    lost = isinstance(failure, Unanswered)
    return "state.unanswered_send" if lost else "state.offline_write"


def _decide(workspace: Workspace, editor: Editor, claim: str) -> Decided:
    text = editor.text.strip()
    confirmed = tuple(check.check for check in editor.warnings if check.verdict == "warn")
    draft = workspace.draft
    if draft is None or draft.stale:
        action = steps.served(workspace, editor, "respond")
        reply = ReplyRequest(
            text=text, action=action, confirm_checks=confirmed, basis=workspace.seq
        )
        return desk().api.reply(workspace.session_id, reply, claim)
    verdict = writing.verdict(editor, workspace)
    request = DecisionRequest(
        verdict=verdict,
        candidate=editor.candidate,
        text=None if verdict == "approve" else text,
        action=steps.served(workspace, editor, verdict),
        reasons=drafts.chosen_reasons(workspace),
        confirm_checks=confirmed,
        basis=workspace.seq,
        dwell_ms=editor.dwell_ms,
    )
    return desk().api.decide(draft.draft_id, request, claim)


def _refused(session: str, editor: Editor, refusal: Refused) -> None:
    if refusal.code == "claim_lost":
        lose(session)
        return
    if refusal.code == "guard_refused":
        editor.warnings = tuple(c for c in refusal.problem.checks if c.verdict != "pass")
    desk().notice = ("error", why(refusal))


def _difference(workspace: Workspace, editor: Editor, verdict: Verdict) -> None:
    """What the edit changed, and why, in the words of the seven principles."""
    if verdict != "edit" or not editor.text.strip():
        return
    st.html(
        f'<p class="diff" aria-label="{escape(t("editor.diff"))}">'
        f"{diff_html(editor.start, editor.text)}</p>"
    )
    if editor.panel is None:
        drafts.reasons(drafts.reasons_key(workspace))


def _warnings(editor: Editor) -> None:
    if editor.warnings:
        st.html(f'<div role="alert">{drafts.checks_html(editor.warnings)}</div>')


def _own(editor: Editor) -> None:
    """Write from nothing; a second time takes the draft's words back."""
    editor.own, editor.action = not editor.own, None
    if editor.own and editor.text.strip() == editor.start.strip():
        editor.put("")
    elif not editor.own and not editor.text.strip():
        editor.put(editor.start)

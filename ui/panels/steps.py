"""A plan as a ladder: done, here, next, later; what a new plan would change; a reply's place."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from service.schemas.plans import PlanBody, PositionView
from service.schemas.review import Verdict
from service.schemas.workspace import Workspace
from ui.desk import Editor, desk, t, word
from ui.panels import writing


def ladder(position: PositionView) -> str:
    """The running plan's steps with the cursor."""
    here = -1 if position.action_index is None else position.action_index
    rows = "".join(
        f'<li class="{_place(place, here)}"><span class="dot" aria-hidden="true"></span>'
        f"<span>{escape(word('told', action))}</span>"
        f"<em>{escape(t(f'plan.{_place(place, here)}'))}</em></li>"
        for place, action in enumerate(position.plan.actions)
    )
    return f'<ol class="ladder">{rows}</ol>'


def choice(workspace: Workspace, editor: Editor, verdict: Verdict) -> None:
    """Ask whether words of one's own stay at the step or go on, where both are possible."""
    offered, session = _offered(workspace, verdict), workspace.session_id
    if len(offered) < 2 or not editor.text.strip():
        return
    here, now = offered[0], served(workspace, editor, verdict) or ""
    # Words that we put there begin a choice of their own.
    key = f"serves_{session}_{editor.revision}_{verdict}_{'_'.join(offered)}"

    def keep() -> None:
        editor.action = st.session_state[key]

    st.radio(
        t("send.serves"), offered, index=offered.index(now), key=key, horizontal=True,
        format_func=lambda one: t(
            "send.stays" if one == here else "send.goes_on",
            step=word("told", one) if one else t("queue.no_step"),
        ),
        on_change=keep, disabled=session not in desk().claims,
    )  # fmt: skip


def served(workspace: Workspace, editor: Editor, verdict: Verdict) -> str | None:
    """The action to send with the words; None leaves it to the service.

    An edit takes the draft's step unless told otherwise, words of one's own stay where they are.
    """
    offered, candidate = _offered(workspace, verdict), writing.chosen(editor, workspace)
    if not offered:
        return None
    if editor.action in offered:
        return editor.action or None
    drafted = candidate.action if verdict == "edit" and candidate else None
    return (drafted if drafted in offered else offered[0]) or None


def _offered(workspace: Workspace, verdict: Verdict) -> tuple[str, ...]:
    """The current and the next action; before the first one own words may also serve none."""
    position = workspace.plan.position
    if verdict not in {"edit", "respond"}:
        return ()
    opening = position.action_index is None and verdict == "respond"
    return ("", *position.candidates) if opening else position.candidates


def compared(now: Sequence[str], then: Sequence[str]) -> str:
    """The proposed steps; those that the running plan does not have are marked."""
    rows = "".join(
        f'<li class="{"kept" if action in now else "added"}"><span class="dot"></span>'
        f"<span>{escape(word('told', action))}</span>{_new(action in now)}</li>"
        for action in then
    )
    return f'<ol class="ladder">{rows}</ol>'


def about(plan: PlanBody) -> str:
    """The strategy, what it does in one sentence, the aim and why the steps stand so."""
    if plan.strategy is None:
        name, meaning = t("plan.diagnostic"), t("plan.diagnostic_about")
    else:
        slug = plan.strategy.name.lower()
        name, meaning = word("strategy_name", slug), word("strategy", slug)
    return (
        f'<p class="strategy"><b>{escape(name)}</b> {escape(meaning)}</p>'
        f"<p>{escape(word('told', plan.text))}</p>"
        f'<p class="why"><b>{escape(t("draft.why"))}</b> {escape(word("told", plan.reason))}</p>'
    )


def meter(label: str, share: float, note: str) -> str:
    """A labelled bar, 0 to 1."""
    percent = round(100 * share)
    return (
        f'<div class="meter"><span>{escape(label)}</span><b>{percent} %</b>'
        f'<div role="img" aria-label="{escape(label)}: {percent} %">'
        f'<i style="width:{percent}%"></i></div><small>{escape(note)}</small></div>'
    )


def _place(place: int, here: int) -> str:
    if place < here:
        return "done"
    if place == here:
        return "here"
    return "next" if place == here + 1 else "later"


def _new(kept: bool) -> str:
    return "" if kept else f"<em>{escape(t('plan.new_step'))}</em>"

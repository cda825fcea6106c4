"""One session: the conversation left, the decision right."""

from html import escape

import streamlit as st

from service.schemas.workspace import Workspace
from ui.desk import desk, t, word
from ui.keymap import letter
from ui.panels import decide, questions, transcript, writing
from ui.panels.states import banner, guarded, holder, no_session
from ui.renewal import part
from ui.views.queue import take_next
from ui.watching import address, go, mark, opened, pulse


@guarded
def show() -> None:
    """Draw the workspace of the session named in the address."""
    session = address()
    if session is None:
        no_session()
        return
    workspace = opened(session)
    writing.settle(desk().editor(session), workspace)
    _strip(workspace)
    left, right = st.columns([10, 11], gap="medium")
    with left.container(key="transcript_side"):
        transcript.draw(workspace)
    with right.container(key="desk_side"):
        with st.container(key="banners"):
            _banners(workspace)
        _desk_side(workspace)
    pulse(session, mark(workspace))


@part()
def _desk_side(workspace: Workspace) -> None:
    if decide.side(workspace):
        take_next(after=workspace.session_id)


def _strip(workspace: Workspace) -> None:
    """Where the session stands, and the ways to its other pages."""
    row, ways = st.columns([10, 11], vertical_alignment="center", gap="medium")
    chips = (f'<span class="chip {kind}">{escape(text)}</span>' for kind, text in _chips(workspace))
    row.html("".join(chips) + _client(workspace))
    editor, session = desk().editor(workspace.session_id), workspace.session_id
    with ways.container(key="ways", horizontal=True, horizontal_alignment="right"):
        for page, key in (("plan", "P"), ("crisis", "O")):
            if st.button(
                t(f"page.{page}"), key=f"go_{page}", shortcut=letter(key), type="tertiary"
            ):
                go(page, session)
        if session in desk().claims:
            for panel, key in (("note", "M"), ("hand_over", "H")):
                st.button(
                    t(f"workspace.{panel}"), key=panel, shortcut=letter(key), type="tertiary",
                    on_click=questions.ask, args=(editor, panel),
                )  # fmt: skip
        if st.button(t("queue.next"), key="next", shortcut=letter("N"), type="tertiary"):
            take_next(after=session)


def _client(workspace: Workspace) -> str:
    """Who the client is to the client's app, where they are, and what it told of them."""
    told = [f"{name.replace('_', ' ')}: {value}" for name, value in workspace.profile.items()]
    facts = " · ".join([workspace.client_ref, workspace.region, *told])
    return f'<p class="client"><b>{escape(t("workspace.client"))}</b> {escape(facts)}</p>'


def _chips(workspace: Workspace) -> list[tuple[str, str]]:
    position = workspace.plan.position
    here = 0 if position.action_index is None else position.action_index + 1
    step = t("workspace.step", here=here, of=len(position.plan.actions))
    others = [name for name in workspace.viewers if name != desk().me.name]
    chips = [
        ("stage", word("stage", workspace.stage)),
        ("step", f"{step}: {word('told', workspace.action)}" if workspace.action else step),
    ]
    if workspace.simulated:
        chips.append(("demo", t("workspace.simulated")))
    if workspace.assigned_to and workspace.claimed_by is None:
        chips.append(("viewer", t("workspace.for", who=workspace.assigned_to)))
    if others:
        chips.append(("viewer", t("workspace.also", who=", ".join(others))))
    return [*chips, ("id", workspace.session_id[-6:])]


def _banners(workspace: Workspace) -> None:
    if desk().offline:
        banner("offline", t("state.offline_kept"))
    elif desk().trouble:
        banner("trouble", t(f"state.{desk().trouble}"))
    if workspace.status in {"closed", "erased"}:
        banner("taken", t("workspace.over"))
    for alert in workspace.alerts:
        if alert.resolved_at is None:
            level, category = word("level", alert.level), word("category", alert.category)
            banner("alert", t("workspace.alert", level=level, category=category))
    holder(workspace)

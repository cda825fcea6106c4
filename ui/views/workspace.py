"""One session: the conversation left, the decision right."""

from html import escape
from time import monotonic
from typing import Final

import streamlit as st

from service.schemas.workspace import Workspace
from ui.claims import renew, take
from ui.client import Offline
from ui.desk import desk, t, word
from ui.views.queue import take_next
from ui.panels import decide, questions, transcript, writing
from ui.panels.states import guarded, no_session

PULSE_S: Final = 2.0
RENEW_S: Final = 15.0


@guarded
def show() -> None:
    """Draw the workspace of the session named in the address."""
    session = st.query_params.get("session") or st.session_state.get("session")
    if not session:
        no_session()
        return
    st.session_state["session"] = st.query_params["session"] = session
    workspace = look(session)
    unheld = session not in desk().claims and session not in desk().lost
    if unheld and workspace.claimed_by == desk().me.name and take(session):
        workspace = look(session)
    writing.settle(desk().editor(session), workspace)
    _strip(workspace)
    left, right = st.columns([10, 11], gap="medium")
    with left.container(key="transcript_side"):
        transcript.draw(workspace)
    with right.container(key="desk_side"):
        _banners(workspace)
        _desk_side(workspace)
    _pulse(session, _mark(workspace))
    st.button(
        t("queue.next"), key="next", shortcut="N", on_click=_leave, args=(session,), type="tertiary"
    )


def look(session: str) -> Workspace:
    """The session now; what was last seen of it while the service is away.

    Raises: Offline where it was never seen.
    """
    st.session_state["looked"] = monotonic()
    try:
        workspace = desk().api.workspace(session)
    except Offline:
        desk().offline = True
        if session not in desk().seen:
            raise
        return desk().seen[session]
    desk().offline = False
    desk().seen[session] = workspace
    return workspace


@st.fragment
def _desk_side(workspace: Workspace) -> None:
    session = workspace.session_id
    held = session in desk().claims and not desk().offline
    if decide.side(workspace, held):
        take_next(after=session)


@st.fragment(run_every=PULSE_S)
def _pulse(session: str, mark: tuple[object, ...]) -> None:
    """Watch for anything new; the page is drawn again only when there is."""
    if st.session_state.pop("leave", False):
        take_next(after=session)
    if monotonic() - float(st.session_state["looked"]) < PULSE_S / 2:
        return
    if monotonic() - float(st.session_state.get("renewed", 0.0)) > RENEW_S:
        st.session_state["renewed"] = monotonic()
        renew(session)
    away = desk().offline
    workspace = look(session)
    if _lost(workspace) or desk().offline != away or _mark(workspace) != mark:
        st.rerun()


def _lost(workspace: Workspace) -> bool:
    """Whether a colleague has taken what we hold; said at once, not at the next send."""
    session = workspace.session_id
    if session not in desk().claims or workspace.claimed_by in {None, desk().me.name}:
        return False
    renew(session)
    return session in desk().lost


def _mark(workspace: Workspace) -> tuple[object, ...]:
    """What, when it changes, the reader must see."""
    draft, held = workspace.draft, workspace.held
    return (
        workspace.seq,
        workspace.status,
        workspace.no_draft_reason,
        workspace.claimed_by,
        workspace.viewers,
        draft and (draft.draft_id, draft.stale),
        held and held.decision_id,
    )


def _strip(workspace: Workspace) -> None:
    """Where the session stands, and the ways to its other pages."""
    position = workspace.plan.position
    here = 0 if position.action_index is None else position.action_index + 1
    step = t("workspace.step", here=here, of=len(position.plan.actions))
    others = [name for name in workspace.viewers if name != desk().me.name]
    chips = [
        ("stage", word("stage", workspace.stage)),
        ("step", f"{step}: {workspace.action}" if workspace.action else step),
        *(("demo", t("workspace.simulated")) for _ in range(workspace.simulated)),
        *(("viewer", t("workspace.also", who=", ".join(others))) for _ in range(bool(others))),
        ("id", workspace.session_id[-6:]),
    ]
    row, ways = st.columns([11, 8], vertical_alignment="center")
    row.html("".join(f'<span class="chip {kind}">{escape(text)}</span>' for kind, text in chips))
    editor = desk().editor(workspace.session_id)
    with ways.container(key="ways", horizontal=True, horizontal_alignment="right"):
        for page, key in (("plan", "P"), ("crisis", "O")):
            if st.button(t(f"page.{page}"), key=f"go_{page}", shortcut=key, type="tertiary"):
                st.switch_page(
                    st.session_state["pages"][page], query_params={"session": workspace.session_id}
                )
        if workspace.session_id in desk().claims:
            for panel, key in (("note", "M"), ("hand_over", "H")):
                st.button(
                    t(f"workspace.{panel}"), key=panel, shortcut=key, type="tertiary",
                    on_click=questions.ask, args=(editor, panel),
                )  # fmt: skip


def _banners(workspace: Workspace) -> None:
    session, name = workspace.session_id, workspace.claimed_by or ""
    if desk().offline:
        _banner("offline", t("state.offline_kept"))
    for alert in workspace.alerts:
        if alert.resolved_at is None:
            _banner("alert", t("workspace.alert", level=word("level", alert.level),
                               category=word("category", alert.category)))  # fmt: skip
    if session in desk().claims:
        return
    if session in desk().lost:
        _banner("lost", t("workspace.lost", who=name))
    elif name:
        _banner("taken", t("workspace.taken", who=name))
    free = not name or name == desk().me.name
    st.button(
        t("workspace.take" if free else "workspace.take_over"),
        key="take",
        shortcut="T",
        on_click=_take,
        args=(session, free),
    )


def _take(session: str, free: bool) -> None:
    if not (free and take(session)):
        questions.ask(desk().editor(session), "take_over")


def _banner(kind: str, text: str) -> None:
    st.html(f'<p class="banner {kind}" role="status">{escape(text)}</p>')


def _leave(session: str) -> None:
    st.session_state["leave"] = True

"""Home: who needs a human, most urgent first."""

from typing import Final, get_args

import streamlit as st

from safety.risk import RiskLevel
from service.schemas.review import Kind, Queue, QueueItem
from ui import parts
from ui.claims import take, take_free
from ui.desk import attempt, desk, t, word
from ui.panels.states import guarded_part
from ui.renewal import part
from ui.watching import go

REFRESH_S: Final = 2.0
PAGE: Final = 100
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


def show() -> None:
    """Draw the queue."""
    head, action = st.columns([4, 1], vertical_alignment="center")
    with head.container(key="filters", horizontal=True, vertical_alignment="center"):
        st.html(f"<h1>{t('queue.title')}</h1>", width="content")
        _filters()
    if action.button(
        t("queue.next"),
        key="next",
        type="primary",
        shortcut="N",
        width="stretch",
        icon=":material/play_arrow:",
    ):
        take_next()
    _live()


def take_next(after: str | None = None) -> None:
    """Claim the most urgent session that nobody holds, and open it."""
    others = attempt(lambda: _try_all(after))
    if others is not None:
        desk().notice = ("info", _why_none(*others))
    go("queue")


def _try_all(after: str | None) -> tuple[int, bool]:
    """Try every waiting session, page by page, until one is ours; that one opens, and this ends.

    Where none is: how many wait besides ``after``, and whether ``after`` waits itself.
    """
    token, among = None, False
    while True:
        page = desk().api.queue({"page_size": PAGE, "page_token": token})
        for item in page.items:
            if item.session_id == after:
                among = True
            elif item.claimed_by in {None, desk().me.name} and take_free(item.session_id):
                open_session(item.session_id)
        token = page.next_page_token
        if token is None:
            return page.total - among, among


def _why_none(others: int, one_here: bool) -> str:
    if others > 1:
        return t("queue.all_held", n=others)
    if others == 1:
        return t("queue.one_held")
    return t("queue.none_else" if one_here else "queue.all_done")


def open_session(session: str) -> None:
    """Go to a session's workspace; to the crisis desk is one key from there."""
    go("workspace", session)


def _filters() -> None:
    st.segmented_control(
        t("queue.kind"),
        KINDS,
        key="queue_kind",
        format_func=lambda kind: word("kind", kind),
        label_visibility="collapsed",
    )
    st.selectbox(
        t("queue.risk"),
        (None, RiskLevel.MODERATE, RiskLevel.HIGH, RiskLevel.IMMINENT),
        key="queue_risk",
        format_func=lambda level: t("queue.any_risk") if level is None else word("level", level),
        label_visibility="collapsed",
        width=150,
    )
    st.toggle(t("queue.mine"), key="queue_mine")


@part(REFRESH_S)
@guarded_part
def _live() -> None:
    """The rows, again and again; focus and scroll stay where they are."""
    waiting = desk().api.queue(
        {
            "kind": st.session_state.get("queue_kind"),
            "risk": st.session_state.get("queue_risk"),
            "mine": st.session_state.get("queue_mine") or None,
            "page_size": PAGE,
        }
    )
    with st.container(key="queue_list"):
        if not waiting.items:
            _empty()
            return
        st.html(f'<p class="summary" role="status">{_summary(waiting)}</p>')
        rows = [_row(item) for item in waiting.items]
        opened = parts.queue_list("queue_rows", rows, t("queue.title"), _waits())
    if opened:
        take(opened)
        open_session(opened)


def _summary(waiting: Queue) -> str:
    counts = [(kind, sum(1 for i in waiting.items if i.kind == kind)) for kind in KINDS]
    parted = [f"{count} × {word('kind', kind)}" for kind, count in counts if count]
    return " · ".join((t("queue.waiting", n=waiting.total), *parted))


def _waits() -> dict[str, str]:
    """How a wait is told; the browser, which counts it, fills the places."""
    return {unit: t(f"queue.wait_{unit}", h="{h}", n="{n}") for unit in ("s", "min", "h")}


def _row(item: QueueItem) -> dict[str, object]:
    mine = item.claimed_by == desk().me.name
    return {
        "id": item.session_id,
        "level": str(item.risk),
        "risk": word("level", item.risk) if item.risk is not RiskLevel.NONE else "",
        "kind": word("kind", item.kind),
        "kind_code": item.kind,
        "step": word("told", item.action) if item.action else t("queue.no_step"),
        "meta": f"{word('stage', item.stage)} · {t(f'tongue.{item.language}')}"
        f" · {item.session_id[-6:]}",
        "who": t("queue.yours") if mine else item.claimed_by or "",
        "mine": mine,
        "taken": item.claimed_by is not None and not mine,
        "since": int(item.waiting_since.timestamp() * 1000),
    }


def _empty() -> None:
    filtered = any(
        st.session_state.get(name) for name in ("queue_kind", "queue_risk", "queue_mine")
    )
    name = "filtered" if filtered else "empty"
    st.html(
        f'<div class="blank"><h2>{t(f"queue.{name}_title")}</h2><p>{t(f"queue.{name}")}</p></div>'
    )

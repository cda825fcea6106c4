"""Home: who needs a human, most urgent first."""

from typing import Final, get_args

import streamlit as st

from safety.risk import RiskLevel
from service.schemas.review import Kind, Queue, QueueItem
from ui import parts
from ui.claims import PAGE, take, take_first
from ui.desk import attempt, desk, t, word
from ui.keymap import letter
from ui.panels.states import guarded_part
from ui.renewal import part
from ui.texts import TONGUES
from ui.watching import go

REFRESH_S: Final = 2.0
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
        shortcut=letter("N"),
        width="stretch",
        icon=":material/play_arrow:",
    ):
        take_next()
    _live()


def take_next(after: str | None = None) -> None:
    """Claim the most urgent session of the list that nobody holds, and open it."""
    free = attempt(lambda: take_first(_filtered(), after))
    if free is not None and free.session is not None:
        open_session(free.session)
    elif free is not None:
        desk().notice = ("info", _why_none(free.others, free.among))
    go("queue")


def _why_none(others: int, one_here: bool) -> str:
    if others == 0 and any(_filtered().values()):
        return t("queue.none_fits")
    if others > 1:
        return t("queue.all_held", n=others)
    if others == 1:
        return t("queue.one_held")
    return t("queue.none_else" if one_here else "queue.all_done")


def open_session(session: str) -> None:
    """Go to a session's workspace; to the crisis desk is one key from there."""
    go("workspace", session)


def _filters() -> None:
    # They stay while other pages are open, for the next session is taken from there, too.
    st.segmented_control(
        t("queue.kind"),
        KINDS,
        key="queue_kind",
        format_func=lambda kind: word("kind", kind),
        label_visibility="collapsed",
        persist_state="session",
    )
    st.selectbox(
        t("queue.risk"),
        (None, RiskLevel.MODERATE, RiskLevel.HIGH, RiskLevel.IMMINENT),
        key="queue_risk",
        format_func=lambda level: t("queue.any_risk") if level is None else word("level", level),
        label_visibility="collapsed",
        width=150,
        persist_state="session",
    )
    st.selectbox(
        t("account.language"),
        (None, *TONGUES),
        key="queue_language",
        format_func=lambda code: t(f"tongue.{code}") if code else t("queue.any_language"),
        label_visibility="collapsed",
        width=150,
        persist_state="session",
    )
    st.toggle(t("queue.mine"), key="queue_mine", persist_state="session")


def _filtered() -> dict[str, str | bool | None]:
    """What is asked of the queue, by the list and by whoever takes the next of it."""
    return {
        name: st.session_state.get(f"queue_{name}") or None
        for name in ("kind", "risk", "language", "mine")
    }


@part(REFRESH_S)
@guarded_part
def _live() -> None:
    """The rows, again and again; focus and scroll stay where they are."""
    waiting = _waiting(int(st.session_state.get("queue_pages", 1)))
    with st.container(key="queue_list"):
        if not waiting.items:
            _empty()
            return
        st.html(f'<p class="summary" role="status">{_summary(waiting)}</p>')
        rows = [_row(item) for item in waiting.items]
        opened = parts.queue_list("queue_rows", rows, t("queue.title"), _waits())
        if waiting.next_page_token:
            st.button(t("queue.more"), key="queue_more", type="tertiary", on_click=_more)
    if opened:
        take(opened)
        open_session(opened)


def _waiting(pages: int) -> Queue:
    """So many pages of the list as one; a session that moved down meanwhile stands there once."""
    found: dict[str, QueueItem] = {}
    page = desk().api.queue({**_filtered(), "page_size": PAGE})
    for _ in range(pages - 1):
        found |= {item.session_id: item for item in page.items}
        if page.next_page_token is None:
            break
        asked = {**_filtered(), "page_size": PAGE, "page_token": page.next_page_token}
        page = desk().api.queue(asked)
    found |= {item.session_id: item for item in page.items}
    desk().colleagues |= {item.claimed_by for item in found.values() if item.claimed_by}
    return page.model_copy(update={"items": tuple(found.values())})


def _more() -> None:
    st.session_state["queue_pages"] = int(st.session_state.get("queue_pages", 1)) + 1


def _summary(waiting: Queue) -> str:
    if waiting.next_page_token:
        # Of what kind the others are is not known; parts that do not add up would mislead.
        first = t("queue.first", n=len(waiting.items))
        return f"{t('queue.waiting', n=waiting.total)} · {first}"
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
        "who": _who(item, mine),
        "mine": mine,
        "taken": item.claimed_by is not None and not mine,
        "since": int(item.waiting_since.timestamp() * 1000),
    }


def _who(item: QueueItem, mine: bool) -> str:
    """Who answers; where nobody does yet, to whom it was handed over."""
    if mine:
        return t("queue.yours")
    if item.claimed_by or not item.assigned_to:
        return item.claimed_by or ""
    ours = item.assigned_to == desk().me.name
    return t("queue.for", who=t("queue.yours") if ours else item.assigned_to)


def _empty() -> None:
    name = "filtered" if any(_filtered().values()) else "empty"
    st.html(
        f'<div class="blank"><h2>{t(f"queue.{name}_title")}</h2><p>{t(f"queue.{name}")}</p></div>'
    )

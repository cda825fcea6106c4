"""A plan as a ladder: done, here, next, later; and what a new plan would change."""

from collections.abc import Sequence
from html import escape

from service.schemas.plans import PlanBody, PositionView
from ui.desk import t, word


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

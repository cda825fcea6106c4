"""The console's pages: each reads, shows, and lets one thing be decided at a time.

The folder is not called ``pages``: Streamlit would serve such a folder's files by itself.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ui.desk import REVIEWERS
from ui.views import adapters, audit, crisis, insights, plan, queue, workspace


@dataclass(frozen=True, slots=True)
class Page:
    """One page and who may open it."""

    path: str
    show: Callable[[], None]
    icon: str
    roles: frozenset[str]


PAGES: Final = (
    Page("queue", queue.show, ":material/inbox:", REVIEWERS),
    Page("workspace", workspace.show, ":material/forum:", REVIEWERS),
    Page("plan", plan.show, ":material/route:", REVIEWERS),
    Page("crisis", crisis.show, ":material/emergency_heat:", REVIEWERS),
    Page("insights", insights.show, ":material/monitoring:", frozenset({"supervisor"})),
    Page("audit", audit.show, ":material/verified_user:", frozenset({"supervisor"})),
    Page("adapters", adapters.show, ":material/swap_horiz:", frozenset({"supervisor", "ops"})),
)

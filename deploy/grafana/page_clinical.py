"""The clinical flow: danger, waiting, decisions."""

from typing import Final

from draw import Dashboard, Panel, quantile_of, rate

_SC: Final = "secondchair_"

CLINICAL: Final = Dashboard(
    "clinical",
    "Clinical flow",
    (
        Panel(
            "Oldest unacknowledged alert",
            "s",
            (("{{level}}", "max by (level) (secondchair_alert_oldest_unacknowledged_seconds)"),),
            limit=60,
        ),
        Panel(
            "Acknowledgement (p95, 1 h)",
            "s",
            (("{{level}}", "secondchair:alert_acknowledged_seconds:p95_1h"),),
            limit=60,
        ),
        Panel("Pages", "reqps", (("{{outcome}}", rate(f"{_SC}pages_total", "outcome")),)),
        Panel(
            "Waiting for a human",
            "short",
            (("{{risk}}", "max by (risk) (secondchair_queue_sessions)"),),
        ),
        Panel(
            "Longest wait by risk",
            "s",
            (("{{risk}}", "secondchair:queue_oldest_seconds:max"),),
            limit=900,
        ),
        Panel(
            "Messages",
            "reqps",
            (
                ("accepted", rate(f"{_SC}messages_accepted_total")),
                ("drafted for", rate(f"{_SC}draft_ready_seconds_count")),
            ),
        ),
        Panel(
            "Judged by level", "reqps", (("{{level}}", rate(f"{_SC}screen_judged_total", "level")),)
        ),
        Panel(
            "Judged by layer",
            "reqps",
            (("{{source}}", rate(f"{_SC}screen_judged_total", "source")),),
        ),
        Panel(
            "Alerts",
            "reqps",
            (
                ("raised {{level}}", rate(f"{_SC}alerts_raised_total", "level")),
                ("escalated {{level}}", rate(f"{_SC}alerts_escalated_total", "level")),
            ),
        ),
        Panel(
            "Alerts by category",
            "reqps",
            (("{{category}}", rate(f"{_SC}alerts_raised_total", "category")),),
        ),
        Panel("Decisions", "reqps", (("{{verdict}}", rate(f"{_SC}decisions_total", "verdict")),)),
        Panel(
            "Share of words edited",
            "percentunit",
            (
                ("p50", quantile_of(0.5, f"{_SC}edit_distance_ratio")),
                ("p90", quantile_of(0.9, f"{_SC}edit_distance_ratio")),
            ),
        ),
        Panel(
            "Replies",
            "reqps",
            (
                ("held", rate(f"{_SC}replies_held_total")),
                ("undone", rate(f"{_SC}decisions_undone_total")),
                ("released {{kind}}", rate(f"{_SC}replies_released_total", "kind")),
            ),
        ),
        Panel(
            "Claims and stale drafts",
            "reqps",
            (
                ("claim {{outcome}}", rate(f"{_SC}claims_total", "outcome")),
                ("stale", rate(f"{_SC}drafts_stale_total")),
            ),
        ),
        Panel(
            "Guard checks not passed",
            "reqps",
            (("{{check}}", rate(f"{_SC}guard_checks_failed_total", "check")),),
        ),
    ),
)

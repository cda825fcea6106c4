"""The adapters: which answer, how rollouts go, what therapists make of their drafts."""

from typing import Final

from draw import Dashboard, Panel, rate

_SC: Final = "secondchair_"

ADAPTERS: Final = Dashboard(
    "adapters",
    "Adapters",
    (
        Panel(
            "Live adapters",
            "short",
            (
                (
                    "{{role}} {{adapter}}",
                    "sum by (role, adapter) (secondchair_adapter_live)",
                ),
            ),
        ),
        Panel(
            "Rollouts",
            "short",
            (
                (
                    "{{role}} {{state}}",
                    "sum by (role, state)"
                    " (increase(secondchair_rollout_moves_total[$__rate_interval]))",
                ),
            ),
        ),
        Panel(
            "Adapters in the engine",
            "short",
            (("{{running_lora_adapters}}", "vllm:lora_requests_info"),),
        ),
        Panel(
            "Drafts by adapter",
            "reqps",
            (("{{adapter}}", rate(f"{_SC}drafts_prepared_total", "adapter")),),
        ),
        Panel(
            "Drafts by source",
            "reqps",
            (("{{role}} {{source}}", rate(f"{_SC}drafts_prepared_total", "role, source")),),
        ),
        Panel(
            "Share of templates",
            "percentunit",
            (("templates", "secondchair:drafts_template:ratio_15m"),),
            limit=0.2,
        ),
        Panel(
            "Unreadable answers",
            "reqps",
            (("unreadable", rate(f"{_SC}engine_failed_total", where='reason="unreadable"')),),
        ),
        Panel(
            "Approved as drafted",
            "percentunit",
            (
                (
                    "approved",
                    rate(f"{_SC}decisions_total", where='subject="draft",verdict="approve"')
                    + " / "
                    + rate(f"{_SC}decisions_total", where='subject="draft"'),
                ),
            ),
        ),
        Panel(
            "Share of words edited (mean)",
            "percentunit",
            (
                (
                    "edited",
                    rate(f"{_SC}edit_distance_ratio_sum")
                    + " / "
                    + rate(f"{_SC}edit_distance_ratio_count"),
                ),
            ),
        ),
    ),
)

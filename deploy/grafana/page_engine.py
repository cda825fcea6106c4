"""The engine: our calls to it and what vLLM tells of itself."""

from typing import Final

from draw import Dashboard, Panel, quantile_of, rate

_SC: Final = "secondchair_"

ENGINE: Final = Dashboard(
    "engine",
    "Engine",
    (
        Panel(
            "Engine answers",
            "bool",
            (("up", 'max(secondchair_engine_up{job="secondchair-worker"})'),),
            kind="stat",
        ),
        Panel(
            "Draft ready (p95)",
            "s",
            (("from the model", "secondchair:draft_ready_seconds:p95_10m"),),
            limit=30,
        ),
        Panel(
            "Call time",
            "s",
            (
                ("p50 {{role}}", quantile_of(0.5, f"{_SC}engine_seconds", "role")),
                ("p95 {{role}}", quantile_of(0.95, f"{_SC}engine_seconds", "role")),
            ),
        ),
        Panel(
            "Calls without an answer",
            "reqps",
            (("{{reason}}", rate(f"{_SC}engine_failed_total", "reason")),),
        ),
        Panel("Tokens", "short", (("{{kind}}", rate(f"{_SC}engine_tokens_total", "kind")),)),
        Panel(
            "Prompt tokens from the cache",
            "percentunit",
            (
                (
                    "as the service counts",
                    rate(f"{_SC}engine_tokens_total", where='kind="cached"')
                    + " / "
                    + rate(f"{_SC}engine_tokens_total", where='kind="prompt"'),
                ),
                (
                    "as the engine counts",
                    rate("vllm:prefix_cache_hits_total")
                    + " / "
                    + rate("vllm:prefix_cache_queries_total"),
                ),
            ),
        ),
        Panel(
            "Answer length (p95, tokens)",
            "short",
            (("{{role}}", quantile_of(0.95, f"{_SC}engine_completion_tokens", "role")),),
        ),
        Panel(
            "Running and waiting",
            "short",
            (
                ("running", "sum(vllm:num_requests_running)"),
                ("waiting", "sum(vllm:num_requests_waiting)"),
            ),
            limit=16,
        ),
        Panel(
            "Key-value cache in use",
            "percentunit",
            (("{{instance}}", "max by (instance) (vllm:kv_cache_usage_perc)"),),
            limit=0.95,
        ),
        Panel(
            "First token",
            "s",
            (
                ("p50", quantile_of(0.5, "vllm:time_to_first_token_seconds")),
                ("p95", quantile_of(0.95, "vllm:time_to_first_token_seconds")),
            ),
        ),
        Panel(
            "Wait inside the engine (p95)",
            "s",
            (("{{instance}}", quantile_of(0.95, "vllm:request_queue_time_seconds", "instance")),),
        ),
        Panel(
            "Oldest message without a draft",
            "s",
            (("age", "max(secondchair_awaiting_draft_oldest_seconds)"),),
            limit=180,
        ),
    ),
)

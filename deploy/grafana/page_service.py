"""The service as its operators see it: requests, store, duties, workers."""

from typing import Final

from draw import Dashboard, Panel, quantile_of, rate

_SC: Final = "secondchair_"

SERVICE: Final = Dashboard(
    "service",
    "Service",
    (
        Panel("API replicas up", "short", (("up", 'sum(up{job="secondchair-api"})'),), kind="stat"),
        Panel("Workers up", "short", (("up", 'sum(up{job="secondchair-worker"})'),), kind="stat"),
        Panel(
            "Longest overdue duty",
            "s",
            (("age", "max(secondchair_duties_oldest_overdue_seconds)"),),
            kind="stat",
            limit=600,
        ),
        Panel(
            "Requests by status",
            "reqps",
            (("{{status}}", rate(f"{_SC}http_requests_total", "status")),),
        ),
        Panel(
            "Requests by route",
            "reqps",
            (("{{route}}", rate(f"{_SC}http_requests_total", "route")),),
        ),
        Panel(
            "Failed requests",
            "percentunit",
            (
                ("1 h", "secondchair:http_failed:ratio_1h"),
                ("6 h", "secondchair:http_failed:ratio_6h"),
                ("messages, 10 min", "secondchair:intake_failed:ratio_10m"),
            ),
            limit=0.001,
        ),
        Panel(
            "Refused by code",
            "reqps",
            (("{{code}}", rate(f"{_SC}http_refused_total", "code")),),
        ),
        Panel(
            "Answer time by route (p95)",
            "s",
            (("{{route}}", quantile_of(0.95, f"{_SC}http_seconds", "route")),),
        ),
        Panel(
            "Intake",
            "s",
            (
                ("p50", quantile_of(0.5, f"{_SC}intake_seconds")),
                ("p99", "secondchair:intake_seconds:p99_5m"),
            ),
            limit=0.25,
        ),
        Panel(
            "Screen and scrub (p99)",
            "s",
            (
                ("screen", "secondchair:screen_seconds:p99_5m"),
                ("scrub", quantile_of(0.99, f"{_SC}scrub_seconds")),
            ),
        ),
        Panel(
            "Store (p99)",
            "s",
            (("{{operation}}", "secondchair:store_seconds:p99_5m"),),
            limit=0.25,
        ),
        Panel(
            "Store trouble",
            "reqps",
            (
                ("conflicts", rate(f"{_SC}store_conflicts_total")),
                ("failed {{operation}}", rate(f"{_SC}store_failed_total", "operation")),
            ),
        ),
        Panel(
            "Store room taken",
            "percentunit",
            (("taken", "max(secondchair_store_used_ratio)"),),
            limit=0.7,
        ),
        Panel(
            "Duties done",
            "reqps",
            (("{{kind}} {{outcome}}", rate(f"{_SC}duties_done_total", "kind, outcome")),),
        ),
        Panel(
            "Time a duty takes (p95)",
            "s",
            (("{{kind}}", quantile_of(0.95, f"{_SC}duty_seconds", "kind")),),
        ),
        Panel(
            "Worker rounds",
            "reqps",
            (("{{instance}}", rate(f"{_SC}worker_rounds_total", "instance")),),
        ),
        Panel(
            "Open streams",
            "short",
            (("{{audience}}", "sum by (audience) (secondchair_stream_clients)"),),
        ),
    ),
)

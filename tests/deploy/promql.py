"""Which metrics a PromQL expression names, and which metrics there are."""

import re
from typing import Final

from service.telemetry.metrics import DECLARED

PROMETHEUS_OWN: Final = frozenset({"up", "ALERTS"})
VLLM: Final = frozenset(
    {
        "vllm:num_requests_running",
        "vllm:num_requests_waiting",
        "vllm:kv_cache_usage_perc",
        "vllm:prefix_cache_queries_total",
        "vllm:prefix_cache_hits_total",
        "vllm:lora_requests_info",
        "vllm:time_to_first_token_seconds_bucket",
        "vllm:request_queue_time_seconds_bucket",
    }
)
"""What vLLM's V1 engine exports, as far as we ask for it; the engine tests scrape a real one."""

_QUOTED: Final = re.compile(r'"[^"]*"')
_RANGES: Final = re.compile(r"\[[^\]]*\]")
_GROUPS: Final = re.compile(r"\b(?:by|on|without|ignoring)\s*\([^)]*\)")
_SELECTORS: Final = re.compile(r"\{[^}]*\}")
_CHOSEN: Final = re.compile(r'(secondchair_[a-z_]+)\{((?:"[^"]*"|[^"}])*)\}')
"""A metric of ours and its selector; a route has braces of its own, inside quotes."""
_MATCHERS: Final = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_NAMES: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(?!\s*\(|[a-zA-Z0-9_:])")
_WORDS: Final = frozenset({"and", "or", "unless", "sum", "max", "min", "count"})


def named_in(expression: str) -> frozenset[str]:
    """The names of metrics in the expression, without labels, functions and keywords."""
    for pattern in (_QUOTED, _RANGES, _GROUPS, _SELECTORS):
        expression = pattern.sub(" ", expression)
    return frozenset(_NAMES.findall(expression)) - _WORDS


def selected_wrongly(expression: str) -> list[str]:
    """Each label by which the expression selects our metrics that could never match."""
    return [
        f"{metric}{{{label}={value}}}"
        for metric, inside in _CHOSEN.findall(expression)
        for label, how, values in _MATCHERS.findall(inside)
        for value in (values.split("|") if how.endswith("~") else [values])
        if label not in {"job", "instance"} and not _possible(metric, label, value)
    ]


def ours() -> frozenset[str]:
    """Every name under which a metric of the service is scraped."""
    return frozenset(
        one.name + suffix
        for one in DECLARED
        for suffix in (("_bucket", "_sum", "_count") if one.kind == "histogram" else ("",))
    )


def _possible(metric: str, label: str, value: str) -> bool:
    for one in DECLARED:
        if metric in (one.name, *(one.name + end for end in ("_bucket", "_sum", "_count"))):
            return label in one.labels and one.labels[label].fit(value) == value
    return False

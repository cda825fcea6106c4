"""Draws dashboards as Grafana's JSON from a few lines each; ``python deploy/grafana/write.py``.

The JSON files beside it are made here and committed; a test draws them again and compares, and
checks every metric named in a query against those that the service and the engine really have.
"""

import json
from dataclasses import dataclass
from typing import Final, Literal

_SOURCE: Final = {"type": "prometheus", "uid": "prometheus"}
_WIDTH: Final = 8
_HEIGHT: Final = 7
Unit = Literal["s", "short", "percentunit", "reqps", "bool"]
JsonObject = dict[str, object]


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart: its queries share a unit and an axis."""

    title: str
    unit: Unit
    queries: tuple[tuple[str, str], ...]
    """Pairs of legend and PromQL expression."""
    kind: Literal["timeseries", "stat"] = "timeseries"
    limit: float | None = None
    """Where the objective lies, drawn as a red line."""


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One page of charts, three in a row."""

    uid: str
    title: str
    panels: tuple[Panel, ...]


def draw(dashboard: Dashboard) -> JsonObject:
    """The dashboard as Grafana reads it."""
    return {
        "uid": f"secondchair-{dashboard.uid}",
        "title": f"Second Chair: {dashboard.title}",
        "tags": ["secondchair"],
        "timezone": "browser",
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "links": [_LINKS],
        "templating": {"list": []},
        "annotations": {"list": [_ALERTS]},
        "panels": [_panel(at, panel) for at, panel in enumerate(dashboard.panels)],
    }


def text(dashboard: Dashboard) -> str:
    """The dashboard as it is kept in a file."""
    return json.dumps(draw(dashboard), indent=1, sort_keys=True) + "\n"


def quantile_of(share: float, metric: str, by: str = "", where: str = "") -> str:
    """A quantile of a histogram over the chart's interval."""
    groups = ", ".join(filter(None, (by, "le")))
    inner = f"rate({metric}_bucket{{{where}}}[$__rate_interval])".replace("{}", "")
    return f"histogram_quantile({share}, sum by ({groups}) ({inner}))"


def rate(metric: str, by: str = "", where: str = "") -> str:
    """A counter's speed per second over the chart's interval."""
    inner = f"rate({metric}{{{where}}}[$__rate_interval])".replace("{}", "")
    return f"sum by ({by}) ({inner})" if by else f"sum({inner})"


def _panel(at: int, panel: Panel) -> JsonObject:
    row, column = divmod(at, 3)
    defaults: JsonObject = {"unit": panel.unit, "min": 0}
    if panel.limit is not None:
        defaults["thresholds"] = {
            "mode": "absolute",
            "steps": [{"color": "green", "value": None}, {"color": "red", "value": panel.limit}],
        }
        defaults["custom"] = {"thresholdsStyle": {"mode": "line"}}
    return {
        "id": at + 1,
        "type": panel.kind,
        "title": panel.title,
        "datasource": _SOURCE,
        "gridPos": {"x": column * _WIDTH, "y": row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}}
        if panel.kind == "timeseries"
        else {"reduceOptions": {"calcs": ["lastNotNull"]}},
        "targets": [
            {"refId": chr(ord("A") + n), "legendFormat": legend, "expr": query}
            for n, (legend, query) in enumerate(panel.queries)
        ],
    }


_LINKS: Final[JsonObject] = {
    "type": "dashboards",
    "tags": ["secondchair"],
    "title": "Second Chair",
    "asDropdown": False,
    "keepTime": True,
}
_ALERTS: Final[JsonObject] = {
    "name": "Alerts",
    "datasource": _SOURCE,
    "enable": True,
    "iconColor": "red",
    "expr": 'ALERTS{alertstate="firing",severity="page"}',
    "titleFormat": "{{alertname}}",
}

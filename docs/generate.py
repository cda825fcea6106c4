"""Draws the reference pages and docs/openapi.json from the code: ``python docs/generate.py``.

A test compares the pages with what this makes, so they cannot drift apart.
"""

import ast
import json
import tomllib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path

from planner.machine import TABLE
from service.app import create_app
from service.house import House
from service.problems import STATUS
from service.session import events
from service.settings import Settings
from service.telemetry.metrics import DECLARED

ROOT = Path(__file__).resolve().parents[1]


def settings() -> str:
    """Give the page of all settings."""
    lines = [
        "# Settings", "",
        "Environment variables, read once at start. A secret may come by file instead: append "
        "`_FILE` to its name. With `SECONDCHAIR_ENVIRONMENT=production` the service refuses to "
        "start without its own secrets.", "",
        "| variable | default | what it decides |", "|---|---|---|",
    ]  # fmt: skip
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        about = (field.description or _of_file(name)).replace("\n", " ")
        lines.append(f"| `SECONDCHAIR_{name.upper()}` | {default} | {about} |")
    return "\n".join(lines) + "\n"


def errors() -> str:
    """Give the page of all error codes."""
    lines = [
        "# Error codes", "",
        "Every error is an `application/problem+json` document (RFC 9457). Branch on `code`; it "
        "is stable. No document carries a client's words.", "",
        "| code | status |", "|---|---|",
    ]  # fmt: skip
    lines += [f"| `{code}` | {status} |" for code, status in sorted(STATUS.items())]
    return "\n".join(lines) + "\n"


def metric_page() -> str:
    """Give the page of all metrics."""
    lines = [
        "# Metrics", "",
        "Every number the service tells about itself at `/metrics`. Labels take listed values "
        "only; anything else counts as `other`. No words, no ids.", "",
        "| metric | kind | unit | labels | what it counts |", "|---|---|---|---|---|",
    ]  # fmt: skip
    for one in DECLARED:
        labels = ", ".join(f"`{label}`" for label in one.labels) or "none"
        lines.append(f"| `{one.name}` | {one.kind} | {one.unit} | {labels} | {one.about} |")
    return "\n".join(lines) + "\n"


def event_page() -> str:
    """Give the page of all events."""
    lines = [
        "# Events", "",
        "What a session's log can hold. Type, time, actor and position are in the clear; the "
        "fields below are sealed under the session's own key.", "",
        "| event | when it is written | sealed fields |", "|---|---|---|",
    ]  # fmt: skip
    for member in events.Event.__args__:
        kind = member.model_fields["type"].default
        about = (member.__doc__ or "").split("\n")[0]
        fields = ", ".join(name for name in member.model_fields if name != "type") or "none"
        lines.append(f"| `{kind}` | {about} | {fields} |")
    return "\n".join(lines) + "\n"


def architecture() -> str:
    """Give the picture of the service's layers, drawn from the import contracts."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    found = contracts["tool"]["importlinter"]["contracts"]
    inside = next(one for one in found if one.get("containers") == ["service"])
    lines = [
        "# Architecture", "",
        "Drawn from the import contracts in `pyproject.toml`; an arrow means *may import*. Within "
        "`service` each layer may import the ones below it.", "",
        "```mermaid", "flowchart TD", "  ui -->|HTTP| service",
        "  service --> models", "  service --> safety", "  models --> planner",
        "  subgraph service", "    direction TB",
    ]  # fmt: skip
    layers = [layer.replace("(", "").replace(")", "") for layer in inside["layers"]]
    lines += [f'    l{place}["{layer}"]' for place, layer in enumerate(layers)]
    lines += [f"    l{place} --> l{place + 1}" for place in range(len(layers) - 1)]
    lines += [
        "  end",
        "```",
        "",
        "## What each file promises",
        "",
        "| file | promise |",
        "|---|---|",
    ]
    for folder in ("planner", "safety", "models", "service", "ui"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            promise = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").split("\n")[0]
            lines.append(f"| `{path.relative_to(ROOT)}` | {promise} |")
    return "\n".join(lines) + "\n"


def stages() -> str:
    """Give the planner's table as a flowchart."""
    lines = [
        "# Stages and cursor", "",
        "Drawn from `planner/machine.py`. `opening` is before a stage's first reply, `underway` on "
        "any action but the last, `last` on the last one. Solid arrows are decided replies, dotted "
        "ones are a therapist's own acts.", "",
        "```mermaid", "flowchart LR",
    ]  # fmt: skip
    arrows = {"reply": "-->", "therapist": "-.->"}
    spots = sorted({f"{rule.stage}_{place}" for rule in TABLE for place in rule.places})
    lines += [f'  {spot}["{spot.replace("_", ": ")}"]' for spot in spots]
    lines += [
        f"  {rule.stage}_{here} {arrows[rule.by]}|{rule.change}| {rule.to_stage}_{there}"
        for rule in TABLE
        for here, there in product(rule.places, rule.to_places)
    ]
    return "\n".join([*lines, "```"]) + "\n"


def openapi() -> str:
    """Give the API's own description, for client apps and for whoever reviews a change."""

    @asynccontextmanager
    async def never() -> AsyncGenerator[House]:
        raise AssertionError("a description opens no house")
        yield

    return json.dumps(create_app(never).openapi(), indent=1, ensure_ascii=False) + "\n"


def _of_file(name: str) -> str:
    if not name.endswith("_file"):
        raise LookupError(f"the setting {name} has no docstring")
    return f"File that holds `SECONDCHAIR_{name.removesuffix('_file').upper()}`."


PAGES = {
    "docs/settings.md": settings,
    "docs/errors.md": errors,
    "docs/events.md": event_page,
    "docs/metrics.md": metric_page,
    "docs/architecture.md": architecture,
    "docs/stages.md": stages,
    "docs/openapi.json": openapi,
}

if __name__ == "__main__":
    for page, make in PAGES.items():
        (ROOT / page).write_text(make(), encoding="utf-8")

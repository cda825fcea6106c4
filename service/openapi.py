"""The API's own description: every status a route may answer with, errors as problem documents.

FastAPI knows the good answers; which refusals a route can give follows from what it takes.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_SAYS = {
    400: "The request cannot be read: its body, a needed header or a page token.",
    401: "Nobody knows who is asking.",
    403: "The caller's role may not do this.",
    404: "No such thing, or another team's.",
    409: "Somebody was faster, or the session is not in a state for this.",
    410: "The session was erased.",
    413: "The body is too large.",
    422: "A field or a rule says no; nothing happened.",
    429: "Too many requests; see Retry-After.",
    503: "Something needed is away or slow; see Retry-After.",
}
_READ_AS_A_WHOLE = ("page_token", "Idempotency-Key", "X-Claim")
_NEEDED: Mapping[str, Mapping[str, Any]] = {
    "Idempotency-Key": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
    "X-Claim": {"type": "string", "maxLength": 100},
}
"""Headers that are required. Leaving one out is refused with a code of our own, so FastAPI takes
them for optional."""
_FREE = {"/v1/sessions/{session_id}/claim", "/v1/sessions/{session_id}/assign"}
"""Where `X-Claim` may be left out: a first claim has none, a supervisor needs none."""
_KEYED = "client app"
"""Whose requests need an `Idempotency-Key`; reviewers may send one."""
_ASK_AGAIN = {429, 503}
_LATER = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}
}
_OWN = {"HTTPValidationError", "ValidationError"}
"""FastAPI's schemas for what we answer as problem documents."""
_WAYS = ("get", "put", "post", "delete", "patch")


class DescribedApp(FastAPI):
    """An application whose description holds its refusals too."""

    def openapi(self) -> dict[str, Any]:
        """Give the OpenAPI document; made once."""
        if self.openapi_schema is None:
            made = get_openapi(
                title=self.title, version=self.version, summary=self.summary, routes=self.routes
            )
            for path, ways in made["paths"].items():
                for way in _WAYS:
                    if way in ways:
                        _add_refusals(path, ways[way])
                        _require_headers(path, way, ways[way])
            for name in _OWN:
                made["components"]["schemas"].pop(name, None)
            self.openapi_schema = made
        return self.openapi_schema


def _add_refusals(path: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    for status in _refusals(path, operation):
        answers[str(status)] = {"description": _SAYS[status], "content": _PROBLEM}
        if status in _ASK_AGAIN:
            answers[str(status)]["headers"] = _LATER
    operation["responses"] = dict(sorted(answers.items()))


def _require_headers(path: str, way: str, operation: dict[str, Any]) -> None:
    optional = {"X-Claim"} if path in _FREE and way == "post" else set[str]()
    if _KEYED not in operation["tags"]:
        optional.add("Idempotency-Key")
    for one in operation.get("parameters", ()):
        if one["name"] in _NEEDED:
            needed = one["name"] not in optional
            one.update(required=needed, schema=dict(_NEEDED[one["name"]]))


def _refusals(path: str, operation: dict[str, Any]) -> set[int]:
    takes = {one["name"] for one in operation.get("parameters", ())}
    found: set[int] = {int(one) for one in operation["responses"] if int(one) in _SAYS}
    if path == "/readyz":
        return set()
    if path == "/metrics":
        found.add(401)
    if "security" in operation:
        found |= {401, 403, 429, 503}
    if "requestBody" in operation:
        found |= {400, 413, 422}
    if takes:
        found.add(422)
    if takes & set(_READ_AS_A_WHOLE):
        found.add(400)
    if "Idempotency-Key" in takes:
        found.add(409)
    if "{" in path or "session_id" in takes:
        found |= {404, 409, 410}
    return found

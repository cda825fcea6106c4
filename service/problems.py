"""Every error and what it is over HTTP. The only place where errors become answers. RFC 9457.

Refused            a rule says no          4xx, by its code    (session.refusals)
  GuardRefused     words that may not leave 422, with checks   (wording)
NotAllowed         the plan says no        4xx, by its code    (planner.plan_rules)
ClaimLost, ClaimedByOther                  409                 (stores.port)
NotAToken                                  400                 (stores.paging)
Conflict, ScrubFailed, StoreUnavailable,
EngineUnavailable, IssuerUnavailable       503, try again      (the world)
anything else      a bug                   500, no detail
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, get_args

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.middleware.errors import ServerErrorMiddleware

from models.completion import EngineUnavailable
from planner.plan_rules import NotAllowed
from service.ports import IssuerUnavailable
from service.schemas.client import SrsItem
from service.schemas.problem import CheckResult, FieldError, Problem
from service.schemas.wire import Wire
from service.scrubbing import ScrubFailed
from service.session.refusals import Refused
from service.stores.paging import NotAToken
from service.stores.port import ClaimedByOther, ClaimLost, Conflict, StoreUnavailable
from service.telemetry.log import LogEvent, log_line, note, where
from service.telemetry.metrics import Http
from service.wording import GuardRefused

STATUS: Mapping[str, int] = {
    "action_not_allowed": 422,
    "already_decided": 409,
    "already_released": 409,
    "already_undone": 409,
    "basis_is_stale": 409,
    "body_too_large": 413,
    "claim_lost": 409,
    "claim_required": 400,
    "claimed_by_other": 409,
    "decision_is_final": 409,
    "draft_is_stale": 409,
    "forbidden": 403,
    "guard_refused": 422,
    "idempotency_key_invalid": 400,
    "idempotency_key_required": 400,
    "idempotency_key_reused": 409,
    "in_crisis": 409,
    "invalid_request": 422,
    "malformed_body": 400,
    "method_not_allowed": 405,
    "move_not_allowed": 422,
    "no_rollout": 409,
    "no_such_action": 422,
    "no_such_adapter": 422,
    "no_such_candidate": 422,
    "not_found": 404,
    "note_required": 422,
    "nothing_to_change": 409,
    "page_token_invalid": 400,
    "plan_breaks_rules": 422,
    "plan_required": 422,
    "rate_limited": 429,
    "reason_required": 422,
    "reasons_required": 422,
    "reply_is_held": 409,
    "rollout_running": 409,
    "scrub_failed": 503,
    "session_closed": 409,
    "session_erased": 410,
    "text_required": 422,
    "timeout": 503,
    "too_early": 409,
    "unauthenticated": 401,
    "unavailable": 503,
    "internal": 500,
}
"""Each stable code and its status; docs/errors.md lists the same, and a test compares."""

_ASK_AGAIN = {429, 503}
_OF_STATUS = {400: "malformed_body", 401: "unauthenticated", 403: "forbidden", 404: "not_found",
              405: "method_not_allowed", 413: "body_too_large"}  # fmt: skip
_NAME = re.compile(r"[a-z_]{1,40}")
_ALWAYS_OURS = 2
"""Which part of a request, and its field; names that callers make up stand deeper, or too many."""


def problem(code: str, detail: str, **more: Any) -> Problem:
    """Give the problem document of a code."""
    title = code.replace("_", " ").capitalize()
    status = STATUS[code]
    return Problem(
        type=f"urn:secondchair:problem:{code}", title=title, status=status, detail=detail,
        code=code, **more,
    )  # fmt: skip


def answer(found: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Give the HTTP answer of a problem document, and count it."""
    Http.refused.add(code=found.code)
    note(code=found.code)
    later = {"Retry-After": "1"} if found.status in _ASK_AGAIN else {}
    return JSONResponse(
        found.model_dump(mode="json", exclude_none=True),
        status_code=found.status,
        headers={**later, **(headers or {})},
        media_type="application/problem+json",
    )


def install(app: FastAPI) -> None:
    """Make the app answer every error as a problem document; middleware comes after."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(NotAllowed, _not_allowed)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for kind in (ClaimLost, ClaimedByOther, NotAToken, ScrubFailed, Conflict):
        app.add_exception_handler(kind, _raised)
    for kind in (StoreUnavailable, EngineUnavailable, IssuerUnavailable):
        app.add_exception_handler(kind, _raised)
    # A handler of every Exception would answer outside all middleware: without its headers, and
    # without a word in the request's line.
    app.add_middleware(ServerErrorMiddleware, handler=_bug)


def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)  # noqa: S101
    checks = error.checks if isinstance(error, GuardRefused) else ()
    shown = tuple(CheckResult(**check.model_dump()) for check in checks)
    headers = {"WWW-Authenticate": "Bearer"} if error.code == "unauthenticated" else {}
    return answer(problem(error.code, error.detail, checks=shown, seq=error.seq), headers)


def _not_allowed(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, NotAllowed)  # noqa: S101
    return answer(problem(error.code, error.detail))


def _invalid(_: Request, error: Exception) -> JSONResponse:
    """Say where and why, never what: the input may be a client's words."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    faults = tuple(FieldError(where=_path(one), reason=_reason(one)) for one in error.errors()[:20])
    if any(one["type"] == "json_invalid" for one in error.errors()):
        return answer(problem("malformed_body", "The body is not JSON."))
    return answer(problem("invalid_request", "Some fields are not as they must be.", errors=faults))


def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101
    code = _OF_STATUS.get(error.status_code, "invalid_request")
    return answer(problem(code, "The request cannot be served as it stands."), error.headers)


def _raised(_: Request, error: Exception) -> JSONResponse:
    if isinstance(error, ClaimLost):
        return answer(problem("claim_lost", "Somebody else has taken over this session."))
    if isinstance(error, ClaimedByOther):
        return answer(problem("claimed_by_other", "Somebody else is reviewing this session."))
    if isinstance(error, NotAToken):
        return answer(problem("page_token_invalid", "The page token is not one of ours."))
    if isinstance(error, ScrubFailed):
        return answer(problem("scrub_failed", "The words could not be scrubbed; try again."))
    if isinstance(error, StoreUnavailable):
        log_line(LogEvent.STORE_UNAVAILABLE, "error")
    return answer(problem("unavailable", "Please try again in a moment."))


def _bug(_: Request, error: Exception) -> JSONResponse:
    """Nobody expected it: the caller gets no detail, the log gets the place."""
    log_line(LogEvent.BUG, "error", error=type(error).__name__, where=where(error))
    return answer(problem("internal", "Something went wrong on our side; it was recorded."))


def _path(fault: Mapping[str, Any]) -> str:
    """The path to a field; names that callers made up are not repeated: they may be words."""
    loc: tuple[int | str, ...] = fault["loc"]
    shown = [_plain(part, place < _ALWAYS_OURS) for place, part in enumerate(loc)]
    if fault["type"] == "extra_forbidden":
        shown[-1] = "?"
    return ".".join(shown)


def _plain(part: int | str, ours: bool) -> str:
    if isinstance(part, int):
        return str(part)
    return part if _NAME.fullmatch(part) and (ours or part in _declared()) else "?"


@cache
def _declared() -> frozenset[str]:
    """Every name of a field, and the keys of the one dictionary whose keys are ours."""
    fields = (name for one in _wires(Wire) for name in one.model_fields)
    return frozenset((*get_args(SrsItem), *fields))


def _wires(base: type[Wire]) -> Iterator[type[Wire]]:
    yield base
    for one in base.__subclasses__():
        yield from _wires(one)


def _reason(fault: Mapping[str, Any]) -> str:
    """Pydantic's message where it quotes only our own limits; otherwise just its kind."""
    quoting = {"value_error", "enum", "literal_error", "extra_forbidden", "json_invalid"}
    kind = str(fault["type"])
    return kind if kind in quoting else str(fault["msg"])[:200]

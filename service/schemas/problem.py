"""What every error looks like on the wire. RFC 9457; never a stack, never a client's words."""

from pydantic import Field

from service.schemas.wire import Wire


class FieldError(Wire):
    """One field that was not as it must be."""

    where: str
    """Path into the request, for instance ``body.text``."""
    reason: str


class CheckResult(Wire):
    """One safety check of a text, with its reason."""

    check: str
    verdict: str = Field(pattern="^(pass|warn|fail)$")
    detail: str


class Problem(Wire):
    """An ``application/problem+json`` body."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    """Stable snake_case name; clients branch on this."""
    errors: tuple[FieldError, ...] = ()
    checks: tuple[CheckResult, ...] = ()
    """Only with ``guard_refused``: the checks that failed or must be confirmed."""
    seq: int | None = None
    """Only with conflicts: the session's log position now."""

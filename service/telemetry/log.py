"""The canonical log line: one JSON object per thing that happened, from an allow-list of keys.

Keys outside `LogFields` are refused. Values that do not look like one of our own ids, codes or
numbers are withheld, so that no sentence of a client can pass, whoever calls.
Log lines of libraries keep their place and their exception's type but lose their message:
validation errors quote their input, and that input may be a client's.
"""

import logging
import re
import sys
import traceback
from collections.abc import Generator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from types import TracebackType
from typing import Final, Literal, TypedDict, Unpack, cast

import structlog
from structlog.typing import WrappedLogger

from service.telemetry.traces import trace_id

WITHHELD: Final = "withheld"
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:/{}\-]{0,120}")
LogLevel = Literal["debug", "info", "warning", "error"]


class LogEvent(StrEnum):
    """What a line can be about."""

    SERVICE_STARTED = "service_started"
    REQUEST_SERVED = "request_served"
    SCREEN_FAILED = "screen_failed"
    SCRUB_FAILED = "scrub_failed"
    TURN_FAILED = "turn_failed"
    DUTY_DONE = "duty_done"
    ALERT_RAISED = "alert_raised"
    ALERT_ACKNOWLEDGED = "alert_acknowledged"
    PAGE_SENT = "page_sent"
    PAGE_FAILED = "page_failed"
    WORDS_READ = "words_read"
    KEY_REFUSED = "key_refused"
    KEY_ISSUED = "key_issued"
    KEY_REVOKED = "key_revoked"
    SESSION_ERASED = "session_erased"
    ADAPTER_CHANGED = "adapter_changed"
    ROLLOUT_MOVED = "rollout_moved"
    STORE_UNAVAILABLE = "store_unavailable"
    REWRITE_FAILED = "rewrite_failed"
    METRICS_EXPOSED = "metrics_exposed"
    BUG = "bug"
    LIBRARY = "library"


class LogFields(TypedDict, total=False):
    """The only keys a line may carry."""

    actor: str
    adapter: str
    alert_id: str
    attempt: int
    category: str
    code: str
    duty: str
    environment: str
    error: str
    kind: str
    latency_ms: float
    level: str
    method: str
    outcome: str
    port: int
    process: str
    reason: str
    role: str
    rollout_id: str
    route: str
    session_id: str
    source: str
    state: str
    status: int
    wait_s: float
    where: str


_noted: ContextVar[LogFields | None] = ContextVar("noted", default=None)
"""Tasks begun within share the one dict, so what they note is not lost."""


def configure(level: LogLevel = "info") -> None:
    """Sends our lines and every library's to standard output as JSON, one object a line."""
    structlog.configure(
        processors=[
            _add_severity,
            _add_trace,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Libraries()]
    root.setLevel(logging.WARNING)


def end_without_words() -> None:
    """From now on an error that ends the process leaves lines of ours, and not what it says.

    For processes that stay, once they have begun: until then nobody's words are at hand, and what
    is wrong with a setting must be read.
    """
    sys.excepthook = _ended


def log_line(event: LogEvent, severity: LogLevel = "info", /, **fields: Unpack[LogFields]) -> None:
    """Writes one line about ``event``.

    Raises: KeyError for a key outside `LogFields`; nothing is written then.
    """
    unknown = fields.keys() - LogFields.__optional_keys__
    if unknown:
        raise KeyError(*sorted(unknown))
    plain = {key: _plain(value) for key, value in fields.items()}
    getattr(structlog.get_logger(), severity)(event.value, **plain)


@contextmanager
def noting() -> Generator[LogFields]:
    """Gathers what is noted while the block runs, for one canonical line at its end."""
    noted: LogFields = {}
    before = _noted.set(noted)
    try:
        yield noted
    finally:
        _noted.reset(before)


def note(**fields: Unpack[LogFields]) -> None:
    """Adds to the canonical line of what is under way, if anything is."""
    noted = _noted.get()
    if noted is not None:
        noted.update(fields)


@contextmanager
def outliving(*known: type[Exception], session_id: str = "none") -> Generator[None]:
    """Says where a bug in the block began and goes on after it; ``known`` errors pass through.

    For loops that look again later, and for lists: one thing nobody can read must not end or hide
    all others.
    """
    try:
        yield
    except known:
        raise
    except Exception as bug:  # noqa: BLE001  (a loop outlives its bad rounds: gauges, rollouts)
        log_line(
            LogEvent.BUG, "error", error=type(bug).__name__, where=where(bug), session_id=session_id
        )  # fmt: skip


def where(error: BaseException) -> str:
    """The file and line where an error began, as ``turn.py:40``: all that may be told of it."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else "unknown"


def _plain(value: object) -> str | float | None:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if _PLAIN.fullmatch(text) else WITHHELD


def _add_severity(
    logger: WrappedLogger, method: str, line: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    line["severity"] = method
    return line


def _add_trace(
    logger: WrappedLogger, method: str, line: MutableMapping[str, object]
) -> MutableMapping[str, object]:
    trace = trace_id()
    return {**line, "trace_id": trace} if trace else line


def _ended(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
    if isinstance(error, BaseExceptionGroup):
        for one in cast("BaseExceptionGroup[BaseException]", error).exceptions:
            _ended(type(one), one, at)
    else:
        log_line(LogEvent.BUG, "error", error=kind.__name__, where=where(error))


class _Libraries(logging.Handler):
    """Turns a library's record into our line: where and what type, never what it says."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        severity: LogLevel = "error" if record.levelno >= logging.ERROR else "warning"
        log_line(
            LogEvent.LIBRARY,
            severity if record.levelno >= logging.WARNING else "info",
            source=record.name,
            where=where(error) if error else f"{record.filename}:{record.lineno}",
            error=type(error).__name__ if error else "none",
        )

"""A port of its own for the numbers of a process that serves no requests."""

import hmac
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from wsgiref.simple_server import WSGIRequestHandler, make_server

from service.telemetry import series
from service.telemetry.log import LogEvent, log_line

_STUCK_S = 60.0
"""After so long without a round a process is stuck; ending well takes less."""
_Start = Callable[[str, list[tuple[str, str]]], object]


@contextmanager
def exposed(
    host: str, port: int, token: str | None, still_s: Callable[[], float]
) -> Generator[int]:
    """Answer ``/metrics`` and ``/healthz`` while the block runs; gives the port.

    ``token`` is the bearer that who asks for numbers must show; None leaves protection to the
    network. ``still_s`` says how long ago the process last went round: a minute is 503, for a
    thread of its own would answer for a process that does nothing any more.
    A port that is taken, by a second worker on this machine for instance, is replaced by a free
    one and the log says which: numbers must not keep work from being done.
    """

    def answer(environ: dict[str, str], start: _Start) -> Iterable[bytes]:
        sent = environ.get("HTTP_AUTHORIZATION", "")
        if environ.get("PATH_INFO") == "/healthz":
            start("200 OK" if still_s() < _STUCK_S else "503 Service Unavailable", [])
            return [b""]
        if environ.get("PATH_INFO") != "/metrics":
            start("404 Not Found", [])
            return [b""]
        if token and not hmac.compare_digest(sent.encode(), f"Bearer {token}".encode()):
            start("401 Unauthorized", [("WWW-Authenticate", "Bearer")])
            return [b""]
        body, kind = series.render()
        start("200 OK", [("Content-Type", kind)])
        return [body]

    try:
        made = make_server(host, port, answer, handler_class=_Silent)
    except OSError:
        made = make_server(host, 0, answer, handler_class=_Silent)
    with made as server:
        log_line(LogEvent.METRICS_EXPOSED, port=server.server_port)
        thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class _Silent(WSGIRequestHandler):
    """Keeps scrapes out of the log, and slow callers from holding the port."""

    timeout = 5

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the name is the library's)
        """Write nothing."""

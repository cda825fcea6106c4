"""The HTTP application: routers, limits, problem documents. No logic."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import (
    adapter_desk,
    admin,
    crisis_desk,
    export,
    harness,
    health,
    insights,
    messages,
    plan_desk,
    problems,
    review,
    sessions,
    streams,
    workspace,
)
from service.house import House
from service.limits import Limits
from service.openapi import DescribedApp
from service.telemetry import traces
from service.telemetry.log import LogEvent, LogFields, log_line, noting
from service.telemetry.metrics import Http

ROUTERS: tuple[APIRouter, ...] = (
    messages.router,
    sessions.router,
    review.router,
    plan_desk.router,
    crisis_desk.router,
    workspace.router,
    streams.router,
    admin.router,
    adapter_desk.router,
    export.router,
    insights.router,
    harness.router,
    health.router,
)
OpenHouse = Callable[[], AbstractAsyncContextManager[House]]


def create_app(open_house: OpenHouse, patience_s: float = 30.0) -> FastAPI:
    """Give the application; the house is opened with it and closed after it.

    ``patience_s`` is the longest that a request may take to begin its answer.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with open_house() as house:
            app.state.house = house
            yield

    app = DescribedApp(
        title="Second Chair",
        version="1",
        summary="A model drafts, a therapist decides, only then do words leave.",
        lifespan=lifespan,
        # Their pages fetch scripts from elsewhere, which our own headers forbid.
        docs_url=None,
        redoc_url=None,
        # Behind a proxy it would lead to plain http, and nobody had been asked who they are.
        redirect_slashes=False,
    )
    for router in ROUTERS:
        app.include_router(router)
    problems.install(app)
    app.add_middleware(Limits, seconds=patience_s)
    app.add_middleware(Counted)
    return app


class Counted:
    """ASGI middleware: counts, traces and logs requests by route template, never by path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and count it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500

        async def noticed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with traces.span("http", {}) as span, noting() as noted:
            try:
                await self._app(scope, receive, noticed)
            finally:
                route = getattr(scope.get("route"), "path", "unknown")
                labels = {"route": route, "method": scope["method"], "status": f"{status // 100}xx"}
                seconds = time.perf_counter() - started
                Http.seconds.observe(seconds, route=route)
                Http.requests.add(**labels)
                span.set_attributes(Http.requests.declared.held(labels))
                _tell(noted, route, scope["method"], status, seconds)


def _tell(noted: LogFields, route: str, method: str, status: int, seconds: float) -> None:
    """Write the request's canonical line; a successful read only at debug level."""
    reads = method == "GET" and status < HTTPStatus.BAD_REQUEST
    noted.update(
        route=route, method=method, status=status, latency_ms=round(seconds * 1_000, 1)
    )  # fmt: skip
    log_line(LogEvent.REQUEST_SERVED, "debug" if reads else "info", **noted)

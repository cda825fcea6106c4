"""Is it up, is it ready, how is it doing: no words, no ids."""

import asyncio
import hmac
from typing import Protocol, runtime_checkable

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from service.house import InHouse
from service.schemas.admin import Health
from service.scrubbing import SoonScrubber
from service.session.refusals import Refused
from service.stores.port import StoreUnavailable
from service.telemetry import series
from service.telemetry.metrics import Engine

router = APIRouter(tags=["health"])
_PATIENCE_S = 12.0


@runtime_checkable
class Probed(Protocol):
    """Something that can say whether it works."""

    async def healthy(self) -> bool:
        """Do a little real work and say whether that went well."""
        ...


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}


@router.get("/readyz", response_model=Health, responses={503: {"model": Health}})
async def ready(house: InHouse) -> JSONResponse:
    """Give each dependency's verdict; without store or scrub nothing does, without engine most."""
    checks = {"store": "ok", "engine": "ok", "scrub": "ok", "drafting": "on"}
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await house.ports.store.ping()
    except (StoreUnavailable, TimeoutError):
        checks["store"] = "down"
    engine = house.ports.engine
    now_ms = house.ports.clock.now_ms
    if isinstance(engine, Probed) and not await house.engine_tried.of(engine.healthy, now_ms):
        checks["engine"] = "down"
    if isinstance(house.ports.scrubber, SoonScrubber) and house.ports.scrubber.failed:
        checks["scrub"] = "down"
    Engine.up.put(1 if checks["engine"] == "ok" else 0)
    if not house.ledger.policy.drafting:
        checks["drafting"] = "paused"
    status = "down" if "down" in {checks["store"], checks["scrub"]} else (
        "degraded" if checks["engine"] == "down" else "ok"
    )  # fmt: skip
    found = Health(status=status, checks=checks)
    return JSONResponse(found.model_dump(), status_code=503 if status == "down" else 200)


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request, house: InHouse) -> Response:
    """Give Prometheus what it scrapes; by bearer where one is configured."""
    if house.metrics_token is not None:
        sent = request.headers.get("Authorization", "")
        if not hmac.compare_digest(sent.encode(), f"Bearer {house.metrics_token}".encode()):
            raise Refused("unauthenticated", "A valid bearer token is needed.")
    # The files of many processes take a while to read; other requests go on meanwhile.
    body, kind = await asyncio.to_thread(series.render)
    return Response(body, media_type=kind)

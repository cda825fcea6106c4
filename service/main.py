"""The composition root: settings in, a house out. The only file that knows every part."""

import asyncio
import base64
import json
import os
import sys
import traceback
from collections.abc import AsyncGenerator
from contextlib import (
    AbstractContextManager,
    AsyncExitStack,
    asynccontextmanager,
    nullcontext,
)
from functools import partial
from pathlib import Path

import httpx
from fastapi import FastAPI

from models.adapters import Fit, shelved
from models.vllm_engine import VllmEngine, WatchedEngine, open_client
from safety.guard import check
from safety.screen import load_screen
from safety.scrub import load_scrubber
from service.aliases import StoredAliases
from service.app import create_app
from service.auth import Authenticator
from service.gauges import Gauges
from service.house import House
from service.ids import RandomIds, SystemClock
from service.ledger import Ledger
from service.limits import Allowance
from service.oidc import Issuer, OidcVerifier
from service.pager import EveryPager, LogPager, SmtpPager, WebhookPager
from service.ports import Clock, Drafting, Pager, Ports
from service.rolling import Rolling, Shelf
from service.scrubbing import SoonScrubber
from service.sealing import MasterKeys, new_key
from service.session.duties import Policy
from service.settings import Settings
from service.start import load_for_good, told_to_stop
from service.stores.copying import Copyable
from service.stores.memory import MemoryStore
from service.stores.metered import MeteredStore
from service.stores.redis import RedisStore
from service.stores.sqlite import SqliteStore
from service.telemetry import traces
from service.telemetry.exposed import exposed
from service.telemetry.log import LogEvent, configure, end_without_words, log_line
from service.telemetry.metrics import Duties
from service.worker import Worker

_DEVELOPMENT_KEY = Path("var/master.key")
_UNKNOWN = "unknown"
"""The hash of a base that nobody named: no adapter was trained on it."""
_SWITCH_S = 0.0005
"""Screen and scrub work in threads beside the event loop; at Python's own 5 ms each of the loop's
socket calls may have to wait that long to go on."""


@asynccontextmanager
async def open_house(settings: Settings) -> AsyncGenerator[House]:
    """Open every part, and close it again in reverse order."""
    sys.setswitchinterval(_SWITCH_S)
    async with AsyncExitStack() as closing:
        closing.enter_context(_traced(settings))
        store = MeteredStore(open_store(settings.store))
        closing.push_async_callback(store.close)
        engine_client = open_client(settings.engine_url, settings.secret("engine_key") or "")
        await closing.enter_async_context(engine_client)
        client = await closing.enter_async_context(outside(settings))
        keys = master_keys(settings)
        engine = VllmEngine(engine_client, settings.engine_model)
        aliases = StoredAliases(store, settings.engine_model)
        clock, ids = SystemClock(), RandomIds()
        rolling = Rolling(store, (engine,), aliases, clock, ids, shelf(settings))
        ports = Ports(
            store=store,
            engine=WatchedEngine(engine, rolling.answered),
            aliases=aliases,
            screen=load_for_good(load_screen),
            scrubber=SoonScrubber(partial(load_for_good, load_scrubber)),
            guard=check,
            pager=pager(settings, client),
            clock=clock,
            ids=ids,
            drafting=drafting(settings),
            safety_timeout_s=settings.safety_timeout_s,
        )
        yield House(
            ledger=Ledger(store, keys, ports.clock, policy(settings)),
            ports=ports,
            keys=keys,
            auth=Authenticator(store, ports.clock, keys, issuer(settings, client, ports.clock)),
            rolling=rolling,
            allowance=Allowance(settings.rate_per_s, settings.rate_per_s * 2),
            metrics_token=settings.secret("metrics_token"),
            harness=settings.harness,
            claim_ms=settings.claim_s * 1_000,
        )


def _traced(settings: Settings) -> AbstractContextManager[None]:
    if not settings.traces_url:
        return nullcontext()
    return traces.collect(traces.otlp(settings.traces_url), settings.traces_share)


def api() -> FastAPI:
    """Give the API application; uvicorn calls this in each of its processes."""
    settings = Settings()
    configure(settings.log_level)
    log_line(LogEvent.SERVICE_STARTED, process="api", environment=settings.environment)
    return create_app(lambda: _staying(settings))


@asynccontextmanager
async def _staying(settings: Settings) -> AsyncGenerator[House]:
    """The house of a process that stays; what keeps it from opening is said in full, here alone.

    The server would hand it to the log, which drops the words.
    """
    opened = False
    try:
        async with open_house(settings) as house:
            opened = True
            end_without_words()
            yield house
    finally:
        if not opened:
            traceback.print_exc()


async def work() -> None:
    """Run the worker until the process is told to stop, and what is under way has ended."""
    settings = Settings()
    configure(settings.log_level)
    log_line(LogEvent.SERVICE_STARTED, process="worker", environment=settings.environment)
    if shelf(settings).fit.base_sha256 == _UNKNOWN and shelved(settings.adapters_folder):
        log_line(LogEvent.ADAPTER_CHANGED, "warning", outcome="refused", reason="base_unknown")
    numbers = exposed(
        settings.metrics_host, settings.metrics_port, settings.secret("metrics_token"),
        Duties.rounds.still_s,
    )  # fmt: skip
    with told_to_stop() as stopping, numbers:
        async with open_house(settings) as house, asyncio.TaskGroup() as tasks:
            end_without_words()
            beside = [tasks.create_task(Gauges(house.ledger, house.ports).run())]
            if house.rolling is not None:
                beside.append(tasks.create_task(house.rolling.run()))
            await Worker(house.ledger, house.ports, settings.turns, stopping).run()
            for one in beside:
                one.cancel()


def open_store(address: str) -> Copyable:
    """Open the store an address names. Raises: StoreUnavailable."""
    kind, _, rest = address.partition("://")
    if kind == "memory":
        return MemoryStore()
    if kind in {"redis", "rediss", "sentinel"}:
        return RedisStore(address)
    # Like everywhere with SQLite addresses: three slashes are relative, four absolute.
    return SqliteStore(Path(rest.removeprefix("/")))


def outside(settings: Settings) -> httpx.AsyncClient:
    """Give the client for what lies outside: the webhook of pages and the issuer's keys."""
    trusted = httpx.create_ssl_context(trust_env=False)
    if settings.authorities_file:
        trusted.load_verify_locations(settings.authorities_file)
    proxy = settings.secret("proxy")
    ways = {"https://": httpx.AsyncHTTPTransport(verify=trusted, proxy=proxy)} if proxy else {}
    return httpx.AsyncClient(trust_env=False, verify=trusted, mounts=ways)


def issuer(settings: Settings, client: httpx.AsyncClient, clock: Clock) -> OidcVerifier | None:
    """Give the verifier of the organisation's own tokens, where one is configured."""
    if not (settings.oidc_issuer and settings.oidc_audience and settings.oidc_jwks_url):
        return None
    known = Issuer(
        settings.oidc_issuer, settings.oidc_audience, settings.oidc_jwks_url,
        settings.oidc_name_claim,
    )  # fmt: skip
    return OidcVerifier(client, known, clock)


def shelf(settings: Settings) -> Shelf:
    """Give where adapters come from and what the engine's base takes."""
    record = settings.base_folder / settings.engine_model / "base.json"
    digest = settings.engine_base_sha256
    if not digest and record.is_file():
        digest = str(json.loads(record.read_text(encoding="utf-8"))["weights_sha256"])
    return Shelf(
        settings.adapters_folder, Fit(digest or _UNKNOWN), settings.engine_model,
        round(settings.engine_timeout_s * 1_000), settings.adapters_auto,
    )  # fmt: skip


def drafting(settings: Settings) -> Drafting:
    """Give how the engine is asked."""
    judge = settings.engine_model if settings.engine_judges else ""
    return Drafting(settings.candidates, settings.temperature, settings.engine_timeout_s, judge)


def policy(settings: Settings) -> Policy:
    """Give the organisation's choices that the log's duties depend on."""
    notices = {"en": settings.crisis_notice_en, "zh": settings.crisis_notice_zh}
    return Policy(
        hold_ms=settings.hold_ms,
        drafting=settings.drafting,
        crisis_notice={language: text for language, text in notices.items() if text},
    )


def pager(settings: Settings, client: httpx.AsyncClient) -> Pager:
    """Give every configured way to reach a person; in development the log alone is enough."""
    ways: list[LogPager | WebhookPager | SmtpPager] = []
    if settings.pager_webhook_url:
        secret = settings.secret("pager_secret") or ""
        ways.append(WebhookPager(client, settings.pager_webhook_url, secret))
    if settings.pager_smtp:
        password = settings.secret("pager_smtp_password") or ""
        ways.append(SmtpPager(settings.pager_smtp, password, settings.authorities_file))
    return EveryPager(*ways) if ways else LogPager(settings.environment == "development")


def master_keys(settings: Settings) -> MasterKeys:
    """Give the master keys; development keeps one in a file of its own. Raises: ValueError."""
    given = settings.secret("master_key")
    if given is None:
        given = _development_key()
    return MasterKeys(tuple(base64.b64decode(one) for one in given.split(",")))


def _development_key() -> str:
    if not _DEVELOPMENT_KEY.exists():
        _DEVELOPMENT_KEY.parent.mkdir(parents=True, exist_ok=True)
        fresh = base64.b64encode(new_key()).decode()
        # Written beside and linked: two processes starting together must agree on one key.
        draft = _DEVELOPMENT_KEY.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(fresh, encoding="utf-8")
        try:
            os.link(draft, _DEVELOPMENT_KEY)
            sys.stderr.write(f"made a development master key: {_DEVELOPMENT_KEY}\n")
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return _DEVELOPMENT_KEY.read_text(encoding="utf-8").strip()

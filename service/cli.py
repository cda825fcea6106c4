"""The ``secondchair`` command: one word per process, and a few for people who look after it."""

import asyncio
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import httpx
import uvicorn

from models.completion import Ask
from models.vllm_engine import VllmEngine, open_client
from safety.evaluate_screen import Case
from safety.evaluate_screen import run as screen_lines
from safety.evaluate_scrub import run as scrub_lines
from safety.risk import RiskReport
from service.cli_keys import DEMO_KEYS, credentials, keys
from service.cli_store import checkpoint, erase, store, telling, verify
from service.demo import PromiseBroken, TooSlow
from service.demo import run as play_demo
from service.drafting import opinion
from service.main import work
from service.settings import Settings

_DRAIN_S = 30
"""How long requests may go on once told to stop: the longest there is. Streams end at once."""


@click.group()
@click.version_option(package_name="secondchair")
def cli() -> None:
    """A model drafts, a therapist decides, only then do words leave."""


def _refuse_taken(host: str, port: int) -> None:
    """Say it before the start: what the server logs of a taken port names no port."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise click.ClickException(f"{host}:{port}: {error.strerror}") from None


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8400, show_default=True)
@click.option("--workers", default=1, show_default=True, help="API processes on this port.")
def api(host: str, port: int, workers: int) -> None:
    """Serve the REST API."""
    _refuse_taken(host, port)
    uvicorn.run(
        "service.__main__:api", factory=True, host=host, port=port, workers=workers,
        # No handlers of its own: they would print each error whole, past the canonical log.
        log_config=None,
        log_level="warning", access_log=False, server_header=False, timeout_keep_alive=30,
        timeout_graceful_shutdown=_DRAIN_S, h11_max_incomplete_event_size=32_768,
    )  # fmt: skip


@cli.command()
def worker() -> None:
    """Do what the session logs say is owed: drafts, releases, pages."""
    try:
        asyncio.run(work())
    except KeyboardInterrupt:
        sys.exit(0)


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8401, show_default=True)
def console(host: str, port: int) -> None:
    """Serve the therapist's console; SECONDCHAIR_API_URL says where the API is."""
    page = Path(__file__).resolve().parent.parent / "ui" / "app.py"
    flags = [
        "--server.port", str(port), "--server.address", host, "--server.headless", "true",
        "--browser.gatherUsageStats", "false", "--server.fileWatcherType", "none",
    ]  # fmt: skip
    # The console speaks HTTP only; it replaces this process and shares nothing with it.
    os.execv(  # noqa: S606  (our own interpreter, our own file)
        sys.executable, [sys.executable, "-m", "streamlit", "run", str(page), *flags]
    )


@cli.command()
@click.option("--url", envvar="SECONDCHAIR_API_URL", default="http://127.0.0.1:8400")
@click.option(
    "--session", "number", type=click.IntRange(min=0), default=0, show_default=True,
    help="Which recorded one.",
)  # fmt: skip
def demo(url: str, number: int) -> None:
    """Play a recorded session against the running service, and check its promises."""
    made = credentials(DEMO_KEYS)
    if not made:
        raise click.ClickException(f"there are no demo keys in {DEMO_KEYS}: `make run` makes them")
    try:
        play_demo(url, made, Path("models/corpus/sessions.jsonl"), [number])
    except PromiseBroken as broken:
        raise click.ClickException(f"promise broken: {broken}") from broken
    except (TooSlow, httpx.HTTPError) as error:
        raise click.ClickException(f"the demo could not go on: {error}") from error
    except IndexError:
        raise click.ClickException("there are not that many recorded sessions") from None


@cli.command()
@click.option("--evaluate", is_flag=True, help="Compare with the labels in the input.")
@click.option("--engine", is_flag=True, help="Ask the engine's base too, as it is configured.")
def screen(evaluate: bool, engine: bool) -> None:
    """Judge messages: JSON lines on standard input, JSON lines on standard output."""
    with telling():
        screen_lines(sys.stdin, sys.stdout, evaluate, _engine_opinions if engine else None)


def _engine_opinions(cases: Sequence[Case]) -> Sequence[RiskReport | None]:
    """What the engine thinks of cases as they stand: they are to be scrubbed already."""
    settings = Settings()
    ask = Ask(settings.engine_model, "screen", temperature=0.0, timeout_s=settings.engine_timeout_s)

    async def all_of_them() -> Sequence[RiskReport | None]:
        turn = asyncio.Semaphore(settings.turns)
        key = settings.secret("engine_key") or ""
        async with open_client(settings.engine_url, key) as client:
            engine = VllmEngine(client, settings.engine_model)

            async def one(case: Case) -> RiskReport | None:
                async with turn:
                    return await opinion(case.text, case.history, case.language, engine, ask)

            return await asyncio.gather(*(one(case) for case in cases))

    return asyncio.run(all_of_them())


@cli.command()
@click.option("--evaluate", is_flag=True, help="Compare with the marks in the input.")
def scrub(evaluate: bool) -> None:
    """Scrub messages: JSON lines on standard input, JSON lines on standard output."""
    with telling():
        scrub_lines(sys.stdin, sys.stdout, evaluate)


for _command in (keys, verify, checkpoint, store, erase):
    cli.add_command(_command)

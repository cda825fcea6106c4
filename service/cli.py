"""The ``secondchair`` command: one word per process, and a few for people who look after it."""

import asyncio
import json
import os
import socket
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Unpack

import click
import httpx
import uvicorn
from pydantic import TypeAdapter, ValidationError

from models.completion import Ask
from models.vllm_engine import VllmEngine, open_client
from safety.evaluate_screen import Case
from safety.evaluate_screen import run as screen_lines
from safety.evaluate_scrub import run as scrub_lines
from safety.risk import RiskReport
from service.auth import Caller, Listed, Role, genuine, issue, listed, revoke
from service.cli_store import checkpoint, erase, rotate_master, store, verify
from service.demo import PromiseBroken, TooSlow
from service.demo import run as play_demo
from service.drafting import opinion
from service.ids import moment
from service.main import open_house, work
from service.schemas.wire import Label
from service.settings import Settings
from service.telemetry.log import LogEvent, LogFields, configure, log_line

_YIELDING = 10
_DRAIN_S = 30
"""How long requests may go on once told to stop: the longest there is. Streams end at once."""
_DAY_MS = 86_400_000
_LABEL: TypeAdapter[str] = TypeAdapter(Label)
_DEMO_TEAM = "demo"
_DEMO: tuple[tuple[str, Role], ...] = (
    ("demo-app", "client_app"),
    ("demo-therapist", "therapist"),
    ("demo-colleague", "therapist"),
    ("demo-supervisor", "supervisor"),
    ("demo-ops", "ops"),
)


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
    # Where they share cores, taking messages comes before drafting.
    os.nice(_YIELDING)
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
@click.option("--session", "number", default=0, show_default=True, help="Which recorded one.")
def demo(url: str, number: int) -> None:
    """Play a recorded session against the running service, and check its promises."""
    made = json.loads(Path("var/demo-credentials.json").read_text(encoding="utf-8"))
    try:
        play_demo(url, made, Path("models/corpus/sessions.jsonl"), [number])
    except PromiseBroken as broken:
        raise click.ClickException(f"promise broken: {broken}") from broken
    except (TooSlow, httpx.HTTPError) as error:
        raise click.ClickException(f"the demo could not go on: {error}") from error


@cli.command()
@click.option("--evaluate", is_flag=True, help="Compare with the labels in the input.")
@click.option("--engine", is_flag=True, help="Ask the engine's base too, as it is configured.")
def screen(evaluate: bool, engine: bool) -> None:
    """Judge messages: JSON lines on standard input, JSON lines on standard output."""
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
    scrub_lines(sys.stdin, sys.stdout, evaluate)


@cli.group()
def keys() -> None:
    """Make, list and revoke API keys; rotate the master key."""


def _label(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """What the wire takes for a name: an empty team would have sessions that nobody sees."""
    try:
        label = _LABEL.validate_python(value.strip())
    except ValidationError:
        label = ""
    if not label.isprintable() or not label:
        raise click.BadParameter("1 to 200 characters on one line, no control characters")
    return label


@keys.command("issue")
@click.argument("name", callback=_label)
@click.argument("role", type=click.Choice(["client_app", "therapist", "supervisor", "ops"]))
@click.argument("team", callback=_label)
@click.option("--days", type=click.IntRange(min=1), help="How long it opens; for good unless set.")
def issue_key(name: str, role: Role, team: str, days: int | None) -> None:
    """Make a key and print it once; only its hash is kept."""
    click.echo(asyncio.run(_issue(Caller(name, role, team), days)))


@keys.command("list")
def list_keys() -> None:
    """Show every key: prefix, name, role, team, when it ends, what it is worth."""
    found, now_ms = asyncio.run(_listed())
    for one in found:
        end = one.record.expires_at_ms
        until = "-" if end is None else moment(end).isoformat(timespec="seconds")
        said = one.record
        click.echo(
            "\t".join((one.prefix, said.name, said.role, said.team, until, _worth(one, now_ms)))
        )


def _worth(one: Listed, now_ms: int) -> str:
    if one.record.revoked:
        return "revoked"
    if not one.ours:
        return "unmarked"
    end = one.record.expires_at_ms
    return "ended" if end is not None and end <= now_ms else "live"


@keys.command("revoke")
@click.argument("prefix")
def revoke_key(prefix: str) -> None:
    """Make the key sc_PREFIX_... useless at once."""
    if not asyncio.run(_revoke(prefix)):
        raise click.ClickException("there is no key with that prefix")


@keys.command("demo")
@click.option(
    "--file", "path", default="var/demo-credentials.json", type=click.Path(path_type=Path)
)
def demo_keys(path: Path) -> None:
    """Make keys for trying things out, one per role, unless they exist."""
    if Settings().environment == "production":
        raise click.ClickException("demo keys are not for production")
    if path.exists() and asyncio.run(_known(json.loads(path.read_text(encoding="utf-8")))):
        return
    made = asyncio.run(_demo_keys())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")


for _command in (verify, checkpoint, store, erase):
    cli.add_command(_command)
keys.add_command(rotate_master)


async def _issue(caller: Caller, days: int | None) -> str:
    settings = Settings()
    async with open_house(settings) as house:
        ends = None if days is None else house.ports.clock.now_ms() + days * _DAY_MS
        key = await issue(house.ports.store, house.keys, caller, ends)
    source = f"sc_{key.split('_')[1]}"
    _tell(settings, LogEvent.KEY_ISSUED, source=source, actor=caller.name, role=caller.role)
    return key


async def _revoke(prefix: str) -> bool:
    settings = Settings()
    async with open_house(settings) as house:
        known = await revoke(house.ports.store, house.keys, prefix)
    if known:
        _tell(settings, LogEvent.KEY_REVOKED, source=f"sc_{prefix}")
    return known


def _tell(settings: Settings, event: LogEvent, **said: Unpack[LogFields]) -> None:
    """Write a line to standard error: on standard output a key stands alone, to be taken up."""
    configure(settings.log_level)
    with redirect_stdout(sys.stderr):
        log_line(event, "warning", **said)


async def _listed() -> tuple[Sequence[Listed], int]:
    async with open_house(Settings()) as house:
        return await listed(house.ports.store, house.keys), house.ports.clock.now_ms()


async def _demo_keys() -> dict[str, str]:
    async with open_house(Settings()) as house:
        return {
            name: await issue(house.ports.store, house.keys, Caller(name, role, _DEMO_TEAM))
            for name, role in _DEMO
        }


async def _known(made: dict[str, str]) -> bool:
    """Whether keys are known to the store that is configured now, and marked by its master key."""
    async with open_house(Settings()) as house:
        known = await genuine(house.ports.store, house.keys)
    return bool(made) and all(key.split("_")[1] in known for key in made.values())

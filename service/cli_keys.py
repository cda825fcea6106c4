"""Keys at the command line: API keys made, listed, revoked; the demo's own; a new master key."""

import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Unpack

import click
from pydantic import TypeAdapter, ValidationError

from service.auth import Caller, Listed, Marked, Role, genuine, issue, listed, mark_anew, revoke
from service.cli_store import SHOWN, Seen, opened_store, run_told
from service.ids import moment
from service.main import master_keys, open_house
from service.schemas.wire import Label
from service.sealing import Rotated, rotate
from service.session.events import SERVICE
from service.settings import Settings
from service.telemetry.log import LogEvent, LogFields, configure, log_line

_DAY_MS = 86_400_000
_LABEL: TypeAdapter[str] = TypeAdapter(Label)
_KEYS: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str])
DEMO_KEYS = Path("var/demo-credentials.json")
_DEMO_TEAM = "demo"
_DEMO: tuple[tuple[str, Role], ...] = (
    ("demo-app", "client_app"),
    ("demo-therapist", "therapist"),
    ("demo-colleague", "therapist"),
    ("demo-supervisor", "supervisor"),
    ("demo-ops", "ops"),
)


@click.group()
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
    if name == SERVICE:
        raise click.BadParameter(f"{SERVICE!r} is who writes what nobody decided")
    click.echo(run_told(_issue(Caller(name, role, team), days)))


@keys.command("list")
def list_keys() -> None:
    """Show every key: prefix, name, role, team, when it ends, what it is worth."""
    found, now_ms = run_told(_listed())
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
    if not run_told(_revoke(prefix)):
        raise click.ClickException("there is no key with that prefix")


@keys.command("demo")
@click.option("--file", "path", default=DEMO_KEYS, type=click.Path(path_type=Path))
def demo_keys(path: Path) -> None:
    """Make keys for trying things out, one per role, unless they exist."""
    if Settings().environment == "production":
        raise click.ClickException("demo keys are not for production")
    if run_told(_known(credentials(path))):
        return
    made = run_told(_demo_keys())
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")


@keys.command("rotate-master")
def rotate_master() -> None:
    """Wrap sessions' keys and mark API keys anew, under the first master key. May be repeated."""
    done, marked = run_told(_rotate())
    click.echo(f"{done.rewrapped} rewrapped, {done.before} were before")
    if marked.anew:
        click.echo(f"{marked.anew} API keys marked anew")
    for one in marked.unknown:
        click.echo(f"sc_{one} has no mark of ours and opens nothing: issue another", err=True)
    if done.unreadable:
        for one in done.unreadable[:SHOWN]:
            click.echo(f"{one} opens under none of the master keys")
        raise click.ClickException(f"{len(done.unreadable)} keys do not open")


def credentials(path: Path) -> dict[str, str]:
    """Give the demo's keys by name; none where the file is missing or holds something else."""
    try:
        made = _KEYS.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return {}
    return made if dict(_DEMO).keys() <= made.keys() else {}


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
    prefixes = {key.removeprefix("sc_").partition("_")[0] for key in made.values()}
    return bool(prefixes) and prefixes <= known


async def _rotate() -> tuple[Rotated, Marked]:
    settings = Settings()
    owner = master_keys(settings)
    async with opened_store(settings.store) as found:
        return await rotate(found, owner, Seen()), await mark_anew(found, owner)

"""What those who look after the store do: prove, checkpoint, copy, put right, erase.

Works beside the running service; reads the same settings. Ends with 1 when something is wrong.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Coroutine, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import ValidationError
from redis.exceptions import RedisError

from service import checkpoints
from service.checkpoints import Checkpoint, NotACheckpoint, Rebuilt, Tampered
from service.ids import SystemClock
from service.ledger import Ledger
from service.main import master_keys, open_store, policy
from service.sealing import KeyUnreadable
from service.session.refusals import Refused
from service.settings import Settings
from service.stores.copying import Copied, Copyable, NotACopy, Told, copy, differences
from service.stores.port import StoreUnavailable
from service.telemetry.log import LogEvent, configure, log_line

_FILE = click.Path(path_type=Path, dir_okay=False)
SHOWN = 20
_TOLD: Mapping[type[Exception], str] = {
    StoreUnavailable: "the store does not answer:",
    NotACopy: "the target holds something else:",
    KeyUnreadable: "no master key opens",
}
_Given = TypeVar("_Given")


@dataclass
class Seen:
    """Shows how far it is, on one line that a terminal rewrites; keeps the number."""

    total: int = 0

    def __call__(self, done: int, total: int) -> None:
        """Note that so many of so many sessions are done."""
        self.total = total
        if sys.stderr.isatty():
            click.echo(f"\r{done} of {total} sessions", err=True, nl=done >= total)


@click.command()
@click.option("--checkpoint", "file", type=_FILE, help="Also compare with a signed checkpoint.")
@click.option("--key", type=_FILE, help="The public key the checkpoint must be signed with.")
@click.option(
    "--open", "opening", is_flag=True, help="With the master key: open payloads, compare rows."
)
def verify(file: Path | None, key: Path | None, opening: bool) -> None:
    """Prove that no session's log was changed, reordered, cut off or taken away.

    With --open also that what the queue and the pager go by is what the logs say.
    """
    if file is not None and key is None:
        raise click.UsageError("--checkpoint needs --key: whose signature it must bear")
    signed = _checkpoint(file, key) if file is not None and key is not None else None
    seen = Seen()
    found = run_told(_verify(signed, opening, seen))
    for one in found:
        click.echo(one.told)
    if found:
        raise click.ClickException(f"{len(found)} sessions are not as they were")
    on = ", and every one goes on from the checkpoint" if signed else ""
    click.echo(f"{seen.total} logs are whole{on}")


@click.group()
def checkpoint() -> None:
    """Sign how far each log has come, to be kept where the store's owner is not."""


@checkpoint.command("key")
@click.argument("file", type=_FILE)
def make_key(file: Path) -> None:
    """Make a signing key in FILE and its public half in FILE.pub; the first stays secret."""
    public = file.with_name(file.name + ".pub")
    if file.exists() or public.exists():
        raise click.ClickException(f"{file} or {public} is there already")
    made = Ed25519PrivateKey.generate()
    file.touch(mode=0o600)
    pem = serialization.Encoding.PEM
    form, sealing = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(made.private_bytes(pem, form, sealing))
    spoken = serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(made.public_key().public_bytes(pem, spoken))
    click.echo(f"{file}: keep it where the store is not\n{public}: give it to the auditors")


@checkpoint.command("take")
@click.option("--key", "key", type=_FILE, required=True, help="The signing key.")
@click.option(
    "--out", type=_FILE, required=True, help="The file to write; never one that is there."
)
def take_checkpoint(key: Path, out: Path) -> None:
    """Write a signed checkpoint of every log, and print the one line that stands for it."""
    signing = _private(key)
    if out.exists():
        raise click.ClickException(f"{out} is there already")
    taken = run_told(_take())
    out.write_bytes(checkpoints.sign(taken, signing))
    click.echo(f"{len(taken.heads)} sessions {checkpoints.digest(taken)}")


@click.group()
def store() -> None:
    """Move what is stored, or put it right."""


@store.command("copy")
@click.argument("source")
@click.argument("target")
def copy_store(source: str, target: str) -> None:
    """Copy everything from one store's address to another's, and compare.

    @FILE stands for the address in a file: a command line is no place for a password.
    Run once beside the service and once more with it stopped: the second takes seconds.
    """
    done, found = run_told(_copy(_address(source), _address(target)))
    click.echo(
        f"copied {done.sessions} sessions, {done.events} events, {done.documents} documents, "
        f"{done.answers} answers"
    )
    for one in found[:SHOWN]:
        click.echo(f"{one} differs")
    if found:
        raise click.ClickException(f"{len(found)} differences; stop API and workers, run it again")
    click.echo("both hold the same")


@store.command("rebuild")
def rebuild_rows() -> None:
    """Write rows and lists anew where they are not what the logs say. Needs the master key."""
    done = run_told(_rebuild())
    for one in (*done.mended, *done.left):
        click.echo(one.told)
    click.echo(f"{len(done.mended)} rows written anew")
    if done.left:
        raise click.ClickException(f"{len(done.left)} left as they are: their logs are not whole")


@click.command()
@click.argument("sessions", nargs=-1)
@click.option("--by", "actor", required=True, help="Who decided it; stands in the log.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(sessions: tuple[str, ...], actor: str, yes: bool) -> None:
    """Destroy the words of SESSIONS, ids or - for ids on standard input. The proof stays."""
    ids = [line.strip() for line in sys.stdin if line.strip()] if sessions == ("-",) else sessions
    if not ids:
        raise click.UsageError("no session given")
    if not yes:
        if sessions == ("-",):
            raise click.UsageError("ids on standard input need --yes")
        click.confirm(f"Erase {len(ids)} sessions for good?", abort=True)
    missing = run_told(_erase(ids, actor))
    click.echo(f"erased {len(ids) - len(missing)} sessions")
    if missing:
        raise click.ClickException("no such session: " + " ".join(missing))


async def _verify(signed: Checkpoint | None, opening: bool, seen: Told) -> Sequence[Tampered]:
    settings = Settings()
    keys = master_keys(settings) if opening else None
    async with opened_store(settings.store) as found:
        return await checkpoints.verify(found, signed, keys, seen)


async def _rebuild() -> Rebuilt:
    settings = Settings()
    async with opened_store(settings.store) as found:
        return await checkpoints.rebuild(found, master_keys(settings), Seen())


async def _take() -> Checkpoint:
    async with opened_store(Settings().store) as found:
        return await checkpoints.take(found, SystemClock().now_ms(), Seen())


async def _copy(source: str, target: str) -> tuple[Copied, Sequence[str]]:
    async with opened_store(source) as ours, opened_store(target, new=True) as theirs:
        done = await copy(ours, theirs, Seen())
        return done, await differences(ours, theirs, Seen())


async def _erase(ids: Sequence[str], actor: str) -> list[str]:
    settings = Settings()
    configure(settings.log_level)
    missing: list[str] = []
    told = Seen()
    async with opened_store(settings.store) as found:
        ledger = Ledger(found, master_keys(settings), SystemClock(), policy(settings))
        for place, session_id in enumerate(ids, start=1):
            try:
                await ledger.erase(session_id, actor)
                log_line(LogEvent.SESSION_ERASED, "warning", session_id=session_id, actor=actor)
            except Refused:
                missing.append(session_id)
            told(place, len(ids))
    return missing


@asynccontextmanager
async def opened_store(address: str, new: bool = False) -> AsyncGenerator[Copyable]:
    """Open a store; only a ``new`` one may be made by that."""
    _refuse_strange(address, new)
    found = open_store(address)
    try:
        yield found
    finally:
        await found.close()


def _address(given: str) -> str:
    if not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise click.ClickException(f"{given[1:]} cannot be read") from None


def _refuse_strange(address: str, new: bool) -> None:
    kind, _, rest = address.partition("://")
    if kind == "memory":
        raise click.ClickException("a store in memory belongs to the process that runs it")
    if kind not in {"sqlite", "redis", "rediss", "sentinel"} or not rest:
        raise click.ClickException("a store begins with sqlite:///, redis[s]:// or sentinel://")
    if kind == "sqlite" and not new and not Path(rest.removeprefix("/")).exists():
        raise click.ClickException(f"there is no {address}")


def run_told(work: Coroutine[Any, Any, _Given]) -> _Given:
    """Run it, `telling` what goes wrong."""
    with telling():
        return asyncio.run(work)


@contextmanager
def telling() -> Generator[None]:
    """Tell in one line what went wrong in a command. Raises: ClickException."""
    try:
        yield
    except tuple(_TOLD) as error:
        said = next(said for kind, said in _TOLD.items() if isinstance(error, kind))
        raise click.ClickException(f"{said} {error}") from error
    except ValidationError as error:
        # Its own text would print what was given, secrets included; our own words quote nothing.
        errors = error.errors()
        wrong = ", ".join(str(one["loc"][0]) if one["loc"] else one["msg"] for one in errors)
        raise click.ClickException(f"settings that cannot be: {wrong}") from None
    except (RedisError, ValueError) as error:
        raise click.ClickException(str(error)) from error


def _checkpoint(file: Path, key: Path) -> Checkpoint:
    try:
        public = serialization.load_pem_public_key(key.read_bytes())
        if not isinstance(public, Ed25519PublicKey):
            raise click.ClickException(f"{key} is no Ed25519 public key")
        return checkpoints.opened(file.read_bytes(), public)
    except NotACheckpoint as error:
        raise click.ClickException(f"{file} was not signed with this key, or changed") from error
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise click.ClickException(f"{key} or {file} cannot be read") from error


def _private(key: Path) -> Ed25519PrivateKey:
    try:
        signing = serialization.load_pem_private_key(key.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise click.ClickException(f"{key} cannot be read") from error
    if not isinstance(signing, Ed25519PrivateKey):
        raise click.ClickException(f"{key} is no Ed25519 signing key")
    return signing

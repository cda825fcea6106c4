"""Signed checkpoints: how far each log had come at a moment, kept where the store's owner is not.

A hash chain shows what was changed within it; cut off at its end, or written anew from its
beginning by somebody who has the whole store, it looks whole. A checkpoint holds every session's
seq and head hash, signed with Ed25519. No words, nothing but ids, numbers and hashes.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import TypeAdapter, ValidationError

from service.ids import SystemClock
from service.sealing import DataKey, KeyUnreadable, MasterKeys, first_broken
from service.session.duties import Policy
from service.session.evolve import evolve
from service.session.row import Row, summarise
from service.session.state import State
from service.stores.copying import Copyable, Told, every_row, untold
from service.stores.port import Conflict, Envelope, Store

_KIND = b"second-chair-checkpoint-1\n"
"""Signed with the rest, so that no other signed document passes for a checkpoint."""
Fault = Literal[
    "broken", "shortened", "rewritten", "missing", "unlisted", "row_differs", "unreadable"
]
_TRIES = 20
"""How often a session is looked at again because somebody wrote to it meanwhile."""
_LOOKED_AT_AGAIN_MS = 600_000
"""No lease moves a session's due time further ahead than this."""


class Head(NamedTuple):
    """How far one log had come."""

    seq: int
    hash: str
    """Hex of the newest envelope's hash."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Every session's head at one moment."""

    made_at_ms: int
    heads: Mapping[str, Head]


class Tampered(NamedTuple):
    """One session that is not as it was."""

    session_id: str
    fault: Fault
    seq: int
    """The first place where it shows."""
    parts: tuple[str, ...] = ()
    """What of its row, and which of its places in lists, its log tells otherwise. Names only."""

    @property
    def told(self) -> str:
        """One line about it."""
        named = f": {', '.join(self.parts)}" if self.parts else ""
        return f"{self.session_id} {self.fault} from event {self.seq}{named}"


class Rebuilt(NamedTuple):
    """What was written anew, and what nothing could be written from."""

    mended: Sequence[Tampered]
    left: Sequence[Tampered]


class NotACheckpoint(Exception):
    """The file was not signed by this key, or was changed since."""


_CHECKPOINT = TypeAdapter(Checkpoint)


async def take(store: Store, at_ms: int, told: Told = untold) -> Checkpoint:
    """Give how far every log has come now."""
    heads: dict[str, Head] = {}
    async for row in every_row(store, told):
        session_id, seq = row.session_id, row.seq
        newest = await store.read(session_id, seq - 1)
        if newest:
            heads[session_id] = Head(newest[-1].seq, newest[-1].hash.hex())
    return Checkpoint(at_ms, heads)


def sign(checkpoint: Checkpoint, key: Ed25519PrivateKey) -> bytes:
    """Give a checkpoint as a signed file: the signature's hex on the first line, JSON after it."""
    heads = {session_id: list(head) for session_id, head in sorted(checkpoint.heads.items())}
    body = json.dumps({"made_at_ms": checkpoint.made_at_ms, "heads": heads}).encode()
    return key.sign(_KIND + body).hex().encode() + b"\n" + body


def opened(signed: bytes, key: Ed25519PublicKey) -> Checkpoint:
    """Give the checkpoint of a signed file. Raises: NotACheckpoint."""
    signature, _, body = signed.partition(b"\n")
    try:
        mark = bytes.fromhex(signature.decode("ascii"))
        # One spelling only: a file that says the same in other letters is another file.
        if mark.hex().encode() != signature:
            raise NotACheckpoint
        key.verify(mark, _KIND + body)
        return _CHECKPOINT.validate_json(body)
    except (InvalidSignature, ValidationError, ValueError) as error:
        raise NotACheckpoint from error


async def verify(
    store: Copyable,
    checkpoint: Checkpoint | None = None,
    keys: MasterKeys | None = None,
    told: Told = untold,
) -> tuple[Tampered, ...]:
    """Give every session that was tampered with; none when all holds.

    With a checkpoint, also ends cut off, logs written anew and sessions taken away since it was
    made are found; with the master keys, also payloads that no longer open, and rows and places in
    lists that are not what their logs say.
    """
    known = set(await store.sessions())
    found: list[Tampered] = []
    seen: set[str] = set()
    heads: Mapping[str, Head] = checkpoint.heads if checkpoint else {}
    async for row in every_row(store, told):
        session_id, seq = row.session_id, row.seq
        seen.add(session_id)
        log = await store.read(session_id)
        fault = _chain(session_id, log, heads.get(session_id))
        fault = fault or await _row(store, session_id, log, seq)
        if fault is None and keys is not None:
            fault = await _compared(store, session_id, log, keys)
        if fault is not None:
            found.append(fault)
    found += [Tampered(one, "unlisted", 0) for one in sorted(known - seen)]
    found += [Tampered(gone, "missing", 0) for gone in sorted(heads.keys() - seen - known)]
    return tuple(found)


async def rebuild(store: Copyable, keys: MasterKeys, told: Told = untold) -> Rebuilt:
    """Write each row and its places in lists anew where its log says something else.

    The service may go on. What is right is left alone, and so is a session whose log is broken or
    does not open: nothing true could be written. No log, key or claim is touched.
    """
    mended: list[Tampered] = []
    left: list[Tampered] = []
    ids = await store.sessions()
    for place, session_id in enumerate(ids, start=1):
        log = await store.read(session_id)
        fault = _chain(session_id, log, None)
        fault = fault or await _compared(store, session_id, log, keys, write=True)
        if fault is not None:
            (mended if fault.fault == "row_differs" else left).append(fault)
        told(place, len(ids))
    return Rebuilt(mended, left)


def digest(checkpoint: Checkpoint) -> str:
    """Give one short hash of all heads, to print, publish or read out over the telephone."""
    lines = (f"{one} {head.seq} {head.hash}\n" for one, head in sorted(checkpoint.heads.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _chain(session_id: str, log: Sequence[Envelope], head: Head | None) -> Tampered | None:
    if any(one.session_id != session_id for one in log):
        return Tampered(session_id, "broken", 1)
    broken = first_broken(log)
    if broken is not None:
        return Tampered(session_id, "broken", broken)
    if head is None:
        return None
    if len(log) < head.seq:
        return Tampered(session_id, "shortened", len(log) + 1)
    if log[head.seq - 1].hash.hex() != head.hash:
        return Tampered(session_id, "rewritten", head.seq)
    return None


async def _row(store: Store, session_id: str, log: Sequence[Envelope], seq: int) -> Tampered | None:
    """A summary that speaks of more or fewer events than there are.

    The service goes on meanwhile: the log may be longer than the row read before it, and
    shorter than the one read after it.
    """
    after = await store.row(session_id)
    if len(log) >= seq and after is not None and len(log) <= after.row.seq:
        return None
    return Tampered(session_id, "row_differs", min(len(log), seq) + 1)


async def _compared(
    store: Copyable, session_id: str, log: Sequence[Envelope], keys: MasterKeys, *,
    write: bool = False,
) -> Tampered | None:  # fmt: skip
    """Compare a session's row and its places in lists with what its log says; set them right."""
    for _ in range(_TRIES):
        wanted = await _wanted(store, session_id, log, keys)
        if isinstance(wanted, Tampered):
            # Erased since the log was read: then its key is gone, and rightly.
            if more := await store.read(session_id, len(log)):
                log = [*log, *more]
                continue
            return wanted
        try:
            if parts := await _differing(store, wanted):
                if write:
                    await store.mend(wanted)
                return Tampered(session_id, "row_differs", wanted.seq, parts)
        except Conflict:
            log = await store.read(session_id)
        else:
            return None
    raise Conflict


async def _wanted(
    store: Store, session_id: str, log: Sequence[Envelope], keys: MasterKeys
) -> Row | Tampered:
    """Give the row that a log asks for, or where it does not open."""
    wrapped = await store.wrapped_key(session_id)
    if wrapped is None:
        erased = any(one.type == "session_erased" for one in log)
        return await _gone(store, log) if erased else Tampered(session_id, "unreadable", 0)
    try:
        key = DataKey(session_id, keys.unwrap(session_id, wrapped))
    except KeyUnreadable:
        return Tampered(session_id, "unreadable", 0)
    state = State(session_id)
    for envelope in log:
        try:
            state = evolve(state, key.open(envelope))
        except (KeyUnreadable, ValidationError):
            return Tampered(session_id, "unreadable", envelope.seq)
    return summarise(state, Policy())


async def _gone(store: Store, log: Sequence[Envelope]) -> Row:
    """Give the row of an erased session: what nobody can tell any more stays as it is."""
    first, last = log[0], log[-1]
    gone = State(
        last.session_id, seq=last.seq, status="erased",
        created_at_ms=first.at_ms, updated_at_ms=last.at_ms,
    )  # fmt: skip
    plain = summarise(gone, Policy())
    stored = await store.row(last.session_id)
    if stored is None:
        return plain
    return replace(
        stored.row, seq=plain.seq, status=plain.status, kind=None, waiting_since_ms=None,
        due_at_ms=None, draft_id=None, plan_id=None, alert_id=None,
    )  # fmt: skip


async def _differing(store: Copyable, wanted: Row) -> tuple[str, ...]:
    """Name what is not as wanted. Raises: Conflict when the log has moved on."""
    stored = await store.row(wanted.session_id)
    lists = await store.misplaced(wanted)
    if stored is None:
        return ("row",)
    # When it is due is compared apart: leases move that.
    row = replace(stored.row, due_at_ms=wanted.due_at_ms)
    names = [one.name for one in fields(Row) if getattr(row, one.name) != getattr(wanted, one.name)]
    if not _due(stored.row.due_at_ms, wanted.due_at_ms):
        names.append("due_at_ms")
    return (*names, *(f"list {one}" for one in lists))


def _due(kept: int | None, wanted: int | None) -> bool:
    """Whether a session is looked at in time, and only if it is owed anything."""
    if kept is None or wanted is None:
        return kept is wanted
    return kept <= max(wanted, SystemClock().now_ms() + _LOOKED_AT_AGAIN_MS)

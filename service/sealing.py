"""Words at rest: every payload sealed under its session's own key, every envelope chained.

The data key is wrapped by the organisation's master key. Destroying it destroys the words and
leaves the chain provable. AES-256-GCM throughout; the clear header is bound as associated data.
"""

import hashlib
import hmac
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.session.events import SCHEMA_VERSION, Event, Recorded, read, write
from service.stores.copying import Told, every_row, untold
from service.stores.port import Envelope, Store

_NONCE = 12
GENESIS = bytes(32)
"""What the first envelope of a session is chained to."""


class KeyUnreadable(Exception):
    """A wrapped key or payload does not open: wrong master key, or somebody changed it."""


@dataclass(frozen=True, slots=True)
class MasterKeys:
    """The organisation's keys: the first seals, every one opens, so that keys can rotate.

    A key must be everywhere before it may be first anywhere: only who has it can open.
    """

    keys: tuple[bytes, ...]
    """Each 32 bytes."""

    def __post_init__(self) -> None:
        """Refuse keys of a wrong size at start-up rather than at the first message."""
        if not self.keys or any(len(key) != 32 for key in self.keys):
            raise ValueError("a master key has 32 bytes")

    def wrap(self, session_id: str, data_key: bytes) -> bytes:
        """Give the data key sealed under the first master key."""
        return _seal(AESGCM(self.keys[0]), data_key, session_id.encode())

    def unwrap(self, session_id: str, wrapped: bytes) -> bytes:
        """Give the data key. Raises: KeyUnreadable."""
        for key in self.keys:
            try:
                return _open(AESGCM(key), wrapped, session_id.encode())
            except KeyUnreadable:
                continue
        raise KeyUnreadable(session_id)

    def wrapped_by_first(self, session_id: str, wrapped: bytes) -> bool:
        """Whether rotation has reached this key."""
        try:
            _open(AESGCM(self.keys[0]), wrapped, session_id.encode())
        except KeyUnreadable:
            return False
        return True

    def marks(self, purpose: str, value: bytes) -> tuple[bytes, ...]:
        """Give keyed hashes of a value; nobody without a master key can guess it back.

        One under each key, in their order: what is kept goes under the first, and is looked for
        under every one, so that rotation does not forget what was answered.
        """
        said = purpose.encode() + b"\0" + value
        return tuple(hmac.digest(key, said, "sha256") for key in self.keys)


class DataKey:
    """One session's key, open in memory."""

    def __init__(self, session_id: str, key: bytes) -> None:
        self._session_id = session_id
        self._cipher = AESGCM(key)

    def seal_side(self, purpose: str, words: bytes) -> bytes:
        """Seal words kept beside the log, such as autosaved text."""
        return _seal(self._cipher, words, f"{self._session_id}/{purpose}".encode())

    def open_side(self, purpose: str, sealed: bytes) -> bytes:
        """Open what `seal_side` made. Raises: KeyUnreadable."""
        return _open(self._cipher, sealed, f"{self._session_id}/{purpose}".encode())

    def chain(
        self, last: tuple[int, bytes], events: Sequence[Event], at_ms: int, actor: str
    ) -> tuple[Envelope, ...]:
        """Seal events and chain them to ``last``, the seq and hash of the log's end."""
        seq, prev = last
        made: list[Envelope] = []
        for event in events:
            seq += 1
            head = _header(self._session_id, seq, event.type, at_ms, actor, SCHEMA_VERSION)
            sealed = _seal(self._cipher, write(event), prev + head)
            digest = hashlib.sha256(prev + head + sealed).digest()
            made.append(
                Envelope(
                    self._session_id,
                    seq,
                    event.type,
                    at_ms,
                    actor,
                    prev,
                    digest,
                    SCHEMA_VERSION,
                    sealed,
                )
            )
            prev = digest
        return tuple(made)

    def open(self, envelope: Envelope) -> Recorded:
        """Give the event inside. Raises: KeyUnreadable when anything was changed."""
        payload = _open(self._cipher, envelope.sealed, envelope.prev_hash + header_of(envelope))
        return Recorded(envelope.seq, envelope.at_ms, envelope.actor, read(payload))


class Rotated(NamedTuple):
    """How far a rotation of the master key has come."""

    rewrapped: int
    before: int
    """Sessions that were under the first key already."""
    unreadable: tuple[str, ...]
    """Sessions whose key opens under none of the master keys."""


async def rotate(store: Store, keys: MasterKeys, told: Told = untold) -> Rotated:
    """Wrap every session's key anew under the first master key; the service may go on.

    May be repeated and broken off: each key is replaced whole, and only as it was read.
    """
    rewrapped = before = 0
    unreadable: list[str] = []
    async for row in every_row(store, told):
        wrapped = await store.wrapped_key(row.session_id)
        if wrapped is None:
            continue
        if keys.wrapped_by_first(row.session_id, wrapped):
            before += 1
            continue
        try:
            fresh = keys.wrap(row.session_id, keys.unwrap(row.session_id, wrapped))
        except KeyUnreadable:
            unreadable.append(row.session_id)
            continue
        rewrapped += await store.rewrap(row.session_id, wrapped, fresh)
    return Rotated(rewrapped, before, tuple(unreadable))


def new_key() -> bytes:
    """Give a fresh key, 32 random bytes."""
    return os.urandom(32)


def header_of(envelope: Envelope) -> bytes:
    """Give the bytes of an envelope's clear fields, as they are hashed."""
    return _header(
        envelope.session_id, envelope.seq, envelope.type, envelope.at_ms, envelope.actor,
        envelope.schema_version,
    )  # fmt: skip


def first_broken(envelopes: Sequence[Envelope]) -> int | None:
    """Give the first seq where a whole chain does not hold; None when it does.

    Needs no key: an erased session is proven like any other.
    """
    prev = GENESIS
    for place, envelope in enumerate(envelopes, start=1):
        digest = hashlib.sha256(prev + header_of(envelope) + envelope.sealed).digest()
        linked = envelope.seq == place and envelope.prev_hash == prev
        if not linked or not hmac.compare_digest(digest, envelope.hash):
            return place
        prev = envelope.hash
    return None


def _header(*fields: str | int) -> bytes:
    """Length-prefixed fields, so that no two headers share their bytes."""
    parts = [str(field).encode() for field in fields]
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def _seal(cipher: AESGCM, plain: bytes, bound: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + cipher.encrypt(nonce, plain, bound)


def _open(cipher: AESGCM, sealed: bytes, bound: bytes) -> bytes:
    try:
        return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], bound)
    except (InvalidTag, ValueError) as error:
        raise KeyUnreadable from error

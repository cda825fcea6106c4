"""Who is calling, in which role, for which team: an API key, or a token of the organisation's."""

import hashlib
import hmac
import secrets
from contextlib import suppress
from typing import Literal, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from service.ports import Clock
from service.sealing import MasterKeys
from service.session.refusals import unknown_caller
from service.stores.port import Conflict, Document, Store
from service.telemetry.log import LogEvent, log_line

Role = Literal["client_app", "therapist", "supervisor", "ops"]
KIND = "api_key"
"""The kind of document that API keys are kept as; the key of each is its public prefix."""


class Caller(NamedTuple):
    """Somebody the service knows."""

    name: str
    """A stable staff or app id; written into the log as the actor."""
    role: Role
    team: str
    via: str = ""
    """What proved it: one API key, or one person's sign-in with an issuer."""

    @property
    def account(self) -> str:
        """Whose limits its requests count towards: names alone are not unique across teams."""
        return "\0".join((self.via, self.team, self.name))


class KeyRecord(BaseModel):
    """An API key as stored: what is needed to recognise it, and nothing to use it.

    Add fields with defaults only: those are left out of what is marked.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    hash: str
    """SHA-256 of the secret part, hex; the secret has 256 random bits, so no salt is needed."""
    name: str
    role: Role
    team: str
    expires_at_ms: int | None = None
    revoked: bool = False
    mark: str = ""
    """Keyed hash of prefix and record under a master key: the store alone can make no key, nor
    change whose one is."""


class TokenVerifier(Protocol):
    """Recognises tokens that are not ours, such as OIDC tokens."""

    async def verify(self, token: str) -> Caller:
        """Give the caller. Raises: Refused unauthenticated; IssuerUnavailable."""
        ...


class Authenticator:
    """Turns an Authorization header into a caller, or refuses."""

    def __init__(
        self, store: Store, clock: Clock, keys: MasterKeys, tokens: TokenVerifier | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._keys = keys
        self._tokens = tokens

    async def caller(self, header: str | None, *, thorough: bool = True) -> Caller:
        """Give the caller of a request.

        Unless ``thorough``, only API keys are recognised: one look into the store and a few hashes,
        where a token takes a signature and perhaps a fetch of its issuer's keys.
        Raises: Refused unauthenticated; StoreUnavailable, IssuerUnavailable.
        """
        scheme, _, token = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not token or len(token) > 8_192:
            raise unknown_caller()
        if token.startswith("sc_"):
            return await self._by_key(token)
        if self._tokens is None or not thorough:
            raise unknown_caller()
        return await self._tokens.verify(token)

    async def _by_key(self, token: str) -> Caller:
        prefix, _, secret = token[3:].partition("_")
        found = await self._store.document(KIND, prefix) if prefix.isalnum() else None
        record = _record(found) or _NOBODY
        # The same work for a key that does not exist as for one with a wrong secret.
        same = hmac.compare_digest(record.hash, _hash(secret))
        ours = _marked_by(self._keys, prefix, record) is not None
        if same and not ours and found:
            # Of an earlier build, or written by somebody who has the store and no master key.
            log_line(LogEvent.KEY_REFUSED, "error", source=f"sc_{prefix}", reason="unmarked")
        over = record.expires_at_ms is not None and record.expires_at_ms <= self._clock.now_ms()
        if not same or not ours or over or record.revoked:
            raise unknown_caller()
        return Caller(record.name, record.role, record.team, f"key:{prefix}")


async def issue(
    store: Store, keys: MasterKeys, caller: Caller, expires_at_ms: int | None = None
) -> str:
    """Make an API key and give it once; only its hash is kept, marked so that it is known again."""
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    record = KeyRecord(
        hash=_hash(secret), name=caller.name, role=caller.role, team=caller.team,
        expires_at_ms=expires_at_ms,
    )  # fmt: skip
    await _keep(store, keys, Document(prefix, 0, b""), record)
    return f"sc_{prefix}_{secret}"


async def revoke(store: Store, keys: MasterKeys, prefix: str) -> bool:
    """Make an API key useless at once; False when there is none of that prefix."""
    found = await store.document(KIND, prefix)
    record = _record(found)
    if found is None or record is None:
        return False
    await _keep(store, keys, found, record.model_copy(update={"revoked": True}))
    return True


class Listed(NamedTuple):
    """An API key as those who look after keys see it."""

    prefix: str
    record: KeyRecord
    ours: bool
    """Whether it bears a mark of our master keys; without one it opens nothing."""


async def listed(store: Store, keys: MasterKeys) -> tuple[Listed, ...]:
    """Give every API key there is, by name."""
    read = [(one.key, _record(one)) for one in await store.documents(KIND)]
    found = [
        Listed(prefix, record, _marked_by(keys, prefix, record) is not None)
        for prefix, record in read if record is not None
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda one: (one.record.name, one.prefix)))


async def next_end_ms(store: Store, since_ms: int) -> int | None:
    """Give when the first API key ends that nobody has revoked, of those that end after a time."""
    read = [_record(one) for one in await store.documents(KIND)]
    ends = [one.expires_at_ms for one in read if one and not one.revoked]
    return min((end for end in ends if end is not None and end > since_ms), default=None)


async def genuine(store: Store, keys: MasterKeys) -> frozenset[str]:
    """Give the prefixes of the API keys that bear a mark of these master keys."""
    return frozenset(one.prefix for one in await listed(store, keys) if one.ours)


class Marked(NamedTuple):
    """How far a rotation of the master key has come with API keys."""

    anew: int
    unknown: tuple[str, ...]
    """Prefixes of keys whose mark was made under none of the master keys; they open nothing."""


async def mark_anew(store: Store, keys: MasterKeys) -> Marked:
    """Mark every API key under the first master key; never one that is not marked by us."""
    anew, unknown = 0, list[str]()
    for found in await store.documents(KIND):
        record = _record(found)
        place = None if record is None else _marked_by(keys, found.key, record)
        if record is None or place is None:
            unknown.append(found.key)
        elif place > 0:
            # Somebody revoked it meanwhile: that stands, and the next run looks again.
            with suppress(Conflict):
                await _keep(store, keys, found, record)
                anew += 1
    return Marked(anew, tuple(unknown))


def _record(found: Document | None) -> KeyRecord | None:
    """Give what a document says of a key; None where it is not one that we can read."""
    try:
        return KeyRecord.model_validate_json(found.body) if found else None
    except ValidationError:
        return None


def _marked_by(keys: MasterKeys, prefix: str, record: KeyRecord) -> int | None:
    """Give the place of the master key that an API key's record is marked under, if any is."""
    marks = [mark.hex() for mark in _marks(keys, prefix, record)]
    same = [hmac.compare_digest(mark.encode(), record.mark.encode()) for mark in marks]
    return same.index(True) if True in same else None


async def _keep(store: Store, keys: MasterKeys, before: Document, record: KeyRecord) -> None:
    mark = _marks(keys, before.key, record)[0].hex()
    body = record.model_copy(update={"mark": mark}).model_dump_json().encode()
    await store.put_document(KIND, Document(before.key, before.version + 1, body))


def _marks(keys: MasterKeys, prefix: str, record: KeyRecord) -> tuple[bytes, ...]:
    said = record.model_dump_json(exclude={"mark"}, exclude_defaults=True)
    return keys.marks(KIND, f"{prefix}\0{said}".encode())


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


_NOBODY = KeyRecord(hash=_hash(""), name="", role="client_app", team="", revoked=True)

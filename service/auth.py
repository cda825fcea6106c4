"""Who is calling, in which role, for which team: an API key, or a token of the organisation's."""

import hashlib
import hmac
import secrets
from typing import Literal, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from service.ports import Clock
from service.session.refusals import Refused
from service.stores.port import Document, Store

Role = Literal["client_app", "therapist", "supervisor", "ops"]
KIND = "api_key"
"""The kind of document that API keys are kept as; the key of each is its public prefix."""


class Caller(NamedTuple):
    """Somebody the service knows."""

    name: str
    """A stable staff or app id; written into the log as the actor."""
    role: Role
    team: str


class KeyRecord(BaseModel):
    """An API key as stored: what is needed to recognise it, and nothing to use it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hash: str
    """SHA-256 of the secret part, hex; the secret has 256 random bits, so no salt is needed."""
    name: str
    role: Role
    team: str
    expires_at_ms: int | None = None
    revoked: bool = False


class TokenVerifier(Protocol):
    """Recognises tokens that are not ours, such as OIDC tokens."""

    async def verify(self, token: str) -> Caller:
        """Give the caller. Raises: Refused unauthenticated; IssuerUnavailable."""
        ...


class Authenticator:
    """Turns an Authorization header into a caller, or refuses."""

    def __init__(self, store: Store, clock: Clock, tokens: TokenVerifier | None = None) -> None:
        self._store = store
        self._clock = clock
        self._tokens = tokens

    async def caller(self, header: str | None) -> Caller:
        """Give the caller of a request.

        Raises: Refused unauthenticated; StoreUnavailable, IssuerUnavailable.
        """
        scheme, _, token = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not token or len(token) > 8_192:
            raise _unknown()
        if token.startswith("sc_"):
            return await self._by_key(token)
        if self._tokens is None:
            raise _unknown()
        return await self._tokens.verify(token)

    async def _by_key(self, token: str) -> Caller:
        prefix, _, secret = token[3:].partition("_")
        found = await self._store.document(KIND, prefix) if prefix.isalnum() else None
        try:
            record = KeyRecord.model_validate_json(found.body) if found else _NOBODY
        except ValidationError:
            record = _NOBODY
        # The same work for a key that does not exist as for one with a wrong secret.
        same = hmac.compare_digest(record.hash, _hash(secret))
        over = record.expires_at_ms is not None and record.expires_at_ms <= self._clock.now_ms()
        if not same or over or record.revoked:
            raise _unknown()
        return Caller(record.name, record.role, record.team)


async def issue(store: Store, caller: Caller, expires_at_ms: int | None = None) -> str:
    """Make an API key and give it once; only its hash is kept."""
    prefix, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    record = KeyRecord(hash=_hash(secret), **caller._asdict(), expires_at_ms=expires_at_ms)
    body = record.model_dump_json().encode()
    await store.put_document(KIND, Document(prefix, 1, body))
    return f"sc_{prefix}_{secret}"


async def revoke(store: Store, prefix: str) -> bool:
    """Make an API key useless at once; False when there is none of that prefix."""
    found = await store.document(KIND, prefix)
    if found is None:
        return False
    record = KeyRecord.model_validate_json(found.body).model_copy(update={"revoked": True})
    body = record.model_dump_json().encode()
    await store.put_document(KIND, Document(prefix, found.version + 1, body))
    return True


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


_NOBODY = KeyRecord(hash=_hash(""), name="", role="client_app", team="", revoked=True)


def _unknown() -> Refused:
    return Refused("unauthenticated", "A valid bearer token is needed.")

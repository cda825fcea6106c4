"""Tokens of the organisation's own sign-in: OIDC; keys rotate, algorithms do not."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
from pydantic import TypeAdapter, ValidationError

from service.auth import Caller, Role
from service.ports import Clock, IssuerUnavailable
from service.session.events import SERVICE
from service.session.refusals import unknown_caller

_ALGORITHMS = ("RS256", "ES256")
"""Never what the token asks for: `none` and shared-secret algorithms are refused."""
_ROLE_CLAIM, _TEAM_CLAIM = "secondchair_role", "secondchair_team"
"""What the organisation's sign-in says of whom; docs/operations.md tells it to."""
_ROLE: TypeAdapter[Role] = TypeAdapter(Role)
_KEY_SET = TypeAdapter(dict[str, Any])
_SKEW_S = 60
_LONGEST_NAME = 200
"""As much as a colleague may be named by, to hand a session over."""
_FRESH_MS = 600_000
"""How long fetched keys are used without looking again."""
_AGAIN_MS = 10_000
"""How soon an unknown key id may make us look again; strangers cannot make us fetch all day."""
_PATIENCE_S = 5
_RETRY_MS = 1_000
"""How soon we look again while no key is known at all; nobody can sign in until then."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose tokens are accepted, and where its keys are."""

    issuer: str
    audience: str
    jwks_url: str
    name_claim: str = "sub"
    """Which claim says what somebody is called; nobody may choose its value for themselves."""


class OidcVerifier:
    """Recognises an issuer's tokens. Any doubt is a refusal without a reason."""

    def __init__(self, client: httpx.AsyncClient, issuer: Issuer, clock: Clock) -> None:
        self._client = client
        self._issuer = issuer
        self._clock = clock
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._tried_at_ms: int | None = None
        self._fetching = asyncio.Lock()

    async def verify(self, token: str) -> Caller:
        """Give the caller a token stands for.

        Raises: Refused unauthenticated; IssuerUnavailable while no key is known at all.
        """
        try:
            kid = str(jwt.get_unverified_header(token)["kid"])
            key = await self._key(kid)
            claims: dict[str, Any] = jwt.decode(
                token, key, algorithms=_ALGORITHMS, audience=self._issuer.audience,
                issuer=self._issuer.issuer, leeway=_SKEW_S,
                options={"require": ["exp", "iat", "sub", "iss", "aud"]},
            )  # fmt: skip
        except (jwt.PyJWTError, KeyError, ValueError) as error:
            raise unknown_caller() from error
        team = claims.get(_TEAM_CLAIM)
        if not isinstance(team, str) or not team:
            raise unknown_caller()
        try:
            role = _ROLE.validate_python(claims.get(_ROLE_CLAIM))
        except ValidationError as error:
            raise unknown_caller() from error
        name = claims.get(self._issuer.name_claim)
        if not isinstance(name, str) or not name.isprintable() or name.strip() in {"", SERVICE}:
            raise unknown_caller()
        # Cut short, two people could become one.
        if len(name) > _LONGEST_NAME:
            raise unknown_caller()
        via = f"oidc:{self._issuer.issuer}\0{claims['sub']}"
        return Caller(name.strip(), role, team, via)

    async def _key(self, kid: str) -> jwt.PyJWK:
        """Give a key by id; fetch the set again when it is old, or when the id is new."""
        # A key that is known need not wait for somebody else's fetch.
        if self._due(kid) and not (kid in self._keys and self._fetching.locked()):
            async with self._fetching:
                # Whoever waited here uses what the first one found.
                if self._due(kid):
                    await self._fetch()
        if not self._keys:
            raise IssuerUnavailable
        return self._keys[kid]

    def _due(self, kid: str) -> bool:
        if self._tried_at_ms is None:
            return True
        age = self._clock.now_ms() - self._tried_at_ms
        rest_ms = _AGAIN_MS if self._keys else _RETRY_MS
        if kid in self._keys:
            rest_ms = _FRESH_MS
        # A clock that was set back must not keep us from looking.
        return not 0 <= age <= rest_ms

    async def _fetch(self) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                answer = await self._client.get(self._issuer.jwks_url)
            self._keys = _read(answer) or self._keys
        except (httpx.HTTPError, TimeoutError, jwt.PyJWTError, ValueError):
            # Keys that were good a moment ago stay good while the issuer cannot be reached.
            pass
        # Only now: those who waited five seconds in vain must not each wait as long again.
        self._tried_at_ms = self._clock.now_ms()


def _read(answer: httpx.Response) -> Mapping[str, jwt.PyJWK]:
    """Give the keys of a key set by id. Raises: HTTPError, PyJWTError, ValueError."""
    found = _KEY_SET.validate_json(answer.raise_for_status().content)
    keys = jwt.PyJWKSet.from_dict(found).keys
    return {str(key.key_id): key for key in keys if key.key_id}

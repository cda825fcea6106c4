"""Tokens of the organisation's own sign-in: OIDC; keys rotate, algorithms do not."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import jwt
from pydantic import TypeAdapter, ValidationError

from service.auth import Caller, Role
from service.ports import Clock
from service.session.refusals import Refused

_ALGORITHMS = ("RS256", "ES256")
"""Never what the token asks for: `none` and shared-secret algorithms are refused."""
_ROLE: TypeAdapter[Role] = TypeAdapter(Role)
_SKEW_S = 60
_FRESH_MS = 600_000
"""How long fetched keys are used without looking again."""
_AGAIN_MS = 10_000
"""How soon an unknown key id may make us look again; strangers cannot make us fetch all day."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose tokens are accepted, and where its keys are."""

    issuer: str
    audience: str
    jwks_url: str
    role_claim: str = "secondchair_role"
    team_claim: str = "secondchair_team"


class OidcVerifier:
    """Recognises an issuer's tokens. Any doubt is a refusal without a reason."""

    def __init__(self, client: httpx.AsyncClient, issuer: Issuer, clock: Clock) -> None:
        self._client = client
        self._issuer = issuer
        self._clock = clock
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._fetched_at_ms = -_FRESH_MS

    async def verify(self, token: str) -> Caller:
        """Give the caller a token stands for. Raises: Refused unauthenticated."""
        try:
            kid = str(jwt.get_unverified_header(token)["kid"])
            key = await self._key(kid)
            claims: dict[str, Any] = jwt.decode(
                token, key, algorithms=_ALGORITHMS, audience=self._issuer.audience,
                issuer=self._issuer.issuer, leeway=_SKEW_S,
                options={"require": ["exp", "iat", "sub", "iss", "aud"]},
            )  # fmt: skip
        except (jwt.PyJWTError, KeyError, ValueError) as error:
            raise _unknown() from error
        team = claims.get(self._issuer.team_claim)
        if not isinstance(team, str) or not team:
            raise _unknown()
        try:
            role = _ROLE.validate_python(claims.get(self._issuer.role_claim))
        except ValidationError as error:
            raise _unknown() from error
        return Caller(str(claims["sub"])[:100], role, team)

    async def _key(self, kid: str) -> jwt.PyJWK:
        """Give a key by id; fetch the set again when it is old, or when the id is new."""
        age = self._clock.now_ms() - self._fetched_at_ms
        if age > _FRESH_MS or (kid not in self._keys and age > _AGAIN_MS):
            await self._fetch()
        return self._keys[kid]

    async def _fetch(self) -> None:
        self._fetched_at_ms = self._clock.now_ms()
        try:
            async with asyncio.timeout(5):
                answer = await self._client.get(self._issuer.jwks_url)
            found = jwt.PyJWKSet.from_dict(answer.raise_for_status().json())
        except (httpx.HTTPError, TimeoutError):
            # Keys that were good a moment ago stay good while the issuer cannot be reached.
            return
        self._keys = {str(key.key_id): key for key in found.keys if key.key_id}


def _unknown() -> Refused:
    return Refused("unauthenticated", "A valid bearer token is needed.")

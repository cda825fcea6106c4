"""Tokens of the organisation's sign-in: good ones are known, all others are strangers."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from service.auth import Authenticator
from service.oidc import Issuer, OidcVerifier
from service.ports import IssuerUnavailable
from service.session.refusals import Refused
from tests.driving import town
from tests.fakes import ManualClock

ISSUER = Issuer("https://id.example.org", "secondchair", "https://id.example.org/keys")
GOOD = {"secondchair_role": "therapist", "secondchair_team": "north"}


class Provider:
    """An identity provider that can change its keys and go away."""

    def __init__(self) -> None:
        self.keys = {"one": rsa.generate_private_key(65537, 2048)}
        self.fetched = 0
        self.away = False
        self.nonsense: bytes | None = None

    async def answer(self, _: httpx.Request) -> httpx.Response:
        """Give the key set after a moment."""
        self.fetched += 1
        await asyncio.sleep(0.01)
        if self.nonsense is not None:
            return httpx.Response(200, content=self.nonsense)
        if self.away:
            return httpx.Response(503)
        found = [
            json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
            | {"kid": kid, "alg": "RS256", "use": "sig"}
            for kid, key in self.keys.items()
        ]
        return httpx.Response(200, json={"keys": found})

    def token(self, clock: ManualClock, kid: str = "one", **claims: object) -> str:
        """Sign a token that is good unless the claims say otherwise."""
        now = clock.now_ms() // 1000
        body: Mapping[str, object] = {
            "iss": ISSUER.issuer, "aud": ISSUER.audience, "sub": "staff-7", "iat": now,
            "exp": now + 300, **GOOD, **claims,
        }  # fmt: skip
        kept = {name: value for name, value in body.items() if value is not None}
        return jwt.encode(kept, self.keys[kid], "RS256", headers={"kid": kid})


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(time.time_ns() // 1_000_000)


@pytest.fixture
async def verifier(provider: Provider, clock: ManualClock) -> AsyncIterator[OidcVerifier]:
    async with httpx.AsyncClient(transport=httpx.MockTransport(provider.answer)) as client:
        yield OidcVerifier(client, ISSUER, clock)


async def test_a_good_token_names_its_bearer(
    verifier: OidcVerifier, provider: Provider, clock: ManualClock
) -> None:
    caller = await verifier.verify(provider.token(clock))
    assert caller[:3] == ("staff-7", "therapist", "north")


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1}, {"iss": "https://other.example.org"}, {"aud": "somebody-else"},
        {"secondchair_role": "owner"}, {"secondchair_role": None}, {"secondchair_team": None},
        {"secondchair_team": ""}, {"sub": None}, {"iat": None},
    ],
    ids=lambda claims: "-".join(claims),
)  # fmt: skip
async def test_a_token_with_a_wrong_claim_is_a_stranger(
    verifier: OidcVerifier, provider: Provider, clock: ManualClock, claims: dict[str, object]
) -> None:
    with pytest.raises(Refused) as refused:
        await verifier.verify(provider.token(clock, **claims))
    assert refused.value.code == "unauthenticated"


async def test_two_people_with_long_names_stay_two(
    verifier: OidcVerifier, provider: Provider, clock: ManualClock
) -> None:
    bridged = f"https://idp.example.org/{'a' * 150}"
    names = [f"{bridged}!one", f"{bridged}!two"]
    callers = [await verifier.verify(provider.token(clock, sub=name)) for name in names]
    assert [one.name for one in callers] == names
    assert await accepted(verifier, [provider.token(clock, sub="a" * 201)]) == ["unauthenticated"]


async def test_people_are_called_by_the_claim_that_the_operator_chose(
    provider: Provider, clock: ManualClock
) -> None:
    called = replace(ISSUER, name_claim="email")
    async with httpx.AsyncClient(transport=httpx.MockTransport(provider.answer)) as client:
        verifier = OidcVerifier(client, called, clock)
        caller = await verifier.verify(provider.token(clock, email="ada@example.com"))
        assert caller.name == "ada@example.com"
        assert "staff-7" in caller.account
        nameless = [provider.token(clock, email=one) for one in (None, "", "  ", 7, ["ada"])]
        assert await accepted(verifier, nameless) == ["unauthenticated"] * 5


async def test_the_token_does_not_choose_its_algorithm(
    verifier: OidcVerifier, provider: Provider, clock: ManualClock
) -> None:
    claims = jwt.decode(provider.token(clock), options={"verify_signature": False})
    unsigned = jwt.encode(claims, None, "none", headers={"kid": "one"})
    shared = jwt.encode(claims, "a" * 64, "HS256", headers={"kid": "one"})
    for forged in (unsigned, shared, "not.a.token", "ünïcode"):
        with pytest.raises(Refused):
            await verifier.verify(forged)


async def test_a_small_clock_skew_is_forgiven(
    verifier: OidcVerifier, provider: Provider, clock: ManualClock
) -> None:
    now = clock.now_ms() // 1000
    assert await verifier.verify(provider.token(clock, iat=now + 30, exp=now - 30))


async def test_new_keys_are_found_and_strangers_cannot_make_us_fetch_all_day(
    verifier: OidcVerifier, provider: Provider, clock: ManualClock
) -> None:
    await verifier.verify(provider.token(clock))
    provider.keys["two"] = rsa.generate_private_key(65537, 2048)
    clock.tick(11_000)
    assert await verifier.verify(provider.token(clock, "two"))
    fetched = provider.fetched
    provider.keys["three"] = rsa.generate_private_key(65537, 2048)
    for _ in range(20):
        with pytest.raises(Refused):
            await verifier.verify(provider.token(clock, "three"))
    assert provider.fetched == fetched


async def test_known_keys_stay_good_while_the_provider_is_away(
    verifier: OidcVerifier, provider: Provider, clock: ManualClock
) -> None:
    await verifier.verify(provider.token(clock))
    provider.away = True
    clock.tick(700_000)
    assert await verifier.verify(provider.token(clock, iat=clock.now_ms() // 1000 - 700))


async def accepted(verifier: OidcVerifier, tokens: list[str]) -> list[str]:
    """Show tokens at once; give what each was answered."""
    found = await asyncio.gather(*map(verifier.verify, tokens), return_exceptions=True)
    return [one.code if isinstance(one, Refused) else type(one).__name__ for one in found]


async def test_all_who_come_at_a_cold_start_share_one_fetch(
    verifier: OidcVerifier, provider: Provider, clock: ManualClock
) -> None:
    assert await accepted(verifier, [provider.token(clock)] * 10) == ["Caller"] * 10
    assert provider.fetched == 1


async def test_all_who_come_after_a_rotation_share_one_fetch(
    verifier: OidcVerifier, provider: Provider, clock: ManualClock
) -> None:
    await verifier.verify(provider.token(clock))
    old = provider.token(clock)
    provider.keys = {"two": rsa.generate_private_key(65537, 2048)}
    clock.tick(11_000)
    new = provider.token(clock, "two")
    assert await accepted(verifier, [new, old, new, new]) == ["Caller"] * 4
    assert provider.fetched == 2
    assert await accepted(verifier, [old, new]) == ["unauthenticated", "Caller"]


@pytest.mark.parametrize("nonsense", [None, b"<html>", b"[]", b"{}", b'{"keys": [{}]}', b"\xff"])
async def test_nobody_is_a_stranger_while_no_key_is_known(
    verifier: OidcVerifier, provider: Provider, clock: ManualClock, nonsense: bytes | None
) -> None:
    provider.away, provider.nonsense = True, nonsense
    token = provider.token(clock)
    assert await accepted(verifier, [token] * 10) == ["IssuerUnavailable"] * 10
    assert provider.fetched == 1
    provider.away, provider.nonsense = False, None
    clock.tick(1_001)
    assert await accepted(verifier, [token] * 10) == ["Caller"] * 10
    assert provider.fetched == 2


async def test_a_fetch_that_is_given_up_leaves_the_next_one_to_fetch(
    verifier: OidcVerifier, provider: Provider, clock: ManualClock
) -> None:
    impatient = asyncio.create_task(verifier.verify(provider.token(clock)))
    await asyncio.sleep(0)
    impatient.cancel()
    assert await verifier.verify(provider.token(clock))


async def test_a_clock_that_was_set_back_does_not_keep_new_keys_out(
    verifier: OidcVerifier, provider: Provider, clock: ManualClock
) -> None:
    await verifier.verify(provider.token(clock))
    provider.keys["two"] = rsa.generate_private_key(65537, 2048)
    clock.tick(-600_000)
    assert await verifier.verify(provider.token(clock, "two", exp=time.time() + 300))


async def test_an_issuer_that_is_away_is_told_as_such(
    verifier: OidcVerifier, provider: Provider, clock: ManualClock
) -> None:
    async with town() as here:
        here.refit(auth=Authenticator(here.store, here.clock, here.master, verifier))
        here.keys = {**here.keys, "staff": provider.token(clock)}
        provider.away = True
        answer = await here.call("staff", "GET", "/v1/me")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer.headers["Retry-After"] == "1"
        with pytest.raises(IssuerUnavailable):
            await verifier.verify(provider.token(clock))

"""Nobody uses up what is another's: not by a name, not by guessing, not by asking after health."""

import asyncio
import time
from dataclasses import dataclass

import httpx
import pytest

from service.auth import Authenticator, Caller
from service.limits import Allowance, LatelyTried, Seats, Strangers
from service.oidc import Issuer, OidcVerifier
from service.session.refusals import Refused
from service.stores.memory import MemoryStore
from service.stores.port import Document
from tests.driving import Town, town
from tests.fakes import ManualClock, ScriptedEngine
from tests.listening import ended, listens, outlast
from tests.security.test_oidc_tokens import Provider

TEAMS = ("north", "south")


class Counting(MemoryStore):
    """A store that counts how often a key is looked up."""

    looks = 0

    async def document(self, kind: str, key: str) -> Document | None:
        """Count and look."""
        self.looks += 1
        return await super().document(kind, key)


@dataclass
class SigningIn:
    """The organisation's sign-in, which counts how often it is asked."""

    asked: int = 0

    async def verify(self, token: str) -> Caller:
        """Know the good ones."""
        self.asked += 1
        if not token.startswith("good."):
            raise Refused("unauthenticated", "A valid bearer token is needed.")
        return Caller(token, "therapist", "north", f"oidc:{token}")


@dataclass
class Probed(ScriptedEngine):
    """An engine that counts how often it is tried, and takes its time."""

    good: bool = True
    tries: int = 0

    async def healthy(self) -> bool:
        """Say what it was told."""
        self.tries += 1
        await asyncio.sleep(0.01)
        return self.good


async def test_two_teams_keys_of_one_name_have_an_allowance_each(here: Town) -> None:
    for team in TEAMS:
        await here.admit(team, Caller("web", "client_app", team))
    here.house.allowance.rate = here.house.allowance.burst = 2
    for _ in range(2):
        assert (await here.call("north", "GET", "/v1/me")).status_code == 200
    assert (await here.call("north", "GET", "/v1/me")).status_code == 429
    assert (await here.call("south", "GET", "/v1/me")).status_code == 200


async def test_two_teams_keys_of_one_name_have_their_own_streams(here: Town) -> None:
    here.refit(seats=Seats(people=1))
    for team in TEAMS:
        await here.admit(team, Caller("web", "therapist", team))
    told = [await listens(here, team) for team in TEAMS]
    assert (await here.call("north", "GET", "/v1/stream")).status_code == 429
    await outlast(here)
    for one in told:
        await ended(one)


async def test_who_signs_in_is_told_apart_by_issuer_subject_and_team(here: Town) -> None:
    provider, seen = Provider(), set[str]()
    clock = ManualClock(time.time_ns() // 1_000_000)
    async with httpx.AsyncClient(transport=httpx.MockTransport(provider.answer)) as client:
        issuer = Issuer("https://id.example.org", "secondchair", "https://id.example.org/keys")
        verifier = OidcVerifier(client, issuer, clock)
        auth = Authenticator(here.store, here.clock, here.master, verifier)
        for claims in ({}, {"sub": "staff-8"}, {"secondchair_team": "south"}):
            token = provider.token(clock, "one", **claims)
            seen.add((await auth.caller(f"Bearer {token}")).account)
    assert len(seen) == 3
    assert all("https://id.example.org" in one for one in seen)


async def test_guesses_from_one_address_are_refused_and_keep_no_good_key_out() -> None:
    store = Counting()
    async with town(store) as here:
        here.refit(strangers=Strangers(Allowance(1.0, 3.0)))
        assert (await here.call("ada", "GET", "/v1/me")).status_code == 200
        heard: list[int] = []
        looks = store.looks
        for number in range(6):
            header = {"Authorization": f"Bearer sc_{number:012d}_guess"}
            heard.append((await here.http.get("/v1/me", headers=header)).status_code)
        assert heard == [401, 401, 401, 429, 429, 429]
        assert store.looks == looks + 6, "one look each, and no more"
        # Whoever is at work behind the same gateway goes on, and so does who comes new.
        for who in ("ada", "ben"):
            assert (await here.call(who, "GET", "/v1/me")).status_code == 200


async def test_guesses_make_nobody_verify_tokens_for_long_and_who_signed_in_goes_on() -> None:
    async with town() as here:
        signing = SigningIn()
        auth = Authenticator(here.store, here.clock, here.master, signing)
        here.refit(strangers=Strangers(Allowance(1.0, 3.0)), auth=auth)

        async def heard(token: str) -> int:
            header = {"Authorization": f"Bearer {token}"}
            return (await here.http.get("/v1/me", headers=header)).status_code

        assert await heard("good.1") == 200
        assert [await heard(f"bad.{one}") for one in range(5)] == [401, 401, 401, 429, 429]
        assert signing.asked == 4
        assert await heard("good.1") == 200
        assert await heard("good.2") == 429, "nobody can tell it from a guess without asking"
        here.clock.tick(1_000)
        assert await heard("good.2") == 200


async def test_who_shows_nothing_costs_nothing(here: Town) -> None:
    here.refit(strangers=Strangers(Allowance(1.0, 1.0)))
    for _ in range(3):
        assert (await here.call("", "GET", "/v1/me")).status_code == 401
    assert (await here.call("ada", "GET", "/v1/me")).status_code == 200


async def test_addresses_and_tokens_are_forgotten_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.limits._KNOWN", 10)
    strangers = Strangers()
    for number in range(50):
        with strangers.meeting("10.0.0.1", f"Bearer {number}", 0):
            pass
        with pytest.raises(Refused), strangers.meeting(f"10.0.1.{number}", f"x{number}", 0):
            raise Refused("unauthenticated", "no")
    assert len(strangers._met) == len(strangers._failed) == 10
    assert len(strangers.failures._left) == 10


async def test_the_engine_is_tried_once_in_five_seconds_whoever_asks() -> None:
    engine = Probed()
    async with town(engine=engine) as here:
        answers = await asyncio.gather(*(here.http.get("/readyz") for _ in range(20)))
        assert {one.json()["checks"]["engine"] for one in answers} == {"ok"}
        assert engine.tries == 1
        engine.good = False
        assert (await here.http.get("/readyz")).json()["status"] == "ok"
        here.clock.tick(5_000)
        assert (await here.http.get("/readyz")).json()["status"] == "degraded"
        assert engine.tries == 2


async def test_whoever_gives_up_waiting_leaves_what_is_found_to_the_next() -> None:
    verdict, engine = LatelyTried(), Probed()
    first = asyncio.create_task(verdict.of(engine.healthy, lambda: 0))
    await asyncio.sleep(0)
    first.cancel()
    assert await verdict.of(engine.healthy, lambda: 0)
    assert engine.tries == 1


async def test_an_engine_that_hangs_keeps_nobody_waiting_who_asks_how_it_is() -> None:
    hangs, clock = asyncio.Event(), ManualClock()
    tried = LatelyTried(patience_s=0.01)

    async def attempt() -> bool:
        await hangs.wait()
        return False

    assert await tried.of(Probed().healthy, clock.now_ms)
    clock.tick(5_000)
    assert await tried.of(attempt, clock.now_ms), "what was found before"
    hangs.set()
    await asyncio.sleep(0)
    assert not await tried.of(attempt, clock.now_ms)


def test_a_tab_whose_token_has_ended_uses_up_no_colleague_s_first_try() -> None:
    strangers = Strangers()
    for second in range(600):
        with pytest.raises(Refused), strangers.meeting("10.0.0.1", "Bearer ended", 0):
            raise Refused("unauthenticated", str(second))
    with strangers.meeting("10.0.0.1", "Bearer new", 0):
        pass

"""What every route may reach, and how it learns who is calling."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Final

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service.auth import Authenticator, Caller, Role
from service.desk import Desk, Reviewer
from service.ids import session_of
from service.ledger import Ledger, Under
from service.limits import Allowance, LatelyTried, Seats, Strangers
from service.ports import Ports
from service.rolling import Rolling
from service.sealing import MasterKeys
from service.session.events import Event, Read, WordsRead
from service.session.refusals import Refused, erased
from service.session.state import State
from service.stores.port import ClaimLost, Fence
from service.telemetry.log import LogEvent, log_line, note


@dataclass(frozen=True, slots=True)
class House:
    """One process's parts, made by `main` and passed by hand."""

    ledger: Ledger
    ports: Ports
    keys: MasterKeys
    auth: Authenticator
    allowance: Allowance = field(default_factory=Allowance)
    rolling: Rolling | None = None
    """The adapter desk; None where an engine cannot change adapters."""
    metrics_token: str | None = None
    """Bearer of /metrics; None leaves protection to the network policy."""
    harness: bool = False
    """Whether the doors for simulated conversations are open."""
    claim_ms: int = 90_000
    """How long a claim lasts without a renewal."""
    seats: Seats = field(default_factory=Seats)
    strangers: Strangers = field(default_factory=Strangers)
    engine_tried: LatelyTried = field(default_factory=LatelyTried)
    """Whether the engine worked when it was tried last."""

    @property
    def desk(self) -> Desk:
        """What deciding needs."""
        return Desk(self.ledger, self.ports)


_BEARER = HTTPBearer(auto_error=False, description="An API key or an OIDC token.")


async def house_of(request: Request) -> House:
    """Give the process's house. Not a plain function, which would be run in a thread."""
    return request.app.state.house


KNOWN_FOR_WORDS_MS: Final = 5_000
"""Asks again who is listening after this, before words are sent."""


@dataclass(slots=True)
class Listening:
    """A caller whose answer goes on for long: a key may be revoked before its last words leave."""

    house: House
    caller: Caller
    authorization: str | None
    known_ms: int
    """When the caller was recognised last."""

    async def recognised(self, within_ms: int) -> None:
        """Prove that the caller is still who asked, unless proven just now.

        Raises: Refused unauthenticated; StoreUnavailable, IssuerUnavailable.
        """
        now_ms = self.house.ports.clock.now_ms()
        if 0 <= now_ms - self.known_ms < within_ms:
            return
        if await self.house.auth.caller(self.authorization) != self.caller:
            raise Refused("unauthenticated", "The caller's role or team has changed.")
        self.known_ms = now_ms


InHouse = Annotated[House, Depends(house_of)]


async def _caller(
    request: Request,
    house: InHouse,
    _: Annotated[HTTPAuthorizationCredentials | None, Security(_BEARER)],
) -> Caller:
    return await recognised(house, request, request.headers.get("Authorization"))


async def recognised(house: House, request: Request, header: str | None) -> Caller:
    """Give who sent a request, and count it towards their limits.

    Raises: Refused unauthenticated, rate_limited; StoreUnavailable, IssuerUnavailable.
    """
    address = request.client.host if request.client else ""
    now_ms = house.ports.clock.now_ms()
    with house.strangers.meeting(address, header or "", now_ms) as thorough:
        caller = await house.auth.caller(header, thorough=thorough)
    note(actor=caller.name)
    house.allowance.spend(caller.account, now_ms)
    return caller


def _only(*roles: Role) -> Callable[[Caller], Awaitable[Caller]]:
    async def check(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
        if caller.role not in roles:
            raise Refused("forbidden", "Your role may not do this.")
        return caller

    return check


Anybody = Annotated[Caller, Depends(_caller)]
ClientApp = Annotated[Caller, Depends(_only("client_app"))]
Therapist = Annotated[Caller, Depends(_only("therapist", "supervisor"))]
Supervisor = Annotated[Caller, Depends(_only("supervisor"))]
Ops = Annotated[Caller, Depends(_only("ops", "supervisor"))]
ClaimHeader = Annotated[str | None, Header(alias="X-Claim", max_length=100)]
_READING_MS = 600_000
"""A console looks every few seconds. For this long that is one reading, written down once."""


async def session_for(house: House, caller: Caller, session_id: str) -> State:
    """Give a session of the caller's team; another team's does not exist for her.

    Raises: Refused not_found, session_erased.
    """
    state = await session_or_its_proof(house, caller, session_id)
    if state.status == "erased":
        raise erased(state.seq)
    return state


async def session_or_its_proof(house: House, caller: Caller, session_id: str) -> State:
    """Give a session of the caller's team, be it erased. Raises: Refused not_found."""
    state = await house.ledger.load(session_id)
    if state.team != caller.team:
        raise Refused("not_found", "No such session.")
    note(session_id=session_id)
    return state


async def session_of_part(house: House, caller: Caller, own: str) -> State:
    """Give the session that a draft, plan, alert or decision belongs to. Raises: as above."""
    session_id = session_of(own)
    if session_id is None:
        raise Refused("not_found", "No such thing.")
    return await session_for(house, caller, session_id)


async def read_by(
    house: House, caller: Caller, state: State, what: Read, once_in_ms: int = _READING_MS
) -> State:
    """Write down that a supervisor is shown words, before they leave; give the session after it.

    Looks within ``once_in_ms`` are one reading; with 0 each is one of its own.
    Raises: Refused session_erased; StoreUnavailable. Then nothing may be shown.
    """
    if caller.role != "supervisor":
        return state
    now_ms = house.ports.clock.now_ms()

    def write(now: State) -> tuple[Event, ...]:
        before_ms = now.read_at_ms.get((caller.name, what))
        # A clock that was set back must not hide a reading.
        lately = before_ms is not None and 0 <= now_ms - before_ms < once_in_ms
        return () if lately else (WordsRead(what=what),)

    if not write(state):
        return state
    done = await house.ledger.append(state.session_id, write, caller.name)
    if done.events:
        log_line(LogEvent.WORDS_READ, session_id=state.session_id, actor=caller.name)
    return done.state


async def reviewer(house: House, caller: Caller, state: State, claim: str | None) -> Reviewer:
    """Give the caller as the holder of a claim; checked before any other rule.

    Raises: Refused claim_required; ClaimLost.
    """
    if claim is None:
        raise Refused("claim_required", "Claim the session first and send X-Claim.")
    fence = Fence(caller.name, number_of(claim))
    stored = await house.ports.store.row(state.session_id)
    held = stored.claim if stored else None
    if held is None or (held.holder, held.number) != fence:
        raise ClaimLost
    return Reviewer(caller.name, Under(fence))


def number_of(claim: str) -> int:
    """Give a claim's number. Raises: ClaimLost for anything that is not one of ours."""
    digits = claim.removeprefix("clm_")
    if not digits.isdecimal() or not digits.isascii() or len(digits) > 12:
        raise ClaimLost
    return int(digits)

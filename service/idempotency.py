"""The same request twice is answered the same and done once, also across a crash."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Depends, Header, Request
from pydantic import BaseModel

from planner.plan_rules import NotAllowed
from service.auth import Caller
from service.desk import Reviewer
from service.house import ClientApp, House, InHouse, Therapist, reviewer
from service.ledger import Decide, Under
from service.session.refusals import Refused
from service.session.state import State
from service.stores.port import (
    AlreadyAnswered,
    Answer,
    ClaimedByOther,
    ClaimLost,
    Fence,
)

_KEPT_MS = 48 * 3_600_000
"""How long an answer is remembered."""
_LONGEST = 128


class Stamp(BaseModel):
    """What is remembered of an answer: enough to give it again, no words."""

    id: str
    seq: int
    status: str = ""
    updated_at_ms: int = 0
    release_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class OnceOnly:
    """One request with its idempotency key, if it has one; without one it is done each time."""

    house: House
    caller: Caller
    marks: Mapping[str, bytes]
    """Under each master key: where its answer may stand, and its body's hash there.

    Empty without a key.
    """

    async def do(self, work: Callable[[], Awaitable[Stamp]]) -> Stamp:
        """Give what ``work`` gives, which appends `under` this, or what was answered before.

        Nobody looks for an earlier answer first, which would cost each message another wait for the
        store: the append finds it. What appends nothing finds none, so a refusal looks here.
        Raises: what ``work`` does; Refused idempotency_key_reused.
        """
        try:
            return await work()
        except AlreadyAnswered as earlier:
            return self._same(earlier.answer)
        except (Refused, NotAllowed, ClaimLost, ClaimedByOther):
            if found := await self.given():
                return found
            raise

    async def given(self) -> Stamp | None:
        """Give what was answered before. Raises: Refused idempotency_key_reused."""
        for key in self.marks:
            if found := await self.house.ports.store.answer(key):
                return self._same(found)
        return None

    def _same(self, found: Answer) -> Stamp:
        """A remembered answer, if it was to this very body."""
        if found.body_hash != self.marks[found.key]:
            raise Refused("idempotency_key_reused", "This key came with another request before.")
        return Stamp.model_validate_json(found.body)

    async def append(self, session_id: str, decide: Decide, own_id: str | None = None) -> Stamp:
        """Append `under` this what ``decide`` says; give its stamp, by default the session's.

        Raises: as there.
        """
        stamp = partial(stamp_of, own_id or session_id)
        done = await self.house.ledger.append(
            session_id, decide, self.caller.name, self.under(stamp)
        )
        return stamp(done.state)

    async def reviewer(
        self, state: State, claim: str | None, stamp: Callable[[State], Stamp]
    ) -> Reviewer:
        """Give the caller as the holder of a claim, who writes `under` this. Raises: as there."""
        by = await reviewer(self.house, self.caller, state, claim)
        return by._replace(under=self.under(stamp, by.under.fence))

    def under(self, stamp: Callable[[State], Stamp], fence: Fence | None = None) -> Under:
        """Give what lets the work be done once, and remembers it in its own transaction."""
        if not self.marks:
            return Under(fence)
        (key, body_hash), *earlier = self.marks.items()
        until_ms = self.house.ports.clock.now_ms() + _KEPT_MS

        def answer(after: State) -> Answer:
            return Answer(key, body_hash, 200, stamp(after).model_dump_json().encode(), until_ms)

        return Under(fence, answer, answered_as=[known for known, _ in earlier])


def stamp_of(own_id: str, state: State, seq: int | None = None) -> Stamp:
    """Give the stamp of an answer about a session as it now is, or about one event of its log."""
    at = state.seq if seq is None else seq
    return Stamp(id=own_id, seq=at, status=state.status, updated_at_ms=state.updated_at_ms)


_Key = Annotated[str | None, Header(alias="Idempotency-Key")]


async def _client_apps(
    request: Request, house: InHouse, caller: ClientApp, key: _Key = None
) -> OnceOnly:
    if key is None:
        raise Refused("idempotency_key_required", "Send an Idempotency-Key header.")
    return await _request(request, house, caller, key)


async def _reviewers(
    request: Request, house: InHouse, caller: Therapist, key: _Key = None
) -> OnceOnly:
    if key is None:
        return OnceOnly(house, caller, {})
    return await _request(request, house, caller, key)


async def _request(request: Request, house: House, caller: Caller, key: str) -> OnceOnly:
    if not 1 <= len(key) <= _LONGEST or not all("!" <= sign <= "~" for sign in key):
        raise Refused("idempotency_key_invalid", "The key must be 1-128 visible ASCII characters.")
    body = await request.body()
    scope = f"{caller.team}\0{caller.name}\0{key}".encode()
    said = f"{request.method}\0{request.url.path}\0".encode() + body
    keys = [mark.hex() for mark in house.keys.marks("answer", scope)]
    return OnceOnly(house, caller, dict(zip(keys, house.keys.marks("body", said), strict=True)))


Once = Annotated[OnceOnly, Depends(_client_apps)]
"""A client app's POST: required key, hashed under the master key so that it tells nothing."""
OnceIfKeyed = Annotated[OnceOnly, Depends(_reviewers)]
"""A reviewer's POST: the same where she sent a key, for then she means to ask again."""

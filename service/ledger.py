"""The only door to the store: load a session, decide, append; again if somebody was faster."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import NamedTuple
from weakref import WeakMethod, WeakValueDictionary

from service.ports import Clock
from service.sealing import GENESIS, DataKey, MasterKeys, new_key
from service.session.duties import Policy
from service.session.events import Event, Recorded, SessionErased, SessionOpened
from service.session.evolve import evolve
from service.session.refusals import Refused, erased
from service.session.row import summarise
from service.session.state import State
from service.stores.port import Answer, Append, Conflict, Envelope, Fence, Store

_ATTEMPTS = 20
"""Each lost race means that somebody else got through; twenty in a row do not happen by chance."""
_REMEMBERED = 2_000
"""Sessions whose folded state stays in memory."""
_KEPT_MS, _LOOKED_OVER_S = 600_000, 60.0
"""How long after the last look, and how often that is looked over: an erasure by another process
is told to nobody here, and its words and their open key must not outlive it for long."""
_FRESH_MS = 1_000
"""How long what is remembered may be appended to without a look: no failover is over as quickly."""

Decide = Callable[[State], Sequence[Event]]


@dataclass(frozen=True, slots=True)
class Under:
    """What must be true in the transaction of an append, and what is remembered with it."""

    fence: Fence | None = None
    answer: Callable[[State], Answer] | None = None
    """Makes the remembered answer from the state after the append."""
    answered_as: Sequence[str] = ()
    """Further keys it may stand under already; see `Append.answered_as`."""


class Appended(NamedTuple):
    """The session after an append, and what was added."""

    state: State
    events: tuple[Recorded, ...]


class _Known(NamedTuple):
    state: State
    head: bytes
    key: DataKey
    seen_ms: int = 0
    """When it was last what the store held."""


class Ledger:
    """Folds logs into sessions and appends what a decide function says.

    Remembers folded sessions and reads on from the newest event it knows of each. A log only grows,
    unless a failover of the store lost its end: where that event is not the one in the log, nothing
    remembered counts, and the log is folded anew. What nobody looked at lately is let go.
    """

    def __init__(self, store: Store, keys: MasterKeys, clock: Clock, policy: Policy) -> None:
        self.store = store
        self.policy = policy
        self._keys = keys
        self._clock = clock
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._next_look: asyncio.TimerHandle | None = None

    async def load(self, session_id: str) -> State:
        """Give the session as it stands. Raises: Refused not_found; StoreUnavailable."""
        return (await self._load(session_id)).state

    async def open(self, session_id: str, opened: SessionOpened, actor: str, under: Under) -> State:
        """Write a session's first event and its wrapped key."""
        data_key = new_key()
        known = _Known(State(session_id), GENESIS, DataKey(session_id, data_key))
        wrapped = self._keys.wrap(session_id, data_key)
        write, after, _ = self._prepare(known, (opened,), actor, under)
        await self.store.append(replace(write, wrapped_key=wrapped))
        self._remember(after)
        return after.state

    async def append(
        self, session_id: str, decide: Decide, actor: str, under: Under | None = None
    ) -> Appended:
        """Append what ``decide`` says of the newest state; decide again after a lost race.

        Raises: Refused (nothing written; session_erased whatever ``decide`` says); ClaimLost;
        AlreadyAnswered; StoreUnavailable.
        """
        async with self._alone(session_id):
            # What is remembered is nearly always the newest, and the store says when it is not: by
            # the log's length, which others may have made up again after a failover cut it. So only
            # what was seen just now is appended to, and a refusal counts only after a fresh look.
            if remembered := self._fresh(session_id):
                with suppress(Conflict, Refused):
                    done = await self._append(remembered, decide, actor, under)
                    if done.events:
                        return done
            for _ in range(_ATTEMPTS):
                with suppress(Conflict):
                    known = await self._load(session_id)
                    return await self._append(known, decide, actor, under)
        raise Conflict

    async def seal_side(self, session_id: str, purpose: str, words: str) -> bytes:
        """Seal words that belong to a session but not to its log.

        Raises: Refused not_found, session_erased: what nobody could open is not kept.
        """
        return (await self._unerased(session_id)).key.seal_side(purpose, words.encode())

    async def open_side(self, session_id: str, purpose: str, sealed: bytes) -> str:
        """Open what `seal_side` made. Raises: Refused not_found, session_erased; KeyUnreadable."""
        return (await self._unerased(session_id)).key.open_side(purpose, sealed).decode()

    async def events(self, session_id: str, after: int) -> Mapping[int, Recorded]:
        """Give opened events by seq, for auditors. Raises: as `opened`."""
        return await self.opened(session_id, await self.store.read(session_id, after))

    async def opened(
        self, session_id: str, envelopes: Iterable[Envelope]
    ) -> Mapping[int, Recorded]:
        """Open envelopes that were read, by seq.

        Raises: Refused not_found, session_erased; KeyUnreadable.
        """
        key = (await self._unerased(session_id)).key
        return {one.seq: key.open(one) for one in envelopes}

    async def erase(self, session_id: str, actor: str) -> State:
        """Write the last event and destroy the key in one transaction; twice is no error."""
        for _ in range(_ATTEMPTS):
            known = await self._load(session_id)
            if known.state.status == "erased":
                return known.state
            write, after, _ = self._prepare(known, (SessionErased(),), actor, Under())
            try:
                await self.store.append(replace(write, destroy_key=True))
            except Conflict:
                continue
            self._known.pop(session_id, None)
            return after.state
        raise Conflict

    async def _append(
        self, known: _Known, decide: Decide, actor: str, under: Under | None
    ) -> Appended:
        decided = tuple(decide(known.state))
        if not decided:
            return Appended(known.state, ())
        if known.state.status == "erased":
            # Its log has ended: no key is left that could read what came after.
            raise erased(known.state.seq)
        write, after, added = self._prepare(known, decided, actor, under or Under())
        await self.store.append(write)
        self._remember(after)
        return Appended(after.state, added)

    def _fresh(self, session_id: str) -> _Known | None:
        known = self._known.get(session_id)
        return known if known and 0 <= self._clock.now_ms() - known.seen_ms < _FRESH_MS else None

    def _alone(self, session_id: str) -> asyncio.Lock:
        """One append to a session at a time in this process: races are only lost to others."""
        lock = self._locks.get(session_id)
        if lock is None:
            lock = self._locks[session_id] = asyncio.Lock()
        return lock

    async def _load(self, session_id: str) -> _Known:
        known, newer = await self._newer(session_id)
        if known is None and not newer:
            raise Refused("not_found", "No such session.")
        # Not only the last one: earlier versions wrote on behind an erasure.
        if any(one.type == SessionErased.model_fields["type"].default for one in newer):
            self._known.pop(session_id, None)
            return await self._erased(session_id, newer[-1])
        if known is None:
            known = _Known(State(session_id), GENESIS, await self._key(session_id))
        state, head = known.state, known.head
        for envelope in newer:
            state, head = evolve(state, known.key.open(envelope)), envelope.hash
        return self._remember(_Known(state, head, known.key))

    async def _unerased(self, session_id: str) -> _Known:
        known = await self._load(session_id)
        if known.state.status == "erased":
            raise erased(known.state.seq)
        return known

    async def _newer(self, session_id: str) -> tuple[_Known | None, Sequence[Envelope]]:
        """What is remembered, while the log still bears it out, and what the log says after it."""
        if known := self._known.get(session_id):
            found = await self.store.read(session_id, known.state.seq - 1)
            if found and (found[0].seq, found[0].hash) == (known.state.seq, known.head):
                return known, found[1:]
            self._known.pop(session_id, None)
        return None, await self.store.read(session_id, 0)

    async def _key(self, session_id: str) -> DataKey:
        wrapped = await self.store.wrapped_key(session_id)
        if wrapped is None:
            raise erased()
        return DataKey(session_id, self._keys.unwrap(session_id, wrapped))

    async def _erased(self, session_id: str, last: Envelope) -> _Known:
        """What is left of an erased session: whose it was, and that it is gone."""
        stored = await self.store.row(session_id)
        gone = State(
            session_id,
            seq=last.seq,
            status="erased",
            team=stored.row.team if stored else "",
            created_at_ms=stored.row.created_at_ms if stored else last.at_ms,
            updated_at_ms=last.at_ms,
        )
        return _Known(gone, last.hash, DataKey(session_id, new_key()))

    def _prepare(
        self, known: _Known, decided: Sequence[Event], actor: str, under: Under
    ) -> tuple[Append, _Known, tuple[Recorded, ...]]:
        # As the clock says, even where it was set back: order is the seq's, and a page that is due
        # by a clock which ran ahead must not wait until this one has caught up.
        at_ms = self._clock.now_ms()
        envelopes = known.key.chain((known.state.seq, known.head), decided, at_ms, actor)
        added = tuple(
            Recorded(envelope.seq, at_ms, actor, event)
            for envelope, event in zip(envelopes, decided, strict=True)
        )
        state = known.state
        for recorded in added:
            state = evolve(state, recorded)
        write = Append(
            session_id=state.session_id,
            expected_seq=known.state.seq,
            envelopes=envelopes,
            row=summarise(state, self.policy),
            fence=under.fence,
            answer=under.answer(state) if under.answer else None,
            answered_as=under.answered_as,
        )
        return write, _Known(state, envelopes[-1].hash, known.key), added

    def _remember(self, known: _Known) -> _Known:
        self._known[known.state.session_id] = known._replace(seen_ms=self._clock.now_ms())
        self._known.move_to_end(known.state.session_id)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        if self._next_look is None:
            self._look_over_soon()
        return known

    def _look_over_soon(self) -> None:
        # Weakly: a ledger of one request ends with it, and all that it remembers.
        loop, look_over = asyncio.get_running_loop(), WeakMethod(self._look_over)
        self._next_look = loop.call_later(_LOOKED_OVER_S, _if_there_is_one, look_over)

    def _look_over(self) -> None:
        """Let go of what nobody looked at lately; also after a clock was set back."""
        now_ms, self._next_look = self._clock.now_ms(), None
        for session_id, known in list(self._known.items()):
            if not 0 <= now_ms - known.seen_ms < _KEPT_MS:
                del self._known[session_id]
        if self._known:
            self._look_over_soon()


def _if_there_is_one(still: WeakMethod[Callable[[], None]]) -> None:
    if do := still():
        do()

"""A conversation that no human reviews, for evaluation: simulated sessions only, never a client's.

The screen, the scrub, the planner, the drafts and the guard are the real ones; in the therapist's
place stands a policy that approves everything, also what the guard warns of. All it does is refused
for a session that was not opened as simulated.
"""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

from safety.guard import CheckName
from service.auth import Caller
from service.desk import Desk, Reviewer, count_written
from service.house import House, session_for
from service.ids import within
from service.ledger import Ledger, Under
from service.messages import heard
from service.release import decide_on_draft
from service.schemas.harness import Said
from service.schemas.review import DecisionRequest
from service.session import decide, decide_review, events
from service.session.duties import wants_plan
from service.session.plans import PlanDecided
from service.session.refusals import Refused
from service.session.state import State
from service.sessions import released
from service.stores.port import ClaimWish, Conflict, Document, Fence

TEAM = "simulation"
"""Only keys of this team open the doors, so no real client's key can."""
_REVIEWER = "eval-reviewer"
_KIND = "harness"
_TAKEN = b"taken"
_PATIENCE_S = 300.0
_LOOK_S = 2.0
_CLAIM_MS = 600_000
_CALLED = {
    "en": "A person would be called now and would answer here.",
    "zh": "此时会呼叫真人，并由真人在这里回复。",
}


class Answered(NamedTuple):
    """What the conversation came to."""

    session_id: str
    text: str
    alert: str | None


class Simulation:
    """The doors' way to sessions, without a hold window: there is nobody to undo."""

    def __init__(self, house: House, caller: Caller) -> None:
        self.house = house
        self.caller = caller
        unheld = replace(house.ledger.policy, hold_ms=0)
        # One ledger for the whole request, or each look would fold the log anew.
        ledger = Ledger(house.ports.store, house.keys, house.ports.clock, unheld)
        self._desk = Desk(ledger, house.ports)

    async def answer(self, history: Sequence[Said]) -> Answered:
        """Answer the newest line of a history; where just this was said before, it goes on there.

        Raises: Refused invalid_request, timeout; GuardRefused.
        """
        lines = [line for line in history if line.role != "system"]
        if not lines or lines[-1].role != "user":
            raise Refused("invalid_request", "The newest message must be the user's.")
        session_id = await self._taken(lines[:-1]) or await self._replayed(lines)
        answered = await self.go_on(session_id, lines[-1].content)
        reply = Said(role="assistant", content=answered.text)
        await self._remember(self._marks([*lines, reply])[0], session_id)
        return answered

    async def go_on(self, session_id: str, text: str) -> Answered:
        """Say one more line in a simulated session, and give what comes back. Raises: as above."""
        state = await session_for(self.house, self.caller, session_id)
        if state.opened is None or not state.opened.simulated:
            raise Refused("not_found", "No such simulated session.")
        after = await self._client_says(state, text)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self._until_answered(after)
        except TimeoutError as error:
            raise Refused("timeout", "No answer came in time.", after.seq) from error

    async def _until_answered(self, after: State) -> Answered:
        session_id, mark = after.session_id, 0
        while True:
            state = await self._desk.ledger.load(session_id)
            alert = state.open_alarms[0].level if state.open_alarms else None
            sent = released(state, after.seq)
            if sent:
                return Answered(session_id, sent[-1].text, alert)
            if alert is not None:
                return Answered(session_id, _CALLED[state.language], alert)
            if not await self._review(state):
                mark = await self.house.ports.store.changed(mark, _LOOK_S, session_id)

    async def _review(self, state: State) -> bool:
        """Approve a proposed plan or a fresh draft; False when neither waits."""
        if state.proposed is not None:
            decided = PlanDecided(
                plan_id=state.proposed.plan_id, verdict="approve", plan=state.proposed.plan
            )
            by = await self._reviewer(state)
            await self._desk.ledger.append(
                state.session_id, lambda now: decide_review.plan(now, decided, now.seq), by.name,
                by.under,
            )  # fmt: skip
            return True
        # Otherwise whichever came first would be approved, and no two runs would be alike.
        plan_comes = wants_plan(state, self._desk.ledger.policy) and "plan" not in state.failing
        if plan_comes or state.draft is None or not state.draft_is_fresh:
            return False
        asked = DecisionRequest(verdict="approve", basis=state.seq, confirm_checks=tuple(CheckName))
        by = await self._reviewer(state)
        await decide_on_draft(state.draft.prepared.draft_id, state, asked, by, self._desk)
        return True

    async def _taken(self, before: Sequence[Said]) -> str | None:
        """Give the session in which just these lines were said, to one caller only.

        Who comes second with the same lines has a talk of her own from here on.
        """
        known = await self._known(before)
        if known is None or known.body == _TAKEN:
            return None
        session_id = known.body.decode()
        with suppress(Refused, Conflict):
            state = await session_for(self.house, self.caller, session_id)
            if _spoken(state) == [line for line in before if not _call(line)]:
                taken = Document(known.key, known.version + 1, _TAKEN)
                await self.house.ports.store.put_document(_KIND, taken)
                return session_id
        return None

    async def _replayed(self, lines: Sequence[Said]) -> str:
        """Open a session and write down what was said elsewhere before."""
        ids, newest = self.house.ports.ids, lines[-1].content
        chinese = any("一" <= sign <= "鿿" for sign in newest)
        opened = events.SessionOpened(
            client_ref="harness", team=TEAM, language="zh" if chinese else "en", region="US",
            opening="client" if lines[0].role == "user" else "counselor", simulated=True,
        )  # fmt: skip
        state = await self._desk.ledger.open(ids.new("ses"), opened, self.caller.name, Under())
        for line in lines[:-1]:
            says = self._client_says if line.role == "user" else self._counselor_said
            state = await says(state, line.content)
        return state.session_id

    async def _client_says(self, state: State, text: str) -> State:
        message, ledger = await heard(text, state, self.house.ports), self._desk.ledger
        done = await ledger.append(
            state.session_id, lambda now: decide.receive(now, message, ledger.policy),
            self.caller.name,
        )  # fmt: skip
        count_written(done.events)
        return done.state

    async def _counselor_said(self, state: State, text: str) -> State:
        ports, session_id = self.house.ports, state.session_id
        now_ms = ports.clock.now_ms()
        reply_id = within(ports.ids.new("rpl"), session_id)
        choice = decide_review.Choice(
            within(ports.ids.new("dec"), session_id), "respond", text, state.seq, now_ms
        )
        by, ledger = await self._reviewer(state), self._desk.ledger
        await ledger.append(
            session_id, lambda now: decide_review.reply(now, replace(choice, basis=now.seq)),
            by.name, by.under,
        )  # fmt: skip
        done = await ledger.append(
            session_id, lambda now: decide.release(now, reply_id, now_ms), _REVIEWER
        )
        return done.state

    async def _reviewer(self, state: State) -> Reviewer:
        now = self.house.ports.clock.now_ms()
        wish = ClaimWish(state.session_id, _REVIEWER, now, now + _CLAIM_MS, False, None)
        claim = await self.house.ports.store.claim(wish)
        return Reviewer(_REVIEWER, Under(Fence(_REVIEWER, claim.number)))

    def _marks(self, lines: Sequence[Said]) -> list[str]:
        """Names a history without telling anything of it; the one to remember first."""
        said = json.dumps([self.caller.name, *((one.role, one.content) for one in lines)])
        return [mark.hex() for mark in self.house.keys.marks(_KIND, said.encode())]

    async def _known(self, lines: Sequence[Said]) -> Document | None:
        """Give what is remembered of a history; None for one from elsewhere."""
        for mark in self._marks(lines) if lines else ():
            if found := await self.house.ports.store.document(_KIND, mark):
                return found
        return None

    async def _remember(self, mark: str, session_id: str) -> None:
        store = self.house.ports.store
        known = await store.document(_KIND, mark)
        version = known.version + 1 if known else 1
        try:
            await store.put_document(_KIND, Document(mark, version, session_id.encode()))
        except Conflict:
            return  # The same words at the same moment: one goes on, the other is replayed.


def _spoken(state: State) -> list[Said]:
    """What a session's two sides have heard of each other; a crisis notice is no answer."""
    return [
        Said(role="user" if one.kind == "client" else "assistant", content=one.text)
        for one in state.entries
        if one.kind == "client" or (one.kind == "reply" and one.released_seq)
    ]


def _call(line: Said) -> bool:
    """Whether a line only stands where a person would have answered; no session holds it."""
    return line.role == "assistant" and line.content in _CALLED.values()

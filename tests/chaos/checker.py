"""Holds the final log against what outsiders know: every violation, by kind, without words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from service.ids import SystemClock
from service.ledger import Ledger
from service.sealing import MasterKeys, first_broken
from service.session import alarms, events
from service.session.duties import Policy
from service.session.evolve import evolve
from service.session.row import summarise
from service.session.state import State
from service.stores.port import RowQuery, Store
from tests.chaos.fleet import MASTER_KEY
from tests.chaos.witness import Witness


@dataclass
class Findings:
    """What was looked at, and what was wrong with it."""

    sessions: int = 0
    messages: int = 0
    decisions: int = 0
    replies: int = 0
    alerts: int = 0
    wrong: Counter[str] = field(default_factory=Counter[str])

    def expect(self, holds: bool, otherwise: str) -> None:
        """Count a violation."""
        if not holds:
            self.wrong[otherwise] += 1


async def check(store: Store, witness: Witness, humans: Sequence[str]) -> Findings:
    """Read every log to its end and compare."""
    found = Findings()
    ledger = Ledger(store, MasterKeys((MASTER_KEY,)), SystemClock(), Policy())
    after = None
    while True:
        page = await store.rows(RowQuery("newest", after=after, limit=500))
        for stored in page.items:
            session_id = stored.row.session_id
            found.sessions += 1
            envelopes = await store.read(session_id)
            found.expect(first_broken(envelopes) is None, "chain broken")
            log = list((await ledger.events(session_id, 0)).values())
            found.expect([one.seq for one in log] == list(range(1, len(log) + 1)), "gap in log")
            state = State(session_id)
            for one in log:
                state = evolve(state, one)
            row = summarise(state, ledger.policy)
            found.expect(row.seq == stored.row.seq, "row behind its log")
            found.expect((row.kind, row.urgency) == (stored.row.kind, stored.row.urgency),
                         "row differs from its log")  # fmt: skip
            _messages(log, witness, session_id, found)
            _replies(log, witness, session_id, humans, found)
            _alerts(log, witness, found)
        after = page.next_after
        if after is None:
            break
    missing = witness.sessions - {one async for one in _ids(store)}
    found.expect(not missing, "acknowledged session lost")
    return found


async def _ids(store: Store):
    after = None
    while True:
        page = await store.rows(RowQuery("newest", after=after, limit=500))
        for stored in page.items:
            yield stored.row.session_id
        after = page.next_after
        if after is None:
            return


def _messages(
    log: Sequence[events.Recorded], witness: Witness, session_id: str, found: Findings
) -> None:
    heard = [one.event for one in log if isinstance(one.event, events.MessageReceived)]
    found.messages += len(heard)
    said = witness.said.get(session_id, [])
    times = Counter(one.text for one in heard)
    kept = {one.text: one.message_id for one in heard}
    for text in said:
        if text in witness.accepted:
            found.expect(times[text] > 0, "acknowledged message lost")
            found.expect(kept.get(text) == witness.accepted[text], "message under another id")
        found.expect(times[text] <= 1, "message doubled")
    found.expect(set(times) <= set(said), "message nobody sent")
    order = {text: place for place, text in enumerate(said)}
    places = [order[one.text] for one in heard if one.text in order]
    found.expect(places == sorted(places), "messages out of order")


def _replies(
    log: Sequence[events.Recorded], witness: Witness, session_id: str, humans: Sequence[str],
    found: Findings,
) -> None:  # fmt: skip
    held: dict[str, str] = {}
    left: dict[str, str] = {}
    drafts: Counter[str] = Counter()
    decided: set[str] = set()
    for one in log:
        match one.event:
            case events.ReplyDecided() as said:
                found.decisions += 1
                found.expect(one.actor in humans, "decided by nobody")
                held[said.decision_id] = said.text
                decided.add(said.decision_id)
                drafts[said.draft_id or said.decision_id] += 1
            case events.DecisionUndone() as undone:
                held.pop(undone.decision_id, None)
            case events.ReplyReleased() as reply:
                found.replies += 1
                text = held.pop(reply.decision_id, None)
                found.expect(text is not None, "released without a standing decision")
                left[reply.reply_id] = text or ""
            case _:
                pass
    found.expect(not held, "decided reply never released")
    found.expect(max(drafts.values(), default=0) <= 1, "draft decided twice")
    for decision_id, session in witness.decided.items():
        if session == session_id:
            found.expect(decision_id in decided, "acknowledged decision lost")
    found.expect(witness.received.get(session_id, {}) == left, "client received something else")


def _alerts(log: Sequence[events.Recorded], witness: Witness, found: Findings) -> None:
    paged = {
        one.event.alert_id
        for one in log
        if isinstance(one.event, alarms.AlertPaged) and one.event.delivered
    }
    seen = {
        one.event.alert_id
        for one in log
        if isinstance(one.event, alarms.AlertAcknowledged | alarms.AlertResolved)
    }
    for one in log:
        if isinstance(one.event, alarms.AlertRaised):
            found.alerts += 1
            reached = one.event.alert_id in paged | seen
            found.expect(reached, "alert that nobody was told of")
            if one.event.alert_id in paged:
                found.expect(one.event.alert_id in witness.paged, "page only claimed")

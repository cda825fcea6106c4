"""Reads a session's log as it grows and holds every new event to the promises."""

from dataclasses import dataclass, field

from planner.vocabulary import Position
from safety.risk import RiskLevel
from service.ledger import Ledger
from service.sealing import GENESIS, first_broken
from service.session import alarms, events, plans
from service.session.evolve import evolve
from service.session.state import State
from service.stores.port import Envelope, Store

HUMANS = {"ada", "ben"}
_MOVERS = (
    events.ReplyDecided, events.DecisionUndone, plans.PlanDecided, plans.PositionMoved,
)  # fmt: skip


@dataclass
class Auditor:
    """One session's own fold of its log, beside the service's."""

    session_id: str
    state: State = field(init=False)
    log: list[Envelope] = field(default_factory=list[Envelope])
    texts: dict[str, int] = field(default_factory=dict[str, int])
    """Message id to log position."""
    released: dict[str, int] = field(default_factory=dict[str, int])
    """Decision id to how often its words left."""
    decided: dict[str, events.ReplyDecided] = field(default_factory=dict[str, events.ReplyDecided])
    undone: set[str] = field(default_factory=set[str])
    unheard: set[str] = field(default_factory=set[str])
    """Dangerous messages for which no alert stands so far."""

    def __post_init__(self) -> None:
        """Begin before the first event."""
        self.state = State(self.session_id)

    async def look(self, store: Store, ledger: Ledger) -> None:
        """Read what is new and check it; then compare with what the service believes."""
        envelopes = list(await store.read(self.session_id))
        assert envelopes[: len(self.log)] == self.log, "the log only grows"
        fresh = envelopes[len(self.log) :]
        if fresh:
            opened = await ledger.events(self.session_id, len(self.log))
            for envelope in fresh:
                self._hold(opened[envelope.seq])
            assert first_broken(envelopes) is None, "the chain holds"
            assert not self.unheard, "P3: danger is recorded together with its alert"
            self.log = envelopes
        assert self.log[0].prev_hash == GENESIS
        assert await ledger.load(self.session_id) == self.state, "live state == fold(log)"
        row = await store.row(self.session_id)
        assert row is not None
        assert (row.row.seq, row.row.status) == (self.state.seq, self.state.status)

    def _hold(self, one: events.Recorded) -> None:
        before, event = self.state, one.event
        after = evolve(before, one)
        self._moves(event, before.position, after.position)
        self._calls(one)
        match event:
            case events.MessageReceived():
                assert event.message_id not in self.texts, "P2: recorded once"
                self.texts[event.message_id] = one.seq
            case events.ReplyDecided():
                self._decides(one, event)
            case events.DraftRejected() | events.DraftEscalated():
                assert one.actor in HUMANS
                assert before.drafts[event.draft_id] == "open", "P7: one decision per draft"
            case events.DecisionUndone():
                assert before.held is not None
                assert event.decision_id not in self.released, "what left cannot be undone"
                self.undone.add(event.decision_id)
            case events.ReplyReleased():
                assert event.decision_id in self.decided, "P1: only what a human decided"
                assert event.decision_id not in self.undone, "P1: not what was taken back"
                assert event.decision_id not in self.released, "P1: once"
                self.released[event.decision_id] = one.seq
            case events.DraftPrepared():
                assert event.basis >= before.moved_seq, "P6: never born stale"
            case alarms.CrisisNoticeSent():
                raise AssertionError("P1: no notice was configured")
            case _:
                pass
        self.state = after

    def _calls(self, one: events.Recorded) -> None:
        """Danger calls a human, and only a human says that it was seen, or is over."""
        match one.event:
            case events.MessageReceived() as said:
                if said.level.at_least(RiskLevel.MODERATE) and not self._waits(said.level):
                    self.unheard.add(said.message_id)
            case alarms.AlertRaised() as raised:
                self.unheard.discard(raised.message_id)
            case alarms.AlertAcknowledged() | alarms.AlertResolved():
                assert one.actor in HUMANS, "P3: a human ends an alert"
            case _:
                pass

    def _waits(self, level: RiskLevel) -> bool:
        """Whether an alert of this level or above stands that nobody has looked at."""
        return any(
            alarm.acknowledged_at_ms is None and alarm.resolved_at_ms is None
            for alarm in self.state.alarms
            if alarm.level.at_least(level)
        )

    def _decides(self, one: events.Recorded, event: events.ReplyDecided) -> None:
        before = self.state
        assert one.actor in HUMANS, "P1: a named human"
        assert before.held is None, "P7: one sender at a time"
        assert event.basis >= before.moved_seq, "P6: decided on how things are"
        if event.draft_id is not None:
            assert before.drafts[event.draft_id] == "open", "P7: one decision per draft"
            assert before.draft is not None
            assert before.draft.prepared.draft_id == event.draft_id
            assert before.draft_is_fresh, "P6: a stale draft is not decided on"
        self.decided[event.decision_id] = event

    def _moves(self, event: events.Event, before: Position, after: Position) -> None:
        if before == after:
            return
        assert isinstance(event, _MOVERS), "P5: only a decision moves the cursor"
        if isinstance(event, events.ReplyDecided):
            first = -1 if before.cursor is None else before.cursor
            assert (after.stage, after.plan) == (before.stage, before.plan)
            assert after.cursor in {first, first + 1}, "P5: stay or one step"

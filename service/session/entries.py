"""PURE. Small steps that every kind of event shares."""

from collections.abc import Mapping

from msgspec.structs import replace

from safety.risk import RiskLevel
from service.session import alarms, events
from service.session.state import Entry, Failing, State


def said(state: State, at: events.Recorded, entry_id: str, text: str) -> Entry:
    """Give a transcript line for an event, a note unless the caller says otherwise."""
    return Entry("note", entry_id, at.seq, at.at_ms, at.actor, text, state.position.stage)


def noted(state: State, at: events.Recorded, entry_id: str, text: str) -> State:
    """Give the state with one more note in the transcript."""
    return replace(state, entries=(*state.entries, said(state, at, entry_id, text)))


def moved(state: State) -> State:
    """Give the state with every earlier draft made stale."""
    return replace(state, moved_seq=state.seq)


def without(state: State, duty: str) -> Mapping[str, Failing]:
    """Give the failures of all other duties."""
    return {key: failed for key, failed in state.failing.items() if key != duty}


def called_to(state: State, raised: alarms.AlertRaised) -> tuple[events.Event, ...]:
    """Call people to a session: the alert, and the end of a reply that was decided before it.

    No alert while one that nobody has seen stands for it: another would call nobody else.
    """
    stands = state.standing(raised.level, raised.category) is not None
    return (*(() if stands else (raised,)), *_withdrawn(state, raised.level))


def _withdrawn(state: State, level: RiskLevel) -> tuple[events.Event, ...]:
    if state.held is None or not level.at_least(RiskLevel.HIGH):
        return ()
    decision_id = state.held.decision.decision_id
    return (events.DecisionUndone(decision_id=decision_id, cause="crisis"),)

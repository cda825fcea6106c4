"""PURE. How one more event changes a session; the whole log folded is the session.

Never refuses: the log is already the truth. `decide` makes sure that only sense gets in.
"""

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Literal, assert_never

from msgspec.structs import replace

from safety.risk import RiskLevel
from service.session import events
from service.session.entries import moved, noted, said, without
from service.session.evolve_alarms import graver, grown, on_alarm
from service.session.evolve_decisions import on_decision
from service.session.evolve_plans import on_plan
from service.session.state import Draft, Failing, State


def fold(session_id: str, log: Iterable[events.Recorded]) -> State:
    """Give the state that a whole log amounts to."""
    return reduce(evolve, log, State(session_id))


def evolve(state: State, recorded: events.Recorded) -> State:
    """Give the state after one more event."""
    event = recorded.event
    # Nobody waits longer or shorter because somebody looked.
    now_ms = state.updated_at_ms if isinstance(event, events.WordsRead) else recorded.at_ms
    at = replace(state, seq=recorded.seq, updated_at_ms=now_ms)
    if isinstance(event, events.ClientEvent):
        return _client(at, recorded, event)
    if isinstance(event, events.AlarmEvent):
        return on_alarm(at, recorded, event)
    if isinstance(event, events.PlanEvent):
        return on_plan(at, recorded, event)
    if isinstance(event, events.DraftEvent):
        return _draft(at, recorded, event)
    if isinstance(event, events.DecisionEvent):
        return on_decision(at, recorded, event)
    return _desk(at, recorded, event)


def foreseen(state: State, decided: Iterable[events.Event]) -> State:
    """Give the state as if these were written already, at the place and the time of now."""
    seen = (events.Recorded(state.seq, state.updated_at_ms, events.SERVICE, one) for one in decided)
    return reduce(evolve, seen, state)


def _client(state: State, at: events.Recorded, event: events.ClientEvent) -> State:
    match event:
        case events.SessionOpened():
            waits = event.opening == "counselor"
            return replace(
                state, opened=event, team=event.team, created_at_ms=at.at_ms, draft_wanted=waits
            )
        case events.MessageReceived():
            line = said(state, at, event.message_id, event.text)
            named = frozenset((event.category, *(one.category for one in event.evidence)))
            line = replace(line, kind="client", level=event.level, named=named)
            if state.unanswered is None:
                state = replace(state, newest_level=RiskLevel.NONE, newest_score=0.0)
            return replace(
                moved(graver(state, event)),
                entries=(*state.entries, line),
                unanswered=event.message_id,
                alarms=grown(state, event),
                failing=without(state, "draft"),
            )
        case events.QuestionnaireAnswered():
            return replace(state, questionnaires=(*state.questionnaires, event))
        case events.SessionClosed():
            return replace(state, status="closed", draft_wanted=False)
        case _:
            assert_never(event)


def _draft(state: State, at: events.Recorded, event: events.DraftEvent) -> State:
    match event:
        case events.TextScrubbed():
            return replace(
                state,
                scrubbed={**state.scrubbed, event.entry_id: event.text},
                surrogates=(*state.surrogates, *event.surrogates),
            )
        case events.DraftPrepared():
            from_model = event.source == "model"
            return replace(
                state,
                draft=Draft(event, at.at_ms),
                drafts={**_superseded(state), event.draft_id: "open"},
                hint=None if from_model else state.hint,
                failing=without(state, "draft") if from_model else state.failing,
            )
        case events.DraftRequested():
            return replace(
                moved(state),
                draft_wanted=True,
                hint=event.hint,
                failing=without(state, "draft"),
            )
        case events.WorkFailed():
            before = state.failing.get(event.duty)
            attempts = before.attempts + 1 if before else 1
            failed = Failing(attempts, at.at_ms, event.reason, at.seq)
            return replace(state, failing={**state.failing, event.duty: failed})
        case _:
            assert_never(event)


def _desk(state: State, at: events.Recorded, event: events.DeskEvent) -> State:
    match event:
        case events.NoteAdded():
            return noted(state, at, event.note_id, event.text)
        case events.SessionAssigned():
            after = replace(state, assigned_to=event.to)
            return noted(after, at, f"assign-{at.seq}", event.note) if event.note else after
        case events.WordsRead():
            read = {**state.read_at_ms, (at.actor, event.what): at.at_ms}
            return replace(state, read_at_ms=read)
        case events.SessionErased():
            return State(
                state.session_id, seq=at.seq, team=state.team, status="erased",
                created_at_ms=state.created_at_ms, updated_at_ms=at.at_ms,
            )  # fmt: skip
        case _:
            assert_never(event)


def _superseded(state: State) -> Mapping[str, Literal["open", "decided", "superseded"]]:
    return {
        key: "superseded" if became == "open" else became for key, became in state.drafts.items()
    }

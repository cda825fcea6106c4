"""PURE. How decisions and releases change a session."""

from typing import assert_never

from msgspec.structs import replace

from planner import machine
from planner.vocabulary import Action
from service.session import events
from service.session.entries import moved, said, without
from service.session.state import Held, State


def on_decision(state: State, at: events.Recorded, event: events.DecisionEvent) -> State:
    """Give the state after a human decided, or decided words left."""
    match event:
        case events.ReplyDecided():
            return _reply_decided(state, at, event)
        case events.DraftRejected():
            return replace(moved(_settled(state, event)), draft_wanted=True, hint=event.hint)
        case events.DraftEscalated():
            # Whoever waited for words waits on: once the alert is over, another draft is due.
            return _settled(state, event)
        case events.DecisionUndone():
            return _undone(state, event)
        case events.ReplyReleased():
            return _released(state, at, event)
        case _:
            assert_never(event)


def _settled(state: State, event: events.DraftRejected | events.DraftEscalated) -> State:
    """The draft is decided on, for good."""
    return replace(
        state,
        drafts={**state.drafts, event.draft_id: "decided"},
        decisions={**state.decisions, event.decision_id: "final"},
    )


def _reply_decided(state: State, at: events.Recorded, event: events.ReplyDecided) -> State:
    position = state.position
    if event.action in machine.candidates(position):
        position = machine.advance(position, Action(event.action))
    draft = state.draft.prepared if state.draft and event.draft_id else None
    written = draft.candidates[event.candidate or 0] if draft else None
    # Nothing is learnt from a template, nor shown to a model as an answer of its own.
    models = draft is not None and draft.source == "model"
    entry = replace(
        said(state, at, event.decision_id, event.text),
        kind="reply", stage=position.stage, action=event.action,
        reasoning=event.reasoning if models else "", verdict=event.verdict,
        drafted=written if models and event.verdict == "edit" else None, reasons=event.reasons,
    )  # fmt: skip
    drafts = {**state.drafts, event.draft_id: "decided"} if event.draft_id else state.drafts
    approved = written.utterance if written and event.verdict == "approve" else None
    known = {event.decision_id: approved} if event.verdict == "approve" else {}
    return replace(
        moved(state),
        position=position,
        entries=(*state.entries, entry),
        held=Held(
            event, at.actor, at.seq, state.position, state.moved_seq, state.draft_wanted, state.hint
        ),
        unanswered=None,
        drafts=drafts,
        decisions={**state.decisions, event.decision_id: "held"},
        draft_wanted=False,
        hint=None,
        scrubbed={**state.scrubbed, **known},
        failing=without(state, "draft"),
    )


def _undone(state: State, event: events.DecisionUndone) -> State:
    held = state.held
    assert held is not None  # noqa: S101  (decide refuses an undo with nothing held)
    entries = tuple(entry for entry in state.entries if entry.id != event.decision_id)
    asked = [entry for entry in entries if entry.kind == "client"]
    answered = [entry.seq for entry in entries if entry.kind == "reply"]
    waits = bool(asked) and asked[-1].seq > max(answered, default=0)
    draft_id = held.decision.draft_id
    return replace(
        state,
        entries=entries,
        position=held.before,
        moved_seq=held.moved_before if state.moved_seq == held.seq else state.moved_seq,
        held=None,
        unanswered=asked[-1].id if waits else None,
        draft_wanted=held.wanted_before,
        hint=held.hint_before,
        drafts={**state.drafts, draft_id: "open"} if draft_id else state.drafts,
        decisions={**state.decisions, event.decision_id: "undone"},
    )


def _released(state: State, at: events.Recorded, event: events.ReplyReleased) -> State:
    return replace(
        state,
        held=None,
        entries=tuple(
            replace(entry, released_seq=at.seq, sent_at_ms=at.at_ms, reply_id=event.reply_id)
            if entry.id == event.decision_id
            else entry
            for entry in state.entries
        ),
        decisions={**state.decisions, event.decision_id: "released"},
    )

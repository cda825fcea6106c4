"""PURE. How the crisis desk changes a session."""

from typing import assert_never

from msgspec.structs import replace

from safety.risk import RiskLevel
from service.session import alarms, events
from service.session.entries import noted, said
from service.session.state import Alarm, State


def on_alarm(state: State, at: events.Recorded, event: events.AlarmEvent) -> State:
    """Give the state after an event of the crisis desk."""
    match event:
        case alarms.AlertRaised():
            return _settled(replace(state, alarms=(*state.alarms, _alarm_of(at, event))))
        case alarms.MessageJudged():
            return _judged(state, event)
        case alarms.AlertPaged():
            alarm = _paged(state.alarm(event.alert_id), event, at.at_ms)
            return _with_alarm(state, alarm)
        case alarms.AlertAcknowledged():
            alarm = state.alarm(event.alert_id)
            seen = replace(alarm, acknowledged_at_ms=at.at_ms, acknowledged_by=at.actor)
            return _with_alarm(state, replace(seen, grew=False))
        case alarms.AlertResolved():
            alarm = state.alarm(event.alert_id)
            # Older logs do not say how far was read: then all that stood there counts.
            read = at.seq if event.basis is None else event.basis
            done = replace(alarm, resolved_at_ms=at.at_ms, read_seq=read, outcome=event.outcome)
            return _settled(noted(_with_alarm(state, done), at, event.alert_id, event.note))
        case alarms.CrisisNoticeSent():
            line = said(state, at, event.reply_id, event.text)
            notice = replace(
                line,
                kind="crisis_notice",
                released_seq=at.seq,
                sent_at_ms=at.at_ms,
                reply_id=event.reply_id,
            )
            return replace(state, entries=(*state.entries, notice))
        case _:
            assert_never(event)


def grown(state: State, event: events.MessageReceived | alarms.MessageJudged) -> tuple[Alarm, ...]:
    """Give the alerts after a message: danger that raises none of its own belongs to these."""
    if not event.level.at_least(RiskLevel.MODERATE):
        return state.alarms
    return tuple(
        replace(alarm, grew=True) if alarm.stands_for(event.level, event.category) else alarm
        for alarm in state.alarms
    )


def graver(state: State, event: events.MessageReceived | alarms.MessageJudged) -> State:
    """Give the state in which what is unanswered is as grave as the gravest of it."""
    known = state.newest_level
    return replace(
        state,
        newest_level=known if known.at_least(event.level) else event.level,
        newest_score=max(state.newest_score, event.score),
    )


def _judged(state: State, event: alarms.MessageJudged) -> State:
    """A message's level after the engine's opinion: as high as any layer had it."""
    before = next((one for one in state.entries if one.id == event.message_id), None)
    if before is None:
        return state
    raised = not before.level.at_least(event.level)
    level = event.level if raised else before.level
    line = replace(before, judged=True, level=level, named=before.named | {event.category})
    after = replace(
        state, entries=tuple(line if one.id == line.id else one for one in state.entries)
    )
    if not raised:
        return after
    after = replace(after, alarms=grown(state, event))
    if event.message_id != state.unanswered:
        return after
    return graver(after, event)


def _settled(state: State) -> State:
    """Crisis is a status while an alert of high or above is unresolved."""
    if state.status not in {"open", "crisis"}:
        return state
    danger = any(alarm.level.rank >= RiskLevel.HIGH.rank for alarm in state.open_alarms)
    calmed = replace(state, status="crisis" if danger else "open")
    if state.open_alarms:
        return calmed
    return replace(calmed, newest_level=RiskLevel.NONE, newest_score=0.0)


def _alarm_of(at: events.Recorded, event: alarms.AlertRaised) -> Alarm:
    return Alarm(
        event.alert_id, event.message_id, event.level, event.category, event.score,
        event.source, event.evidence, at.seq, at.at_ms,
    )  # fmt: skip


def _with_alarm(state: State, changed: Alarm) -> State:
    same = changed.alert_id
    return replace(
        state, alarms=tuple(changed if one.alert_id == same else one for one in state.alarms)
    )


def _paged(alarm: Alarm, event: alarms.AlertPaged, at_ms: int) -> Alarm:
    if event.delivered:
        return replace(alarm, pages=event.tier + 1, failures=0, tried_at_ms=at_ms)
    return replace(alarm, failures=alarm.failures + 1, tried_at_ms=at_ms)

"""PURE. What a client or a turn may add to a session: each function gives events, or refuses.

Ids and times are arguments. `decide_review` holds what humans at the desk may do.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from safety.risk import FROM_OTHERS, RiskReport
from service.session import alarms, events, parts
from service.session.duties import REJECTED, Policy, lacks_plan, wants_draft
from service.session.entries import called_to
from service.session.evolve import foreseen
from service.session.plans import PlanProposed
from service.session.refusals import Refused, erased
from service.session.state import Entry, State


class Message(NamedTuple):
    """A client's words with a verdict on them and the ids they and what comes of it will have."""

    message_id: str
    alert_id: str
    notice_id: str
    text: str
    report: RiskReport

    def among(self, state: State) -> Entry | None:
        """Its line in the transcript, once it has one."""
        return next((one for one in state.entries if one.id == self.message_id), None)

    def raises(self, state: State) -> bool:
        """Whether the verdict asks for more than the message's level did, or one who read it."""
        line = self.among(state)
        if line is None or line.seq <= state.settled_seq:
            return False
        return self.report.routes and not line.level.at_least(self.report.level)


def receive(state: State, message: Message, policy: Policy) -> tuple[events.Event, ...]:
    """Record a message; danger raises an alert, and stops words that were written before it.

    Raises: Refused session_closed, session_erased.
    """
    still_open(state)
    report = message.report
    spans = tuple(
        parts.Evidence(start=one.start, end=one.end, category=one.category, reason=one.reason)
        for one in report.evidence
    )
    received = events.MessageReceived(
        message_id=message.message_id,
        text=message.text,
        level=report.level,
        category=report.category,
        score=round(report.score, 4),
        source=report.source,
        evidence=spans,
    )
    if not report.routes:
        return (received,)
    return (received, *_alerts(state, message, spans, policy))


def judged(state: State, messages: Sequence[Message], policy: Policy) -> tuple[events.Event, ...]:
    """Record what the engine thinks of messages, once: it may raise alerts, and lowers none.

    What a human had read when she resolved an alert is not raised again.
    """
    told: list[events.Event] = []
    for message in messages:
        fresh = _opinion(state, message, policy)
        # The next one sees the alert of this one: one crisis, one notice, one reply withdrawn.
        state = foreseen(state, fresh)
        told += fresh
    return tuple(told)


def _opinion(state: State, message: Message, policy: Policy) -> tuple[events.Event, ...]:
    line, report = message.among(state), message.report
    if line is None or line.judged:
        return ()
    opinion = alarms.MessageJudged(
        message_id=line.id, level=report.level, category=report.category,
        score=round(report.score, 4), source=report.source,
    )  # fmt: skip
    if not message.raises(state):
        return (opinion,)
    # It points at no word: its evidence is all of them.
    whole = parts.Evidence(
        start=0, end=len(line.text), category=report.category, reason="these words as a whole"
    )
    return (opinion, *_alerts(state, message, (whole,), policy))


def _alerts(
    state: State, message: Message, spans: tuple[parts.Evidence, ...], policy: Policy
) -> tuple[events.Event, ...]:
    report = message.report
    raised = alarms.AlertRaised(
        alert_id=message.alert_id,
        message_id=message.message_id,
        level=report.level,
        category=report.category,
        score=round(report.score, 4),
        source=report.source,
        evidence=spans,
    )
    called = called_to(state, raised)
    return (*called, *_notice(state, message, policy)) if raised in called else called


def _notice(state: State, message: Message, policy: Policy) -> tuple[events.Event, ...]:
    """The organisation's fixed words, once per crisis, only where it configured them.

    Never where somebody may harm the client, be it only mentioned and however long ago in the
    session: whoever does may read along.
    """
    text = policy.crisis_notice.get(state.language)
    report = message.report
    if text is None or not report.stops_drafting or state.status == "crisis":
        return ()
    named = {report.category, *(span.category for span in report.evidence)}
    named |= {category for entry in state.entries for category in entry.named}
    if FROM_OTHERS & (named | {alarm.category for alarm in state.alarms}):
        return ()
    notice = alarms.CrisisNoticeSent(
        reply_id=message.notice_id, alert_id=message.alert_id, text=text
    )
    return (notice,)


def answer(state: State, questionnaire: events.QuestionnaireAnswered) -> tuple[events.Event, ...]:
    """Record a questionnaire; also after closing. Raises: Refused session_erased."""
    if state.status == "erased":
        raise erased(state.seq)
    return (questionnaire,)


def close(state: State) -> tuple[events.Event, ...]:
    """Close a session; closing twice is no error and writes nothing.

    Raises: Refused session_erased.
    """
    if state.status == "erased":
        raise erased(state.seq)
    return () if state.status == "closed" else (events.SessionClosed(),)


def drafted(
    state: State, prepared: events.DraftPrepared, policy: Policy
) -> tuple[events.Event, ...]:
    """Record a draft, unless the session moved on while it was written."""
    if not wants_draft(state, policy) or prepared.basis < state.moved_seq:
        return ()
    return (prepared,)


def proposed(state: State, plan: PlanProposed, policy: Policy) -> tuple[events.Event, ...]:
    """Record a plan, unless nobody needs one any more.

    It keeps the formulation as the planner saw it; the session's own keeps what humans corrected.
    A reply decided meanwhile does not matter: its undo leads back to where a plan was needed.
    """
    return (plan,) if lacks_plan(state, policy) else ()


def failed(
    state: State, duty: Literal["draft", "plan"], reason: str, policy: Policy
) -> tuple[events.Event, ...]:
    """Record that a duty could not be done, while it is owed and that changes the next attempt.

    Every event wakes whoever watches and stays for good, and an engine may be away for days. Where
    another worker did it meanwhile, nothing failed.
    """
    owed = wants_draft if duty == "draft" else lacks_plan
    if not owed(state, policy):
        return ()
    before = state.failing.get(duty)
    if before is not None and before.attempts >= len(policy.backoff_ms):
        same = (before.reason == REJECTED) == (reason == REJECTED)
        # Refused anew after the session moved: the log has to say from where on it waits.
        if same and not (reason == REJECTED and before.seq < state.moved_seq):
            return ()
    return (events.WorkFailed(duty=duty, reason=reason),)


def scrubbed(state: State, texts: Sequence[events.TextScrubbed]) -> tuple[events.Event, ...]:
    """Record scrubbed forms of lines that have none yet."""
    return tuple(text for text in texts if text.entry_id not in state.scrubbed)


def paged(state: State, page: alarms.AlertPaged, policy: Policy) -> tuple[events.Event, ...]:
    """Record an attempt to reach a person, unless that tier was reached meanwhile.

    Of failed ones those that change the next attempt; that a page got through, always.
    """
    for alarm in state.open_alarms:
        if alarm.alert_id == page.alert_id and alarm.pages <= page.tier:
            told = page.delivered or alarm.failures < len(policy.backoff_ms)
            return (page,) if told else ()
    return ()


def release(state: State, reply_id: str, now_ms: int) -> tuple[events.Event, ...]:
    """Let a held reply leave once its hold is over; nothing happens before, or twice."""
    held = state.held
    if held is None or held.decision.release_at_ms > now_ms:
        return ()
    return (events.ReplyReleased(reply_id=reply_id, decision_id=held.decision.decision_id),)


def still_open(state: State) -> None:
    """Refuse writes to a session that ended. Raises: Refused session_closed, session_erased."""
    if state.status == "erased":
        raise erased(state.seq)
    if state.status == "closed":
        raise Refused("session_closed", "The session is closed.", state.seq)

"""A named human decides; only then do words leave.

Deciding writes `ReplyDecided`; the words wait out the hold window, in which the therapist can
take them back; then `ReplyReleased` is written, and only that event is ever shown to a client.
For a client's session nothing else creates either event: only the review desk and the worker (for
holds that are over) come here. Simulated sessions, which have no client, do so by `simulating`.
"""

from collections.abc import Sequence
from functools import partial

from service.desk import Desk, Reviewer, count_written
from service.figures import changed
from service.ids import within
from service.ledger import Appended, Decide
from service.schemas.review import DecisionRequest, ReplyRequest
from service.session import decide, decide_review, events
from service.session.evolve import foreseen
from service.session.refusals import Refused
from service.session.state import State
from service.telemetry.metrics import Drafts, Review
from service.wording import guarded, needs_reasons, words_of


async def decide_on_draft(
    draft_id: str, state: State, asked: DecisionRequest, by: Reviewer, desk: Desk
) -> Appended:
    """Carry out a therapist's verdict on a draft; give the session after.

    Raises: Refused (already_decided, draft_is_stale, reasons_required, text_required, ...);
    GuardRefused; ClaimLost. Nothing is written then.
    """
    decision_id = within(desk.ports.ids.new("dec"), state.session_id)
    try:
        if asked.verdict == "reject":
            needs_reasons(asked)
            refuse = _reject(decision_id, draft_id, asked)
            done = await _rule(refuse, state.session_id, by, desk)
        elif asked.verdict == "escalate":
            alert_id = within(desk.ports.ids.new("alr"), state.session_id)
            hand_up = _escalate(decision_id, draft_id, alert_id, asked)
            done = await _rule(hand_up, state.session_id, by, desk)
        else:
            words = words_of(draft_id, state, asked, by.name, desk.ports)
            choice = decide_review.Choice(
                decision_id, asked.verdict, words.said, asked.basis, _release_at(desk), draft_id,
                asked.candidate, asked.action, asked.reasons, asked.confirm_checks,
                asked.dwell_ms,
            )  # fmt: skip
            done = await _say(choice, state.session_id, by, desk)
            if asked.verdict == "edit":
                Review.edited_ratio.observe(changed(words.offered, words.said))
    except Refused as refused:
        if refused.code == "draft_is_stale":
            Drafts.stale.add()
        raise
    Review.decided.add(verdict=asked.verdict, subject="draft")
    return done


async def reply_without_draft(
    state: State, asked: ReplyRequest, by: Reviewer, desk: Desk
) -> Appended:
    """Send a therapist's own words. Raises: as `decide_on_draft`."""
    guarded(state, asked.text, asked.confirm_checks, by.name, desk.ports)
    decision_id = within(desk.ports.ids.new("dec"), state.session_id)
    choice = decide_review.Choice(
        decision_id, "respond", asked.text, asked.basis, _release_at(desk),
        action=asked.action, confirmed=asked.confirm_checks,
    )  # fmt: skip
    done = await _say(choice, state.session_id, by, desk)
    Review.decided.add(verdict="respond", subject="reply")
    return done


async def undo(session_id: str, decision_id: str, by: Reviewer, desk: Desk) -> State:
    """Take a held reply back. Raises: Refused already_released and kin; ClaimLost."""
    take_back = partial(decide_review.undo, decision_id=decision_id)
    done = await desk.ledger.append(session_id, take_back, by.name, by.under)
    Review.undone.add()
    return done.state


async def release_due(session_id: str, desk: Desk) -> Appended:
    """Let a held reply leave if its hold is over; nothing happens before, or twice."""
    reply_id = within(desk.ports.ids.new("rpl"), session_id)

    def leave(now: State) -> Sequence[events.Event]:
        return decide.release(now, reply_id, desk.ports.clock.now_ms())

    done = await desk.ledger.append(session_id, leave, events.SERVICE)
    if done.events:
        Review.released.add(kind="reply")
    return done


async def _say(choice: decide_review.Choice, session_id: str, by: Reviewer, desk: Desk) -> Appended:
    """Decide; without a hold window the words leave in the same breath."""
    reply_id = within(desk.ports.ids.new("rpl"), session_id)

    def say(now: State) -> Sequence[events.Event]:
        decided = decide_review.reply(now, choice)
        if desk.ledger.policy.hold_ms > 0:
            return decided
        after = foreseen(now, decided)
        return (*decided, *decide.release(after, reply_id, choice.release_at_ms))

    done = await desk.ledger.append(session_id, say, by.name, by.under)
    if done.state.held:
        Review.held.add()
    else:
        Review.released.add(kind="reply")
    return done


async def _rule(ruled: Decide, session_id: str, by: Reviewer, desk: Desk) -> Appended:
    """Decide without words for the client."""
    done = await desk.ledger.append(session_id, ruled, by.name, by.under)
    count_written(done.events)
    return done


def _reject(decision_id: str, draft_id: str, asked: DecisionRequest) -> Decide:
    rejected = events.DraftRejected(
        decision_id=decision_id, draft_id=draft_id, reasons=asked.reasons, hint=asked.hint,
        dwell_ms=asked.dwell_ms,
    )  # fmt: skip
    return partial(decide_review.reject, rejected=rejected, basis=asked.basis)


def _escalate(decision_id: str, draft_id: str, alert_id: str, asked: DecisionRequest) -> Decide:
    escalated = events.DraftEscalated(
        decision_id=decision_id, draft_id=draft_id, reasons=asked.reasons
    )
    return partial(
        decide_review.escalate, escalated=escalated, alert_id=alert_id, basis=asked.basis
    )


def _release_at(desk: Desk) -> int:
    return desk.ports.clock.now_ms() + desk.ledger.policy.hold_ms

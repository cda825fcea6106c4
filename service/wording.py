"""What a therapist's decision says, word for word, and whether those words may leave."""

from difflib import SequenceMatcher
from typing import NamedTuple

from service.drafting import guard_context, made
from service.ports import Ports
from service.schemas.review import DecisionRequest
from service.scrubbing import restored
from service.session import decide_review, parts
from service.session.refusals import Refused
from service.session.state import State

_LARGE_EDIT = 0.5
"""An edit that keeps less than this share of the draft's characters needs a reason.

By characters, on which it was set: `figures.changed` counts words, and calls far more edits large.
"""


class Words(NamedTuple):
    """What a decision says to the client, and what its draft would have said."""

    said: str
    offered: str


class GuardRefused(Refused):
    """Words that may not leave, or not without the therapist's explicit yes."""

    def __init__(self, checks: tuple[parts.CheckMade, ...], seq: int) -> None:
        super().__init__("guard_refused", "The words fail a check, or need your yes to it.", seq)
        self.checks = checks


def words_of(draft_id: str, state: State, asked: DecisionRequest, by: str, ports: Ports) -> Words:
    """Give the exact words a decision on a draft would send, beside the draft's own.

    Raises: Refused already_decided, draft_is_stale, no_such_candidate, text_required,
    reasons_required; GuardRefused.
    """
    drafted = decide_review.decidable(state, draft_id, asked.basis).prepared.candidates
    if asked.candidate >= len(drafted):
        raise Refused("no_such_candidate", f"The draft has {len(drafted)} candidates.")
    offered = restored(state, drafted[asked.candidate].utterance)
    if asked.verdict == "approve":
        words = offered
    elif asked.text is None:
        raise Refused("text_required", "An edit or a response needs the words to send.")
    else:
        words = asked.text
    if asked.verdict == "edit":
        kept = SequenceMatcher(None, offered, words, autojunk=False).ratio()
        if kept < _LARGE_EDIT:
            needs_reasons(asked)
    guarded(state, words, asked.confirm_checks, by, ports)
    return Words(words, offered)


def guarded(state: State, words: str, confirmed: tuple[str, ...], by: str, ports: Ports) -> None:
    """Let a human's words pass: leaks never, anything else doubtful with her explicit yes.

    Her name, ``by``, may be said. Raises: GuardRefused with the checks in question.
    """
    checks = [made(one) for one in ports.guard(words, guard_context(state, "human", by))]
    faults = tuple(
        one
        for one in checks
        if one.verdict == "fail" or (one.verdict == "warn" and one.check not in confirmed)
    )
    if faults:
        raise GuardRefused(faults, state.seq)


def needs_reasons(asked: DecisionRequest) -> None:
    """Insist on a reason from the closed list. Raises: Refused reasons_required."""
    if not asked.reasons:
        raise Refused("reasons_required", "Say why, in one or more of the listed reasons.")

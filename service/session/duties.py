"""PURE. What a session owes the world, and when. Nothing is ever queued: the log implies it all."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, get_args

from planner import machine
from safety.risk import RiskLevel
from service.session.state import Alarm, Failing, State

DutyKind = Literal["page", "release", "draft", "plan"]
_FIRST: Sequence[DutyKind] = get_args(DutyKind)
"""People before replies, replies before drafts, and those before plans: the planner may be slow."""
TURNS: frozenset[DutyKind] = frozenset({"plan", "draft"})
"""Duties that need the model; a draft needs a slot."""


class Duty(NamedTuple):
    """One thing to do for one session, not before ``due_at_ms``."""

    due_at_ms: int
    kind: DutyKind
    subject: str
    """The alert or decision it is about; empty for plan and draft."""


REJECTED = "engine_rejected"
"""Why work failed that fails again until the session has moved, or an operator did something."""


class Owed(NamedTuple):
    """What to do for a session now: its pages and releases, or else one turn."""

    state: State
    now: Sequence[Duty]
    later_ms: int | None
    """When the next thing falls due that is not yet: a page, a release, another try.

    Beside pages and releases only further ones: no turn is begun before those are done.
    """


_SECOND, _MINUTE = 1_000, 60_000
_LADDER: Mapping[RiskLevel, tuple[int, ...]] = {
    RiskLevel.MODERATE: (0, 15 * _MINUTE, 60 * _MINUTE),
    RiskLevel.HIGH: (0, 5 * _MINUTE, 15 * _MINUTE),
    RiskLevel.IMMINENT: (0, 1 * _MINUTE, 3 * _MINUTE),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """What an organisation chose; one for the whole service."""

    hold_ms: int = 5_000
    """How long a decided reply waits for an undo before it leaves."""
    drafting: bool = True
    """False pauses the model everywhere; screening and paging go on."""
    ladder: Mapping[RiskLevel, tuple[int, ...]] = field(default_factory=lambda: dict(_LADDER))
    """Milliseconds after an alert when the first, second and on-call person is paged."""
    backoff_ms: tuple[int, ...] = (_SECOND, 2 * _SECOND, 5 * _SECOND, 15 * _SECOND, 30 * _SECOND)
    """Waits between attempts at work that failed; the last one repeats.

    Only so many attempts are written down: the engine, or what pages people, may be away for days.
    """
    refused_ms: int = 15 * _MINUTE
    """How long the engine is not asked again what it will never accept as it stands."""
    crisis_notice: Mapping[str, str] = field(default_factory=dict[str, str])
    """The organisation's own fixed words by language; empty (the default) sends none."""


class _Tried(NamedTuple):
    """What the log says of a duty that failed before."""

    failed: Failing
    """Its failures, as far as they were written down."""
    moved_seq: int
    """Where the session stood for a turn; 0 for a page, which no move makes anything of."""


class _Wait(NamedTuple):
    """A duty that failed once more, and what it was tried with."""

    tried: _Tried
    begun_ms: int


class Waits:
    """Duties that failed like those before them: nothing was written, so the wait is kept here.

    One for each process, lost with it: a duty that is tried too early is merely tried. A session
    that moves ends the waits of its turns, for then there is something new to try with; one that
    somebody only looked at, or left a note in, does not. A page waits for its own alert alone.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._known: dict[tuple[str, str, str], _Wait] = {}
        """By session, kind and subject."""

    def begin(self, state: State, kind: DutyKind, now_ms: int, subject: str = "") -> None:
        """Let a duty wait that failed on ``state``; the log tells of its first failure."""
        this, tried = (state.session_id, kind, subject), _tried(state, kind, subject)
        self._known = {
            key: wait
            for key, wait in self._known.items()
            if key != this and self._lasts(wait, now_ms)
        }
        if tried is not None:
            self._known[this] = _Wait(tried, now_ms)

    def known(self, session_id: str, kind: DutyKind, subject: str = "") -> bool:
        """Whether a session's duty waits, or did."""
        return (session_id, kind, subject) in self._known

    def put_off(self, state: State, duty: Duty, now_ms: int) -> Duty:
        """Give the duty with its due time not before its wait is over."""
        wait = self._known.get((state.session_id, duty.kind, duty.subject))
        if wait is None or not self._lasts(wait, now_ms):
            return duty
        if wait.tried != _tried(state, duty.kind, duty.subject):
            return duty
        until = wait.begun_ms + _pause(wait.tried.failed, self.policy)
        return duty._replace(due_at_ms=max(duty.due_at_ms, until))

    def _lasts(self, wait: _Wait, now_ms: int) -> bool:
        """A clock that was set back ends a wait, rather than prolonging it."""
        return 0 <= now_ms - wait.begun_ms < _pause(wait.tried.failed, self.policy)


def duties(state: State, policy: Policy) -> tuple[Duty, ...]:
    """Give what the session owes, soonest first."""
    if state.status == "erased":
        return ()
    newest = state.updated_at_ms
    owed = [_page(alarm, newest, policy) for alarm in state.unseen_alarms]
    if state.held:
        decision = state.held.decision
        owed.append(Duty(decision.release_at_ms, "release", decision.decision_id))
    if wants_plan(state, policy):
        owed.append(Duty(_after_failures(state, "plan", policy), "plan", ""))
    if wants_draft(state, policy):
        owed.append(Duty(_after_failures(state, "draft", policy), "draft", ""))
    return tuple(sorted(owed, key=lambda duty: duty.due_at_ms))


def owed_now(state: State, waits: Waits, now_ms: int, busy: Collection[DutyKind]) -> Owed:
    """Give what to do now; ``busy`` are the session's turns that are under way.

    Pages and releases alone: what they append makes a turn due again, under a new lease.
    """
    owed = [waits.put_off(state, duty, now_ms) for duty in duties(state, waits.policy)]
    quick = [duty for duty in owed if duty.kind not in TURNS]
    if due := [duty for duty in quick if duty.due_at_ms <= now_ms]:
        return Owed(state, sorted(due, key=_rank), _later(quick, now_ms))
    turns = [duty for duty in owed if duty.kind in TURNS and duty.due_at_ms <= now_ms]
    # A draft also beside a plan that is being written.
    turns.sort(key=lambda duty: (duty.kind in busy, _rank(duty)))
    return Owed(state, turns[:1], _later(owed, now_ms))


def _rank(duty: Duty) -> int:
    return _FIRST.index(duty.kind)


def _later(owed: Sequence[Duty], now_ms: int) -> int | None:
    return min((duty.due_at_ms for duty in owed if duty.due_at_ms > now_ms), default=None)


def due_at_ms(state: State, policy: Policy) -> int | None:
    """Give when the earliest duty is due; None when the session owes nothing.

    Kept until the next event, so a pause of the model does not count: it may end before that.
    """
    owed = duties(state, replace(policy, drafting=True))
    return min((duty.due_at_ms for duty in owed), default=None)


def wants_draft(state: State, policy: Policy) -> bool:
    """Whether the model owes a draft: somebody waits, and nothing usable lies on the desk."""
    if state.status != "open" or not policy.drafting or state.held:
        return False
    waits = state.unanswered is not None or state.draft_wanted
    return waits and (not state.draft_is_fresh or "draft" in state.failing)


def wants_plan(state: State, policy: Policy) -> bool:
    """Whether the planner is to be asked now; a held reply may still be undone, and its step."""
    return state.held is None and lacks_plan(state, policy)


def lacks_plan(state: State, policy: Policy) -> bool:
    """Whether the planner owes a plan: the diagnostic stage is done, or a human asked."""
    if state.status != "open" or not policy.drafting or state.proposed:
        return False
    return state.plan_wanted or machine.needs_plan(state.position)


def _page(alarm: Alarm, newest_ms: int, policy: Policy) -> Duty:
    """A clock may have been set back since: then its old readings are ahead, and count as now."""
    ladder = policy.ladder.get(alarm.level, policy.ladder[RiskLevel.IMMINENT])
    if alarm.failures:
        tried_ms = min(alarm.tried_at_ms, newest_ms)
        return Duty(tried_ms + _backoff(alarm.failures, policy), "page", alarm.alert_id)
    last = len(ladder) - 1
    repeats = max(0, alarm.pages - last)
    gap = ladder[-1] - ladder[-2] if last > 0 else _MINUTE
    due = min(alarm.raised_at_ms, newest_ms) + ladder[min(alarm.pages, last)] + repeats * gap
    return Duty(due, "page", alarm.alert_id)


def _tried(state: State, kind: DutyKind, subject: str) -> _Tried | None:
    """Give what the log says of a duty's failures; None where it has none."""
    if kind != "page":
        failed = state.failing.get(kind)
        return None if failed is None else _Tried(failed, state.moved_seq)
    alarm = state.unseen(subject)
    if alarm is None or not alarm.failures:
        return None
    return _Tried(Failing(alarm.failures, alarm.tried_at_ms, "", alarm.seq), 0)


def _after_failures(state: State, duty: str, policy: Policy) -> int:
    failed = state.failing.get(duty)
    # What was refused as it stood stands differently now.
    if failed is None or (failed.reason == REJECTED and failed.seq < state.moved_seq):
        return state.updated_at_ms
    return min(failed.at_ms, state.updated_at_ms) + _pause(failed, policy)


def _pause(failed: Failing, policy: Policy) -> int:
    if failed.reason == REJECTED:
        return policy.refused_ms
    return _backoff(failed.attempts, policy)


def _backoff(attempts: int, policy: Policy) -> int:
    return policy.backoff_ms[min(attempts, len(policy.backoff_ms)) - 1]

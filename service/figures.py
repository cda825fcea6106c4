"""PURE. What the logs of many sessions say about the work: times, verdicts, habits. No words.

Each session is walked once, oldest event first; only what happened inside the span counts.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from safety.risk import RiskLevel
from safety.surrogates import Surrogates, restore
from service.session import alarms, events
from service.session.events import Recorded

Verdict = Literal["approve", "edit", "reject", "respond", "escalate"]


class Span(NamedTuple):
    """From when to when, milliseconds since the epoch; the end is not in it."""

    since_ms: int
    until_ms: int

    def holds(self, at_ms: int) -> bool:
        """Whether a moment is inside."""
        return self.since_ms <= at_ms < self.until_ms


class Waited(NamedTuple):
    """Something that took time."""

    at_ms: int
    by: str
    took_ms: int


class Judged(NamedTuple):
    """One decision of one reviewer."""

    at_ms: int
    by: str
    verdict: Verdict
    reasons: tuple[str, ...]
    dwell_ms: int | None
    words: int
    """Length of what was drafted: words, or characters where a script has no spaces."""
    distance: float
    chinese: bool


@dataclass(slots=True)
class Alarmed:
    """One alert and how far people came with it."""

    level: RiskLevel
    raised_ms: int
    paged: int = 0
    acknowledged_ms: int | None = None
    resolved: bool = False


class Answered(NamedTuple):
    """One questionnaire."""

    session_id: str
    client: str
    at_ms: int
    helpful: float
    hindering: float


@dataclass(slots=True)
class Tally:
    """Everything counted, over all sessions walked."""

    span: Span
    messages: list[int] = field(default_factory=list[int])
    prepared: list[Waited] = field(default_factory=list[Waited])
    released: list[Waited] = field(default_factory=list[Waited])
    judged: list[Judged] = field(default_factory=list[Judged])
    undone: Counter[str] = field(default_factory=Counter[str])
    alarms: list[Alarmed] = field(default_factory=list[Alarmed])
    answers: list[Answered] = field(default_factory=list[Answered])

    def read(self, session_id: str, log: Sequence[Recorded]) -> None:
        """Count one session."""
        walk = _Walk(self, session_id)
        for recorded in log:
            walk.step(recorded)
        self.alarms += [one for one in walk.alarms.values() if self.span.holds(one.raised_ms)]


def streaks(judged: Sequence[Judged]) -> Mapping[str, tuple[int, int]]:
    """Approvals in a row without an edit, per reviewer: up to now, and at most.

    Of a reviewer who judged nothing, or took it all back: none.
    """
    found: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for one in sorted(judged, key=lambda j: j.at_ms):
        now, longest = found[one.by]
        now = now + 1 if one.verdict == "approve" else 0
        found[one.by] = (now, max(longest, now))
    return found


def changed(drafted: str, said: str) -> float:
    """The share of words changed, 0 to 1."""
    return 1 - SequenceMatcher(None, _words(drafted), _words(said), autojunk=False).ratio()


@dataclass(slots=True)
class _Wait:
    """A client waits, since the first message that nobody has answered."""

    since_ms: int
    shown: bool = False
    """Whether a draft or an alert stood before a human meanwhile."""


@dataclass(slots=True)
class _Walk:
    """Where the walk through one session stands."""

    tally: Tally
    session_id: str
    client: str = ""
    waiting: _Wait | None = None
    answering: _Wait | None = None
    """Ends once a held reply leaves; whoever writes while it is held waits anew."""
    drafts: dict[str, events.DraftPrepared] = field(default_factory=dict[str, events.DraftPrepared])
    stand_ins: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])
    """A draft says these; what was sent says the client's own names."""
    deciders: dict[str, str] = field(default_factory=dict[str, str])
    judged: dict[str, Judged] = field(default_factory=dict[str, Judged])
    """By decision: one that is taken back was none."""
    alarms: dict[str, Alarmed] = field(default_factory=dict[str, Alarmed])

    def step(self, recorded: Recorded) -> None:
        """Count one event."""
        match recorded.event:
            case events.SessionOpened() as opened:
                self.client = opened.client_ref
            case events.MessageReceived():
                self._message(recorded.at_ms)
            case events.TextScrubbed() as scrubbed:
                self.stand_ins += scrubbed.surrogates
            case events.DraftPrepared() as draft:
                self.drafts[draft.draft_id] = draft
                self._shown(recorded)
            case events.ReplyDecided() as decided:
                self.deciders[decided.decision_id] = recorded.actor
                self.answering, self.waiting = self.waiting, None
                self._judged(recorded, decided)
            case events.DraftRejected() | events.DraftEscalated() as refused:
                self._judged(recorded, refused)
            case events.DecisionUndone() as undone:
                self._undone(recorded, undone)
            case events.ReplyReleased() as released:
                self._released(recorded, self.deciders.get(released.decision_id, ""))
            case events.QuestionnaireAnswered() as answer:
                self._answer(recorded, answer)
            case _:
                self._alarm(recorded)

    def _counts(self, recorded: Recorded) -> bool:
        return self.tally.span.holds(recorded.at_ms)

    def _message(self, at_ms: int) -> None:
        if self.waiting is None:
            self.waiting = _Wait(at_ms)
        if self.tally.span.holds(at_ms):
            self.tally.messages.append(at_ms)

    def _shown(self, recorded: Recorded) -> None:
        """A draft or an alert stands before a human; only the first counts."""
        if self.waiting is None or self.waiting.shown:
            return
        self.waiting.shown = True
        if self._counts(recorded):
            took = recorded.at_ms - self.waiting.since_ms
            self.tally.prepared.append(Waited(recorded.at_ms, "", took))

    def _judged(
        self,
        recorded: Recorded,
        decided: events.ReplyDecided | events.DraftRejected | events.DraftEscalated,
    ) -> None:
        if not self._counts(recorded):
            return
        draft = self.drafts.get(decided.draft_id or "")
        verdict, place, said, dwell_ms = _verdict(decided)
        drafted = draft.candidates[min(place, len(draft.candidates) - 1)] if draft else None
        text = drafted.utterance if drafted else ""
        distance = self._distance(text, said) if verdict == "edit" and said else 0.0
        judged = Judged(
            recorded.at_ms, recorded.actor, verdict, decided.reasons, dwell_ms,
            len(_words(text)), distance, _chinese(text),
        )  # fmt: skip
        self.tally.judged.append(judged)
        self.judged[decided.decision_id] = judged

    def _distance(self, drafted: str, said: str) -> float:
        known = Surrogates.from_rows(self.stand_ins, seed=self.session_id)
        return changed(restore(drafted, known), said)

    def _undone(self, recorded: Recorded, undone: events.DecisionUndone) -> None:
        if (judged := self.judged.pop(undone.decision_id, None)) is not None:
            self.tally.judged.remove(judged)
        if self.answering is not None:
            # Taken back, it answers nothing: whoever wrote first waits on, and since then.
            shown = self.answering.shown or (self.waiting is not None and self.waiting.shown)
            self.waiting, self.answering = _Wait(self.answering.since_ms, shown), None
        if undone.cause == "reviewer" and self._counts(recorded):
            self.tally.undone[self.deciders.get(undone.decision_id, recorded.actor)] += 1

    def _released(self, recorded: Recorded, by: str) -> None:
        if self.answering is not None and self._counts(recorded):
            took = recorded.at_ms - self.answering.since_ms
            self.tally.released.append(Waited(recorded.at_ms, by, took))
        self.answering = None

    def _answer(self, recorded: Recorded, answer: events.QuestionnaireAnswered) -> None:
        if self._counts(recorded):
            self.tally.answers.append(
                Answered(
                    self.session_id, self.client, recorded.at_ms, answer.helpful, answer.hindering
                )
            )

    def _alarm(self, recorded: Recorded) -> None:
        match recorded.event:
            case alarms.AlertRaised() as raised:
                self.alarms[raised.alert_id] = Alarmed(raised.level, recorded.at_ms)
                self._shown(recorded)
            case alarms.AlertPaged(delivered=True) as paged if paged.alert_id in self.alarms:
                self.alarms[paged.alert_id].paged += 1
            case alarms.AlertAcknowledged() as seen if seen.alert_id in self.alarms:
                self.alarms[seen.alert_id].acknowledged_ms = recorded.at_ms
            case alarms.AlertResolved() as ended if ended.alert_id in self.alarms:
                self.alarms[ended.alert_id].resolved = True
            case _:
                pass


def _verdict(
    decided: events.ReplyDecided | events.DraftRejected | events.DraftEscalated,
) -> tuple[Verdict, int, str | None, int | None]:
    match decided:
        case events.ReplyDecided():
            return decided.verdict, decided.candidate or 0, decided.text, decided.dwell_ms
        case events.DraftRejected():
            return "reject", 0, None, decided.dwell_ms
        case events.DraftEscalated():
            return "escalate", 0, None, None


def _words(text: str) -> list[str]:
    return list(text.replace(" ", "")) if _chinese(text) else text.split()


def _chinese(text: str) -> bool:
    return any("\u3400" <= sign <= "\u9fff" for sign in text)

"""PURE. What a session is at one moment. Data only; `evolve` makes it from the log.

Structs and not dataclasses: `evolve` copies for every event, and a log of 500 folds in a quarter
of the time.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field
from pydantic import JsonValue

from planner import machine
from planner.vocabulary import Formulation, Language, Position, Stage
from safety.risk import Category, RiskLevel
from service.session import events
from service.session.parts import CandidateText, Evidence
from service.session.plans import PlanProposed

Status = Literal["open", "crisis", "closed", "erased"]
EntryKind = Literal["client", "reply", "crisis_notice", "stage", "plan", "note"]


class Entry(Struct, frozen=True):
    """One line of the transcript, in the order things happened."""

    kind: EntryKind
    id: str
    seq: int
    at_ms: int
    by: str
    text: str
    stage: Stage
    action: str = ""
    reasoning: str = ""
    verdict: Literal["approve", "edit", "respond"] | None = None
    drafted: CandidateText | None = None
    """With an edit of a model's draft: that draft, scrubbed."""
    reasons: tuple[str, ...] = ()
    """What was wrong with the draft that it replaces, from the closed list."""
    level: RiskLevel = RiskLevel.NONE
    named: frozenset[Category] = frozenset()
    """Every kind of danger that the screen saw mentioned in it."""
    judged: bool = False
    """Whether the engine judged it as well."""
    released_seq: int = 0
    """When the words left; 0 while they have not."""
    sent_at_ms: int = 0
    reply_id: str = ""
    """What the client app knows a sent reply by."""


class Draft(Struct, frozen=True):
    """The newest draft, as it stands in the log."""

    prepared: events.DraftPrepared
    at_ms: int


class Held(Struct, frozen=True):
    """A decided reply inside its hold window."""

    decision: events.ReplyDecided
    by: str
    seq: int
    before: Position
    """Where the cursor stood; restored by undo."""
    moved_before: int
    """What `State.moved_seq` was; restored by undo."""
    wanted_before: bool
    """Whether a draft was wanted; restored by undo, like the hint for it."""
    hint_before: str | None


class PlanVersion(Struct, frozen=True):
    """One plan that was proposed, and what became of it."""

    proposed: PlanProposed
    at_ms: int
    status: Literal["proposed", "approved", "edited", "rejected", "superseded"] = "proposed"
    decided_by: str | None = None
    reasons: tuple[str, ...] = ()
    """Why it was rejected."""


class Alarm(Struct, frozen=True):
    """An alert and how far people have come with it."""

    alert_id: str
    message_id: str
    level: RiskLevel
    category: Category
    score: float
    source: str
    evidence: tuple[Evidence, ...]
    seq: int
    raised_at_ms: int
    pages: int = 0
    """Tiers reached so far; a failed attempt is tried again, not counted."""
    failures: int = 0
    """Failed attempts at the current tier."""
    tried_at_ms: int = 0
    acknowledged_at_ms: int | None = None
    acknowledged_by: str | None = None
    resolved_at_ms: int | None = None
    read_seq: int = 0
    """How far whoever resolved it had read the log."""
    outcome: str | None = None
    grew: bool = False
    """Whether it stands for danger written later, which nobody has acknowledged."""

    def stands_for(self, level: RiskLevel, category: Category) -> bool:
        """Whether danger written now needs no alert of its own: nobody has looked at this yet."""
        unseen = self.acknowledged_at_ms is None and self.resolved_at_ms is None
        return unseen and self.category is category and self.level.at_least(level)


class Failing(Struct, frozen=True):
    """Attempts at a duty that did not work out, so that the next one waits longer."""

    attempts: int
    """As many as were written down; later ones that changed nothing are not."""
    at_ms: int
    reason: str
    seq: int


class State(Struct, frozen=True):
    """Everything the log says of one session."""

    session_id: str
    seq: int = 0
    moved_seq: int = 0
    """Log position of the newest event that makes older drafts stale."""
    opened: events.SessionOpened | None = None
    team: str = ""
    """Whose session it is; survives erasure, so that a stranger still gets 404, not 410."""
    status: Status = "open"
    created_at_ms: int = 0
    updated_at_ms: int = 0
    position: Position = field(default_factory=machine.start)
    formulation: Formulation = field(default_factory=Formulation)
    """Scrubbed, like everything a model may see; restored where people read it."""
    understood_seq: int = 0
    """Log position of the newest event that changed the formulation."""
    corrected: frozenset[str] = frozenset()
    """Parts of the formulation that a human corrected; the planner changes them no more."""
    entries: tuple[Entry, ...] = ()
    newest_level: RiskLevel = RiskLevel.NONE
    """The gravest verdict on what is unanswered, until a crisis is resolved."""
    newest_score: float = 0.0
    unanswered: str | None = None
    """The newest client message without a decided reply."""
    scrubbed: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    """Entry id to scrubbed text; None where scrubbing changed nothing."""
    surrogates: tuple[tuple[str, ...], ...] = ()
    draft: Draft | None = None
    drafts: Mapping[str, Literal["open", "decided", "superseded"]] = field(
        default_factory=dict[str, Literal["open", "decided", "superseded"]]
    )
    draft_wanted: bool = False
    hint: str | None = None
    held: Held | None = None
    decisions: Mapping[str, Literal["held", "released", "undone", "final"]] = field(
        default_factory=dict[str, Literal["held", "released", "undone", "final"]]
    )
    plans: tuple[PlanVersion, ...] = ()
    proposed: PlanProposed | None = None
    plan_wanted: bool = False
    alarms: tuple[Alarm, ...] = ()
    failing: Mapping[str, Failing] = field(default_factory=dict[str, Failing])
    assigned_to: str | None = None
    questionnaires: tuple[events.QuestionnaireAnswered, ...] = ()
    read_at_ms: Mapping[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    """Who was shown words, and which kind; when that was written down last."""

    @property
    def language(self) -> Language:
        """The session's language."""
        return self.opened.language if self.opened else "en"

    @property
    def profile(self) -> Mapping[str, JsonValue]:
        """What the client app told about its client."""
        return self.opened.profile if self.opened else {}

    @property
    def draft_is_fresh(self) -> bool:
        """Whether the newest draft still stands on how things are."""
        draft = self.draft
        return (
            draft is not None
            and self.drafts.get(draft.prepared.draft_id) == "open"
            and draft.prepared.basis >= self.moved_seq
        )

    @property
    def open_alarms(self) -> tuple[Alarm, ...]:
        """Alerts nobody has resolved, most urgent first."""
        unresolved = (alarm for alarm in self.alarms if alarm.resolved_at_ms is None)
        return tuple(sorted(unresolved, key=lambda alarm: (-alarm.level.rank, alarm.raised_at_ms)))

    def standing(self, level: RiskLevel, category: Category) -> Alarm | None:
        """The alert that nobody has seen yet and that danger of this kind belongs to."""
        unseen = self.unseen_alarms
        return next((one for one in unseen if one.stands_for(level, category)), None)

    @property
    def last_said(self) -> str | None:
        """The client's newest message; None before the first."""
        said = (entry.id for entry in reversed(self.entries) if entry.kind == "client")
        return next(said, None)

    @property
    def alarmed_seq(self) -> int:
        """Log position of the newest alert of high or above, whoever raised it; 0 without one."""
        grave = (one.seq for one in self.alarms if one.level.at_least(RiskLevel.HIGH))
        return max(grave, default=0)

    @property
    def settled_seq(self) -> int:
        """How far a human who ended an alert had read the log; 0 if nobody did.

        A place in the log and no time: words that came while she read are not settled, and the
        clocks of two replicas differ.
        """
        return max((alarm.read_seq for alarm in self.alarms), default=0)

    def alarm(self, alert_id: str) -> Alarm:
        """The alert of this id. Raises: KeyError where the session never had it."""
        for one in self.alarms:
            if one.alert_id == alert_id:
                return one
        raise KeyError(alert_id)

    def unseen(self, alert_id: str) -> Alarm | None:
        """The alert of this id while it is open and nobody has acknowledged it."""
        return next((one for one in self.unseen_alarms if one.alert_id == alert_id), None)

    @property
    def unseen_alarms(self) -> tuple[Alarm, ...]:
        """Open alerts that nobody has acknowledged, most urgent first."""
        return tuple(one for one in self.open_alarms if one.acknowledged_at_ms is None)

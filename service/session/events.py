"""PURE. What can happen in a session: one frozen class each, past tense.

The class is the sealed payload. When it happened, who did it and where in the log it stands are
in the clear beside it (`Recorded`). Words live only in payloads.
Old payloads must stay readable: add fields with defaults, never rename; see `SCHEMA_VERSION`.
"""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Field, JsonValue, TypeAdapter

from planner.vocabulary import Language
from safety.risk import Category, RiskLevel
from service.session.alarms import (
    AlertAcknowledged,
    AlertPaged,
    AlertRaised,
    AlertResolved,
    CrisisNoticeSent,
    MessageJudged,
)
from service.session.parts import CandidateText, Evidence, Happening, Usage
from service.session.plans import (
    FormulationCorrected,
    PlanDecided,
    PlanProposed,
    PlanRequested,
    PositionMoved,
)

SCHEMA_VERSION = 1
SERVICE: Final = "service"
"""The actor of what nobody decided: drafts, pages, releases. No person and no app has this name."""


class SessionOpened(Happening):
    """Written once, first, when a client app opens a session."""

    type: Literal["session_opened"] = "session_opened"
    client_ref: str
    team: str
    language: Language
    region: str
    opening: Literal["client", "counselor"] = "client"
    profile: dict[str, JsonValue] = {}  # noqa: RUF012  (pydantic copies defaults)
    simulated: bool = False


class MessageReceived(Happening):
    """Written when a client's message is accepted: raw words and the screen's verdict on them."""

    type: Literal["message_received"] = "message_received"
    message_id: str
    text: str
    level: RiskLevel
    category: Category = Category.NONE
    score: float = 0.0
    source: str = "none"
    evidence: tuple[Evidence, ...] = ()


class TextScrubbed(Happening):
    """Written before the model may see a text: its scrubbed form and new stand-ins."""

    type: Literal["text_scrubbed"] = "text_scrubbed"
    entry_id: str
    text: str | None = None
    """None when scrubbing changed nothing."""
    surrogates: tuple[tuple[str, ...], ...] = ()
    """Rows this text added to the session's mapping."""


class DraftPrepared(Happening):
    """Written when a turn has something for a human to judge."""

    type: Literal["draft_prepared"] = "draft_prepared"
    draft_id: str
    message_id: str | None
    basis: int
    """The newest material log position the draft took into account."""
    candidates: tuple[CandidateText, ...]
    adapter: str
    template: str
    source: Literal["model", "template"]
    usage: Usage = Usage()
    note: str | None = None


class DraftRequested(Happening):
    """Written when a therapist asks for a (new) draft."""

    type: Literal["draft_requested"] = "draft_requested"
    hint: str | None = None


class WorkFailed(Happening):
    """Written when a duty could not be done, the first few times; says when to try again."""

    type: Literal["work_failed"] = "work_failed"
    duty: Literal["draft", "plan"]
    reason: str
    """A closed word such as ``engine_timeout``; never text of a model or a client."""


class ReplyDecided(Happening):
    """Written when a named human decides what is said; nothing has left yet."""

    type: Literal["reply_decided"] = "reply_decided"
    decision_id: str
    draft_id: str | None
    verdict: Literal["approve", "edit", "respond"]
    text: str
    """Exactly what will be sent: the client's own names, not stand-ins."""
    action: str
    reasoning: str = ""
    candidate: int | None = None
    reasons: tuple[str, ...] = ()
    confirmed: tuple[str, ...] = ()
    dwell_ms: int | None = None
    basis: int
    release_at_ms: int


class DraftRejected(Happening):
    """Written when a human refuses a draft; another one is prepared."""

    type: Literal["draft_rejected"] = "draft_rejected"
    decision_id: str
    draft_id: str
    reasons: tuple[str, ...]
    hint: str | None = None
    dwell_ms: int | None = None


class DraftEscalated(Happening):
    """Written when a therapist hands a draft's session up as an alert of her own."""

    type: Literal["draft_escalated"] = "draft_escalated"
    decision_id: str
    draft_id: str
    reasons: tuple[str, ...] = ()


class DecisionUndone(Happening):
    """Written when a held reply is taken back before it left."""

    type: Literal["decision_undone"] = "decision_undone"
    decision_id: str
    cause: Literal["reviewer", "crisis"] = "reviewer"


class ReplyReleased(Happening):
    """Written when a decided reply leaves."""

    type: Literal["reply_released"] = "reply_released"
    reply_id: str
    decision_id: str


class NoteAdded(Happening):
    """Written when a colleague leaves a note; also with every take-over of a claim."""

    type: Literal["note_added"] = "note_added"
    note_id: str
    text: str


class SessionAssigned(Happening):
    """Written when a session is handed to somebody."""

    type: Literal["session_assigned"] = "session_assigned"
    to: str
    note: str | None = None


class QuestionnaireAnswered(Happening):
    """Written when a client fills in a questionnaire; subscale means are 1-5."""

    type: Literal["questionnaire_answered"] = "questionnaire_answered"
    questionnaire_id: str
    kind: Literal["srs"]
    answers: dict[str, int]
    helpful: float
    hindering: float


Read = Literal["events", "export", "workspace", "draft", "plan", "alert"]
"""Which words somebody was shown."""


class WordsRead(Happening):
    """Written before a supervisor is shown words: payloads, an export, or what lies on a desk."""

    type: Literal["words_read"] = "words_read"
    what: Read


class SessionClosed(Happening):
    """Written when a client app closes the session."""

    type: Literal["session_closed"] = "session_closed"


class SessionErased(Happening):
    """Written last, just before the data key is destroyed."""

    type: Literal["session_erased"] = "session_erased"


ClientEvent = SessionOpened | MessageReceived | QuestionnaireAnswered | SessionClosed
AlarmEvent = (
    AlertRaised | MessageJudged | AlertPaged | AlertAcknowledged | AlertResolved | CrisisNoticeSent
)
PlanEvent = PlanProposed | PlanDecided | PlanRequested | PositionMoved | FormulationCorrected
DraftEvent = TextScrubbed | DraftPrepared | DraftRequested | WorkFailed
DecisionEvent = ReplyDecided | DraftRejected | DraftEscalated | DecisionUndone | ReplyReleased
DeskEvent = NoteAdded | SessionAssigned | WordsRead | SessionErased
Event = ClientEvent | AlarmEvent | PlanEvent | DraftEvent | DecisionEvent | DeskEvent
"""Everything that can happen. Closed: `evolve` handles each or does not type-check."""

# A union has a configuration of its own: what its members hide, it would quote.
_READER: TypeAdapter[Event] = TypeAdapter(
    Annotated[Event, Field(discriminator="type")], config=ConfigDict(hide_input_in_errors=True)
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event at its place in the log."""

    seq: int
    at_ms: int
    """Milliseconds since the epoch, UTC."""
    actor: str
    event: Event


def write(event: Event) -> bytes:
    """Give the payload to seal: compact JSON, defaults left out, the type always in."""
    fields = event.model_dump_json(exclude_defaults=True, exclude={"type"})
    rest = "," + fields[1:] if len(fields) > 2 else "}"
    return f'{{"type":"{event.type}"{rest}'.encode()


def read(payload: bytes) -> Event:
    """Give the event of a payload that `write` made, in this or an earlier version."""
    return _READER.validate_json(payload)

"""Everything one review screen needs, in one answer."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from planner.vocabulary import Language, Stage
from service.schemas.alerts import Alert, CrisisCard
from service.schemas.client import Status
from service.schemas.plans import PlanDesk
from service.schemas.review import Draft, Verdict
from service.schemas.wire import Ident, Label, Seq, Text, Unfinished, When, Wire


class Line(Wire):
    """One entry of the transcript, in the order things happened."""

    kind: Literal["client", "reply", "crisis_notice", "stage", "plan", "alert", "note"]
    id: str
    seq: Seq
    """Where it stands in the log; a reply that has left, where it left."""
    at: When
    text: str
    by: str | None = None
    verdict: Verdict | None = None
    """How a reply came about."""
    drafted: str | None = None
    """With an edited reply: what the draft said."""
    action: str | None = None
    risk: str | None = None


class Held(Wire):
    """A decided reply inside its hold window."""

    decision_id: Ident
    text: str
    action: str
    release_at: When


class Readiness(Wire):
    """What of the formulation is known, and how far the talk left the plan."""

    known: tuple[str, ...]
    unknown: tuple[str, ...]
    score: float
    drift: float
    drift_turns: tuple[int, ...]


class Workspace(Wire):
    """A session as its therapist sees it: the client's own words."""

    session_id: Ident
    client_ref: str
    """The client app's own reference for its client: the way to the clinic's record."""
    status: Status
    language: Language
    region: str
    simulated: bool
    profile: dict[str, JsonValue]
    transcript: tuple[Line, ...]
    plan: PlanDesk
    draft: Draft | None
    no_draft_reason: str | None
    """Why no draft is here, a closed word: ``drafting``, ``crisis``, ``nothing_to_answer``,
    ``engine_timeout``; null while one is."""
    held: Held | None
    alerts: tuple[Alert, ...]
    crisis_card: CrisisCard | None
    readiness: Readiness
    claimed_by: str | None
    claim_expires_at: When | None
    viewers: tuple[str, ...] = ()
    unsent_text: str | None
    """What this therapist typed and has not sent; restored after a refresh."""
    unsent_draft_id: str | None = None
    """The draft those words are an edit of; null for words of the therapist's own."""
    unsent_candidate: int = 0
    """Which of that draft's candidates."""
    assigned_to: str | None
    stage: Stage
    action: str | None
    seq: Seq


class NoteRequest(Wire):
    """A note for colleagues; never shown to the client or the model."""

    text: Text


class AssignRequest(Wire):
    """Hand the session to a colleague."""

    to: Label
    note: Text | None = None


class UnsentText(Wire):
    """Autosaved words of the editor; an empty text forgets them."""

    text: Unfinished
    draft_id: Ident | None = None
    """The draft the words are an edit of; null for words of one's own."""
    candidate: Annotated[int, Field(ge=0, le=9, strict=True)] = 0
    """Which of its candidates."""


class Written(Wire):
    """A small write is in the log."""

    seq: Seq

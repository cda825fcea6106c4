"""What a client app sends and receives. It never sees a stage, a plan or a draft."""

from typing import Annotated, Literal

from pydantic import Field

from planner.vocabulary import Language
from service.schemas.wire import Details, Flag, Ident, Label, Message, Seq, When, Wire

Status = Literal["open", "crisis", "closed", "erased"]
Region = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2; chooses crisis resources."""
SrsItem = Literal[
    "insight", "perceived_support", "cognitive_distance", "empowerment", "interpersonal_hope",
    "goal_clarity", "coping_skills", "engagement", "emotional_relief", "self_acceptance",
    "therapeutic_stuckness", "intervention_discomfort", "emotional_deterioration",
    "guidance_deficit",
]  # fmt: skip
"""The Session Reactions Scale: ten helpful, four hindering items. Paper: PSY-STEP §5, J."""


class SessionRequest(Wire):
    """Open a session."""

    client_ref: Label
    """The client app's own reference for its client; sealed like words."""
    language: Language
    region: Region
    opening: Literal["client", "counselor"] = "client"
    """Who speaks first."""
    profile: Details = Field(default_factory=dict)
    """What is known of the client, 8,000 characters at most; sealed, shown to no model."""
    simulated: Flag = False
    """True only for harness sessions; can never be changed later."""


class Session(Wire):
    """A session as its client app may see it."""

    id: Ident
    client_ref: str
    language: Language
    region: str
    status: Status
    seq: Seq
    created_at: When
    updated_at: When


class MessageRequest(Wire):
    """A client's message."""

    text: Message


class MessageAccepted(Wire):
    """The message is in the log, exactly once."""

    message_id: Ident
    seq: Seq


class Reply(Wire):
    """A reply that a named human decided on, or the organisation's fixed crisis notice."""

    reply_id: Ident
    text: str
    kind: Literal["reply", "crisis_notice"]
    seq: Seq
    sent_at: When


class Replies(Wire):
    """A page of released replies, oldest first."""

    items: tuple[Reply, ...]
    next_page_token: str | None = None
    seq: Seq


class QuestionnaireRequest(Wire):
    """Answers to a questionnaire; every item of the scale, 1 (not at all) to 5 (very much)."""

    kind: Literal["srs"]
    answers: dict[SrsItem, Annotated[int, Field(ge=1, le=5, strict=True)]]


class QuestionnaireResult(Wire):
    """Subscale means, 1-5."""

    questionnaire_id: Ident
    kind: Literal["srs"]
    helpful: float
    hindering: float
    seq: Seq

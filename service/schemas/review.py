"""The therapist's desk on the wire: queue, claim, draft, decision."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from planner.vocabulary import Stage
from safety.risk import RiskLevel
from service.schemas.plans import Reason
from service.schemas.problem import CheckResult
from service.schemas.wire import Flag, Ident, Label, Seq, Text, When, Wire

Kind = Literal["alert", "draft", "plan", "no_draft"]
Verdict = Literal["approve", "edit", "reject", "respond", "escalate"]
_DAY_MS = 86_400_000
Dwell = Annotated[
    int, Field(ge=0, le=2**53, strict=True), AfterValidator(lambda ms: min(ms, _DAY_MS))
]
"""Milliseconds; whoever left a draft open over a weekend may decide on it all the same."""


class QueueItem(Wire):
    """One session that needs a human. No words."""

    session_id: Ident
    kind: Kind
    risk: RiskLevel
    score: float
    waiting_since: When
    stage: Stage
    action: str | None
    claimed_by: str | None
    draft_id: Ident | None
    plan_id: Ident | None
    alert_id: Ident | None
    language: str
    assigned_to: str | None = None
    """To whom it was handed over; anybody may still take it."""
    seq: Seq


class Queue(Wire):
    """What needs a human, most urgent first."""

    items: tuple[QueueItem, ...]
    next_page_token: str | None = None
    total: int
    """How many sessions match, on all pages."""


class ClaimRequest(Wire):
    """Take a session for review."""

    take_over: Flag = False
    note: Text | None = None
    """Required with ``take_over``: why it is taken from somebody."""


class Claim(Wire):
    """A lease on a session; send ``claim`` as ``X-Claim`` with every reviewer write."""

    claim: str
    expires_at: When


class Candidate(Wire):
    """One possible reply, with the client's own names restored."""

    index: int
    utterance: str
    action: str
    reasoning: str
    score: float | None
    """Null: nobody rates candidates yet; they stand as the model gave them."""
    checks: tuple[CheckResult, ...]


class Draft(Wire):
    """What the model (or a template) proposes, and everything it is based on."""

    draft_id: Ident
    session_id: Ident
    message_id: Ident | None
    basis: Seq
    stale: bool
    candidates: tuple[Candidate, ...]
    adapter: str
    template: str
    source: Literal["model", "template"]
    created_at: When
    latency_ms: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    note: str | None = None
    """Why a template stands here, a closed word such as ``engine_timeout``."""


class DecisionRequest(Wire):
    """What a therapist decides on a draft."""

    verdict: Verdict
    candidate: Annotated[int, Field(ge=0, le=9, strict=True)] = 0
    text: Text | None = None
    """The words to send; required with ``edit`` and ``respond``, refused with anything else."""
    action: Label | None = None
    """The action the words carry out: the current or the next one. Default: the candidate's, but
    with ``respond`` the current one, so that own words do not move the plan unless told to."""
    reasons: Annotated[tuple[Reason, ...], Field(max_length=8)] = ()
    """Required with ``reject`` and for large edits."""
    confirm_checks: Annotated[tuple[Label, ...], Field(max_length=20)] = ()
    """Names of warnings that the therapist has read and accepts."""
    hint: Text | None = None
    """With ``reject`` only: what the next draft should mind."""
    basis: Seq
    dwell_ms: Dwell | None = None
    """How long the draft was before the therapist; counted up to a day."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        """Refuse what the verdict would leave unused: its sender believes that it counts."""
        if self.text is not None and self.verdict not in {"edit", "respond"}:
            raise ValueError("text goes with edit and respond only")
        if self.hint is not None and self.verdict != "reject":
            raise ValueError("hint goes with reject only")
        return self


class ReplyRequest(Wire):
    """A reply written without a draft: crisis, engine down, or simply better known."""

    text: Text
    action: Label | None = None
    """The action the words carry out; default: the current one, and none before the first."""
    confirm_checks: Annotated[tuple[Label, ...], Field(max_length=20)] = ()
    basis: Seq


class Decided(Wire):
    """A decision is in the log; its words leave at ``release_at`` unless undone."""

    decision_id: Ident
    release_at: When | None
    seq: Seq


class DraftRequest(Wire):
    """Ask for a new draft."""

    hint: Text | None = None

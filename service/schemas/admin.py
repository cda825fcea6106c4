"""What supervisors and ops see: rows without words, envelopes, audit, adapters, health."""

from typing import Literal

from pydantic import JsonValue

from planner.vocabulary import Role, Stage
from safety.risk import RiskLevel
from service.schemas.client import Status
from service.schemas.review import Kind
from service.schemas.wire import Ident, Label, Seq, When, Wire


class SessionRow(Wire):
    """One session without words."""

    session_id: Ident
    team: str
    status: Status
    stage: Stage
    action: str | None
    risk: RiskLevel
    kind: Kind | None
    waiting_since: When | None
    claimed_by: str | None
    assigned_to: str | None
    language: str
    simulated: bool
    created_at: When
    updated_at: When
    seq: Seq


class SessionRows(Wire):
    """A page of rows, newest first."""

    items: tuple[SessionRow, ...]
    next_page_token: str | None = None


class EventView(Wire):
    """One envelope of the log; the payload only for supervisors who ask, and that is recorded."""

    seq: Seq
    type: str
    at: When
    actor: str
    hash: str
    prev_hash: str
    schema_version: int
    payload: JsonValue = None


class Events(Wire):
    """A page of envelopes, oldest first."""

    items: tuple[EventView, ...]
    next_page_token: str | None = None
    seq: Seq


class AuditVerdict(Wire):
    """Whether the hash chain holds."""

    session_id: Ident
    intact: bool
    events: int
    first_broken_seq: int | None
    head: str


class AdapterView(Wire):
    """An adapter the engine knows or could load."""

    name: str
    role: Role
    serving: bool
    loaded: bool
    error_rate: float | None = None
    """Share of failed answers when it was brought in last; None where none were counted."""


class Adapters(Wire):
    """Which adapter serves which role, and which ones are on disk."""

    items: tuple[AdapterView, ...]
    aliases: dict[Role, str]


class RolloutRequest(Wire):
    """Bring an adapter into service."""

    name: Label


class RolloutView(Wire):
    """How far a rollout has come."""

    rollout_id: Ident
    role: Role
    name: str
    previous: str
    state: str
    steps: tuple[str, ...]
    reason: str | None
    started_at: When
    updated_at: When


class Me(Wire):
    """Who the caller is."""

    name: str
    role: Literal["client_app", "therapist", "supervisor", "ops"]
    team: str


class Health(Wire):
    """Each dependency with its own verdict."""

    status: Literal["ok", "degraded", "down"]
    checks: dict[str, str]

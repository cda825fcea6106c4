"""The console's only way to the service: typed calls over HTTP, answers as wire schemas."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from secrets import token_hex
from typing import TypeVar

import httpx
from pydantic import ValidationError

from planner.vocabulary import Role
from service.schemas import admin, plans, review
from service.schemas import alerts as crisis
from service.schemas import workspace as desk
from service.schemas.insights import Insights
from service.schemas.problem import Problem
from service.schemas.wire import Wire

Answer = TypeVar("Answer", bound=Wire)
Params = Mapping[str, str | int | bool | None]

TIMEOUT_S = 10.0
_AWAY = 503
_PERHAPS_DONE = {502, _AWAY, 504}
"""Answers that do not say whether it was done."""
_TELLING_NOTHING = {401, 429, _AWAY}
"""Answers to a second try that say nothing of the first."""


class Refused(Exception):
    """The service answered, and the answer is no; ``code`` says why, in a stable word."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem
        self.code = problem.code

    @property
    def passing(self) -> bool:
        """Whether it is about the moment and not the asking: an ailing or a busy service."""
        return self.problem.status >= 500 or self.problem.status == 429


class Offline(Exception):
    """No answer, or one that is not of this service: nothing is known to have happened."""


class Unanswered(Offline):
    """Asked, and the answer was lost: whether it happened is not known."""


@dataclass(frozen=True, slots=True)
class Api:
    """One reader's door to the service."""

    http: httpx.Client
    token: str
    timeout_s: float = TIMEOUT_S

    # Who am I, what is waiting

    def me(self) -> admin.Me:
        """Who the token belongs to."""
        return self._get(admin.Me, "/v1/me")

    def queue(self, filters: Params | None = None) -> review.Queue:
        """What needs a human, most urgent first."""
        return self._get(review.Queue, "/v1/queue", filters)

    def workspace(self, session: str) -> desk.Workspace:
        """Everything one review screen shows; the caller counts as looking at it."""
        return self._get(desk.Workspace, f"/v1/sessions/{session}/workspace")

    # Holding a session

    def claim(
        self, session: str, held: str | None = None, request: review.ClaimRequest | None = None
    ) -> review.Claim:
        """Take the session, or renew the claim ``held``."""
        body = request or review.ClaimRequest()
        return self._send(review.Claim, f"/v1/sessions/{session}/claim", body, claim=held)

    def release(self, session: str, claim: str) -> None:
        """Let colleagues have the session."""
        self._ask("DELETE", f"/v1/sessions/{session}/claim", claim=claim)

    # Deciding

    def decide(self, draft: str, request: review.DecisionRequest, claim: str) -> review.Decided:
        """Record a verdict on a draft; its words leave after the hold window."""
        return self._send(review.Decided, f"/v1/drafts/{draft}/decisions", request, claim=claim)

    def reply(self, session: str, request: review.ReplyRequest, claim: str) -> review.Decided:
        """Send words of one's own, without a draft."""
        return self._send(review.Decided, f"/v1/sessions/{session}/replies", request, claim=claim)

    def undo(self, decision: str, claim: str | None) -> None:
        """Take a decision back inside its hold window."""
        self._ask("DELETE", f"/v1/decisions/{decision}", claim=claim)

    def redraft(self, session: str, hint: str | None, claim: str) -> None:
        """Ask for a new draft."""
        body = review.DraftRequest(hint=hint)
        self._ask("POST", f"/v1/sessions/{session}/drafts", body, claim=claim)

    def save_unsent(self, session: str, unsent: desk.UnsentText) -> None:
        """Keep what is typed on the server; an empty text forgets it."""
        self._ask("PUT", f"/v1/sessions/{session}/unsent", unsent)

    # Plan

    def decide_plan(self, plan: str, request: plans.PlanDecisionRequest, claim: str) -> None:
        """Record a verdict on a proposed plan."""
        self._ask("POST", f"/v1/plans/{plan}/decisions", request, claim=claim)

    def new_plan(self, session: str, request: plans.PlanRequest, claim: str) -> None:
        """Put a plan of one's own in place, or ask the planner for one."""
        self._ask("POST", f"/v1/sessions/{session}/plans", request, claim=claim)

    def move(self, session: str, request: plans.PositionRequest, claim: str) -> None:
        """Move the cursor."""
        self._ask("PUT", f"/v1/sessions/{session}/position", request, claim=claim)

    def formulate(self, session: str, request: plans.FormulationPatch, claim: str) -> None:
        """Correct the formulation."""
        self._ask("PATCH", f"/v1/sessions/{session}/formulation", request, claim=claim)

    # Notes and hand-over

    def note(self, session: str, text: str) -> None:
        """Leave a note for colleagues; needs no claim."""
        self._ask("POST", f"/v1/sessions/{session}/notes", desk.NoteRequest(text=text))

    def assign(self, session: str, request: desk.AssignRequest, claim: str) -> None:
        """Hand the session to a colleague."""
        self._ask("POST", f"/v1/sessions/{session}/assign", request, claim=claim)

    # Crisis desk

    def alerts(self) -> tuple[crisis.Alert, ...]:
        """All open alerts, most urgent first."""
        page = self._get(crisis.Alerts, "/v1/alerts", {"page_size": 100})
        found = list(page.items)
        while page.next_page_token:
            window = {"page_size": 100, "page_token": page.next_page_token}
            page = self._get(crisis.Alerts, "/v1/alerts", window)
            found += page.items
        return tuple({one.alert_id: one for one in found}.values())

    def raise_alert(self, session: str, request: crisis.AlertRequest) -> None:
        """Call people to a session; needs no claim."""
        self._ask("POST", f"/v1/sessions/{session}/alerts", request)

    def acknowledge(self, alert: str) -> None:
        """Say that a person is looking; the pager stops."""
        self._ask("POST", f"/v1/alerts/{alert}/acknowledge")

    def resolve(self, alert: str, request: crisis.ResolveRequest) -> None:
        """Say how the crisis ended."""
        self._ask("POST", f"/v1/alerts/{alert}/resolve", request)

    # Supervisors and ops

    def sessions(self, filters: Params | None = None) -> admin.SessionRows:
        """Rows without words, newest first."""
        return self._get(admin.SessionRows, "/v1/sessions", filters)

    def events(self, session: str, filters: Params | None = None) -> admin.Events:
        """One page of a session's log."""
        return self._get(admin.Events, f"/v1/sessions/{session}/events", filters)

    def verify(self, session: str) -> admin.AuditVerdict:
        """Whether the session's hash chain holds."""
        return self._get(admin.AuditVerdict, "/v1/audit/verify", {"session_id": session})

    def export(self, session: str) -> bytes:
        """A session in the PSY-STEP form as JSON, scrubbed; asking is written into its log."""
        return self._ask("GET", f"/v1/sessions/{session}/export").content

    def erase(self, session: str) -> None:
        """Destroy a session's words for good; that it was, and its log's proof, stay."""
        self._ask("DELETE", f"/v1/sessions/{session}")

    def insights(self, filters: Params | None = None) -> Insights:
        """Figures about the work, without words."""
        return self._get(Insights, "/v1/insights", filters)

    def adapters(self) -> admin.Adapters:
        """Adapters on disk and in service."""
        return self._get(admin.Adapters, "/v1/adapters")

    def roll_out(self, role: Role, name: str) -> admin.RolloutView:
        """Bring an adapter into service."""
        body = admin.RolloutRequest(name=name)
        return self._send(admin.RolloutView, f"/v1/adapters/{role}/rollouts", body)

    def roll_back(self, role: Role) -> admin.RolloutView:
        """Begin the way back to the previous adapter."""
        return _read(admin.RolloutView, self._ask("POST", f"/v1/adapters/{role}/rollback"))

    def rollout(self, rollout: str) -> admin.RolloutView:
        """How far a rollout has come."""
        return self._get(admin.RolloutView, f"/v1/rollouts/{rollout}")

    def health(self) -> admin.Health:
        """Each dependency with its own verdict, soon or not at all: presses wait behind it."""
        return _read(admin.Health, replace(self, timeout_s=2.0)._answer("GET", "/readyz"))

    # The wire

    def _get(self, answer: type[Answer], path: str, params: Params | None = None) -> Answer:
        return _read(answer, self._ask("GET", path, params=params))

    def _send(
        self, answer: type[Answer], path: str, body: Wire, *, claim: str | None = None
    ) -> Answer:
        return _read(answer, self._ask("POST", path, body, claim=claim))

    def _ask(
        self, method: str, path: str, body: Wire | None = None, *,
        claim: str | None = None, params: Params | None = None,
    ) -> httpx.Response:  # fmt: skip
        held = {"X-Claim": claim} if claim else {}
        ask = partial(self._answer, method, path, body, params=params)
        # A rollout knows no key, and asked for twice it would go on from where the first led. A
        # claim is renewed soon anyway.
        renewal = claim is not None and path.endswith("/claim")
        keyed = method == "POST" and not path.startswith("/v1/adapters/") and not renewal
        own = {**held, "Idempotency-Key": token_hex(16)} if keyed else held
        answer = _once(partial(ask, sent=own)) if keyed else ask(sent=own)
        if answer.is_success:
            return answer
        if answer.status_code in {502, 504}:
            raise Unanswered
        raise Refused(_problem(answer))

    def _answer(
        self, method: str, path: str, body: Wire | None = None, *,
        sent: Mapping[str, str] | None = None, params: Params | None = None,
    ) -> httpx.Response:  # fmt: skip
        headers = {"Authorization": f"Bearer {self.token}", **(sent or {})}
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = body.model_dump_json(exclude_none=True) if body is not None else None
        asked = {name: value for name, value in (params or {}).items() if value is not None}
        ask = partial(self.http.request, method, path, content=content, headers=headers)
        patience = httpx.Timeout(self.timeout_s).as_dict()
        try:
            return ask(params=asked, extensions={"timeout": patience})
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as failure:
            raise Offline from failure
        except httpx.HTTPError as failure:
            raise Unanswered from failure


def connect(url: str) -> httpx.Client:
    """Open a pool of connections to the service at ``url``; shared by all readers."""
    return httpx.Client(base_url=url, trust_env=False)


def _once(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """Ask; where the answer was lost, or a part was away, once more: its key does it once only.

    Raises: Unanswered where the first may have got through and the second does not tell.
    """
    lost = True
    with suppress(Unanswered):
        answer = ask()
        if answer.status_code not in _PERHAPS_DONE:
            return answer
        lost = answer.status_code != _AWAY
    try:
        again = ask()
    except Offline as failure:
        raise Unanswered from failure
    if lost and again.status_code in _TELLING_NOTHING:
        raise Unanswered
    return again


def _read(answer: type[Answer], response: httpx.Response) -> Answer:
    try:
        return answer.model_validate_json(response.content)
    except ValidationError as failure:
        raise Unanswered from failure


def _problem(response: httpx.Response) -> Problem:
    try:
        return Problem.model_validate_json(response.content)
    except ValidationError:
        return Problem(
            type="about:blank",
            title="Unexpected answer",
            status=response.status_code,
            detail="The service answered in a way the console does not know.",
            code="unexpected_answer",
        )

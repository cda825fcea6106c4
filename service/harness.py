"""Doors for test harnesses, closed unless opened by a setting: the service as a chat model.

Paper: Interactive Agents §3 (simulated clients talk to the system as clients would).
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response
from fastapi.security import APIKeyHeader

from service.house import InHouse, recognised
from service.schemas import harness as wire
from service.schemas.problem import Problem
from service.session.refusals import Refused
from service.simulating import TEAM, Answered, Simulation

_KEY = APIKeyHeader(name="X-API-Key", auto_error=False, description="The plain door's key.")


async def _simulation(
    request: Request,
    house: InHouse,
    response: Response,
    plain: Annotated[str | None, Depends(_KEY)],
    authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Simulation:
    if not house.harness:
        raise Refused("not_found", "The harness doors are closed here.")
    header = f"Bearer {plain}" if plain and request.url.path == "/api/chat" else authorization
    caller = await recognised(house, request, header)
    if caller.role != "client_app" or caller.team != TEAM:
        raise Refused("forbidden", f"Only client apps of the team {TEAM} may use these doors.")
    response.headers["X-Second-Chair"] = wire.LABEL.replace(" ", "-")
    return Simulation(house, caller)


router = APIRouter(
    tags=["harness"],
    responses={code: {"model": Problem} for code in (401, 403, 404, 409, 410, 422, 503)},
)
Doors = Annotated[Simulation, Depends(_simulation)]


@router.get("/v1/models")
async def list_models(_: Doors) -> wire.Models:
    """Give the one model there is."""
    return wire.Models()


@router.post("/v1/chat/completions")
async def complete_chat(asked: wire.CompletionRequest, doors: Doors) -> wire.Completion:
    """Answer a conversation; it maps to a simulated session, approved by a policy."""
    if asked.stream:
        raise Refused("invalid_request", "Answers are not streamed; leave `stream` out.")
    answered = await doors.answer(asked.messages)
    choice = wire.Choice(
        message=_said(answered), finish_reason="content_filter" if answered.alert else "stop"
    )
    return wire.Completion(
        id=doors.house.ports.ids.new("cmp"),
        created=doors.house.ports.clock.now_ms() // 1000,
        choices=(choice,),
        second_chair=wire.Simulated(session_id=answered.session_id, alert=answered.alert),
    )


@router.post("/api/chat")
async def chat(asked: wire.ChatRequest, doors: Doors) -> wire.ChatAnswer:
    """Answer one more line of a known conversation, or begin one with the history given."""
    if asked.conversation_id is None:
        answered = await doors.answer(asked.messages)
    elif asked.messages[-1].role == "user":
        answered = await doors.go_on(asked.conversation_id, asked.messages[-1].content)
    else:
        raise Refused("invalid_request", "The newest message must be the user's.")
    return wire.ChatAnswer(
        message=_said(answered), conversation_id=answered.session_id, alert=answered.alert
    )


def _said(answered: Answered) -> wire.Said:
    return wire.Said(role="assistant", content=answered.text)

"""The client app's side of a session: open, look, close, read replies, answer questionnaires."""

from functools import partial
from typing import Annotated, get_args

from fastapi import APIRouter, Query, Response
from pydantic import Field

from service.house import ClientApp, InHouse, session_for
from service.idempotency import Once, Stamp, stamp_of
from service.ids import moment, within
from service.schemas.client import (
    QuestionnaireRequest,
    QuestionnaireResult,
    Replies,
    Reply,
    Session,
    SessionRequest,
    SrsItem,
)
from service.schemas.wire import Ident, PageToken, SeqAsked, Wire
from service.session import decide, events
from service.session.refusals import Refused
from service.session.state import Entry, State
from service.stores import paging

router = APIRouter(prefix="/v1", tags=["client app"])
_HINDERING = 4
"""The scale's last four items. Paper: PSY-STEP §5; its table counts 10 + 4, its text 9 + 5."""


class ReplyWindow(Wire):
    """Which released replies to give."""

    after: SeqAsked = 0
    page_size: Annotated[int, Field(ge=1, le=200)] = 50
    page_token: PageToken = None


@router.post("/sessions", status_code=201)
async def open_session(asked: SessionRequest, response: Response, once: Once) -> Session:
    """Open a session for one client."""
    house, caller = once.house, once.caller
    opened = events.SessionOpened(team=caller.team, **asked.model_dump())
    session_id = house.ports.ids.new("ses")

    async def write() -> Stamp:
        under = once.under(lambda after: stamp_of(session_id, after))
        return stamp_of(
            session_id, await house.ledger.open(session_id, opened, caller.name, under)
        )  # fmt: skip

    stamp = await once.do(write)
    state = await session_for(house, caller, stamp.id)
    response.headers["Location"] = f"/v1/sessions/{stamp.id}"
    return view(state, stamp)


@router.get("/sessions/{session_id}")
async def read_session(session_id: Ident, house: InHouse, caller: ClientApp) -> Session:
    """Give a session as its client app may see it."""
    state = await session_for(house, caller, session_id)
    return view(state, stamp_of(session_id, state))


@router.post("/sessions/{session_id}/close")
async def close_session(session_id: Ident, once: Once) -> Session:
    """Close a session; what is held still leaves, nothing new is taken."""
    state = await session_for(once.house, once.caller, session_id)
    # Closing what is closed appends nothing that would tell of an earlier answer.
    before = await once.given()
    return view(state, before or await once.do(lambda: once.append(session_id, decide.close)))


@router.get("/sessions/{session_id}/replies")
async def read_replies(
    session_id: Ident, house: InHouse, caller: ClientApp, window: Annotated[ReplyWindow, Query()]
) -> Replies:
    """Give released replies, oldest first; nothing else ever reaches a client.

    A place that the log does not have yet is refused: begin again at 0. A restored log is shorter,
    and what leaves meanwhile would never be given.
    """
    state = await session_for(house, caller, session_id)
    after = window.after
    if window.page_token is not None:
        after = int(paging.key(window.page_token, (int,))[0])
    if after > state.seq:
        raise Refused("invalid_request", "No such place in the log yet: begin again at after=0.")
    found = released(state, after)
    page = found[: window.page_size]
    more = paging.token(page[-1].seq) if len(found) > len(page) else None
    return Replies(items=page, next_page_token=more, seq=state.seq)


@router.post("/sessions/{session_id}/questionnaires", status_code=201)
async def answer_questionnaire(
    session_id: Ident, asked: QuestionnaireRequest, once: Once
) -> QuestionnaireResult:
    """Record a session-reactions questionnaire. Paper: PSY-STEP §5 (SRS)."""
    await session_for(once.house, once.caller, session_id)
    helpful, hindering = subscales(asked)
    own = within(once.house.ports.ids.new("qst"), session_id)
    answered = events.QuestionnaireAnswered(
        questionnaire_id=own, kind=asked.kind,
        answers={str(item): grade for item, grade in asked.answers.items()},
        helpful=helpful, hindering=hindering,
    )  # fmt: skip

    decided = partial(decide.answer, questionnaire=answered)
    stamp = await once.do(lambda: once.append(session_id, decided, own))
    return QuestionnaireResult(
        questionnaire_id=stamp.id, kind=asked.kind, helpful=helpful, hindering=hindering,
        seq=stamp.seq,
    )  # fmt: skip


def view(state: State, stamp: Stamp) -> Session:
    """Give a session as it was at a stamp."""
    opened = state.opened
    assert opened is not None  # noqa: S101  (a session without its first event cannot be read)
    return Session.model_validate(
        {
            "id": state.session_id,
            "client_ref": opened.client_ref,
            "language": opened.language,
            "region": opened.region,
            "status": stamp.status,
            "seq": stamp.seq,
            "created_at": moment(state.created_at_ms),
            "updated_at": moment(stamp.updated_at_ms),
        }
    )


def released(state: State, after: int) -> tuple[Reply, ...]:
    """Give what has left after a log position, in the order it left."""
    sent = [one for one in state.entries if one.released_seq > max(after, 0)]
    return tuple(_reply(one) for one in sorted(sent, key=lambda one: one.released_seq))


def subscales(asked: QuestionnaireRequest) -> tuple[float, float]:
    """Give the means of the helpful and the hindering items, 1-5.

    Raises: Refused invalid_request unless every item is answered.
    """
    items: tuple[str, ...] = get_args(SrsItem)
    answers = {str(item): grade for item, grade in asked.answers.items()}
    if set(answers) != set(items):
        raise Refused("invalid_request", "Every item of the scale needs an answer.")
    helpful = [answers[item] for item in items[:-_HINDERING]]
    hindering = [answers[item] for item in items[-_HINDERING:]]
    return (
        round(sum(helpful) / len(helpful), 3),
        round(sum(hindering) / len(hindering), 3),
    )


def _reply(entry: Entry) -> Reply:
    return Reply(
        reply_id=entry.reply_id,
        text=entry.text,
        kind="crisis_notice" if entry.kind == "crisis_notice" else "reply",
        seq=entry.released_seq,
        sent_at=moment(entry.sent_at_ms),
    )

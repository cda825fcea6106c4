"""It arrives: authenticated, judged for danger, recorded once, acknowledged with 202.

Danger is judged on the raw words, first, in every mode; any failure of the judge counts as the
highest level (P3). The message is in the log before the client hears of it (P2). Everything
slower is the worker's, because the log now says that somebody is waiting.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from fastapi import APIRouter, Response

from safety.risk import WORST, Line, RiskReport
from service.desk import count_written
from service.house import session_for
from service.idempotency import Once, OnceOnly, Stamp, stamp_of
from service.ids import within
from service.ports import Ports
from service.schemas.client import MessageAccepted, MessageRequest
from service.schemas.wire import Ident
from service.session import decide, events
from service.session.state import State
from service.telemetry.log import LogEvent, log_line
from service.telemetry.metrics import Intake, Screening

router = APIRouter(prefix="/v1", tags=["client app"])
_HISTORY = 6
"""How many earlier turns the screen reads with the newest message."""


@router.post("/sessions/{session_id}/messages", status_code=202)
async def post_message(
    session_id: Ident, asked: MessageRequest, response: Response, once: Once
) -> MessageAccepted:
    """Take a client's message; 202 means that it is in the log, exactly once."""
    with Intake.seconds.timed():
        state = await session_for(once.house, once.caller, session_id)
        stamp = await once.do(lambda: _record(state, asked.text, once))
    response.headers["Location"] = f"/v1/sessions/{session_id}/replies?after={stamp.seq}"
    return MessageAccepted(message_id=stamp.id, seq=stamp.seq)


async def _record(state: State, text: str, once: OnceOnly) -> Stamp:
    house = once.house
    message = await heard(text, state, house.ports)

    def receive(now: State) -> Sequence[events.Event]:
        return decide.receive(now, message, house.ledger.policy)

    def stamp(after: State) -> Stamp:
        """Where the message stands: what comes with it, as a crisis notice, comes after it."""
        seq = next(one.seq for one in after.entries if one.id == message.message_id)
        return stamp_of(message.message_id, after, seq)

    done = await house.ledger.append(state.session_id, receive, once.caller.name, once.under(stamp))
    Intake.accepted.add()
    count_written(done.events)
    return stamp(done.state)


async def heard(text: str, state: State, ports: Ports) -> decide.Message:
    """Judge a client's words, and give them the ids that they and what comes of them will have.

    Raises: Refused session_closed, session_erased.
    """
    decide.still_open(state)
    report = await judge(text, state, ports)
    ids, session_id = ports.ids, state.session_id
    return decide.Message(
        ids.new("msg"), within(ids.new("alr"), session_id), within(ids.new("rpl"), session_id),
        text, report,
    )  # fmt: skip


async def judge(text: str, state: State, ports: Ports) -> RiskReport:
    """Judge raw words with their recent history. Never raises: a judge that fails, hangs or
    answers nonsense calls a human at the highest level.
    """
    before = _said(state)[-_HISTORY:]
    try:
        async with ports.judging:
            with Screening.seconds.timed():
                async with asyncio.timeout(ports.safety_timeout_s):
                    work = asyncio.to_thread(ports.screen.judge, text, before, state.language)
                    found = _sound(await work)
    except Exception as error:  # noqa: BLE001  (whatever goes wrong here, a human looks)
        found = replace(WORST, cause=type(error).__name__)
    if found.source == "failure":
        Screening.failed.add()
        cause = found.cause or "no_report"
        log_line(LogEvent.SCREEN_FAILED, "error", session_id=state.session_id, error=cause)
    Screening.judged.add(level=found.level, source=found.source)
    return found


def _said(state: State) -> Sequence[Line]:
    """What both have said; a reply that has not left asked the client nothing yet."""
    return [
        Line("client" if entry.kind == "client" else "counselor", entry.text)
        for entry in state.entries
        if entry.kind == "client" or (entry.kind == "reply" and entry.reply_id)
    ]


def _sound(report: object) -> RiskReport:
    """A report, or the worst case for anything that only looks like one."""
    return report if isinstance(report, RiskReport) and 0.0 <= report.score <= 1.0 else WORST

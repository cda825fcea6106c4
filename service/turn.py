"""What we do about a client's message, in order, ending in a draft, never in a reply.

The message was recorded and screened before this begins (`messages`). Only the worker runs
turns. A turn writes events and sends nothing; running it twice is harmless, because every append
decides again whether it is still wanted.
"""

from service import drafting, scrubbing
from service.ledger import Ledger
from service.ports import Ports
from service.session import case, decide
from service.session.duties import wants_draft, wants_plan
from service.session.events import DraftPrepared
from service.session.state import State

ACTOR = "service"


async def run_turn(session_id: str, ledger: Ledger, ports: Ports) -> None:
    """Turn the newest unanswered message into one draft for a human to judge.

    Paper: PSY-STEP §4 (planner, then utterance).
    Raises: StoreUnavailable; the worker tries again.
    """
    state = await ledger.load(session_id)
    state = await scrub_new_lines(state, ledger, ports)

    if wants_plan(state, ledger.policy):
        state = await propose_plan(state, ledger, ports)

    if wants_draft(state, ledger.policy):
        await propose_draft(state, ledger, ports)


async def scrub_new_lines(state: State, ledger: Ledger, ports: Ports) -> State:
    """Scrub every line that no model may see yet. What cannot be scrubbed stops the model."""
    lines = case.unscrubbed(state)
    if not lines and "profile" in state.scrubbed:
        return state
    try:
        texts = await scrubbing.scrub_lines(state, lines, ports)
    except scrubbing.ScrubFailed:
        return await _fall_back(state, "scrub_failed", ledger, ports)
    return (
        await ledger.append(state.session_id, lambda now: decide.scrubbed(now, texts), ACTOR)
    ).state


async def propose_plan(state: State, ledger: Ledger, ports: Ports) -> State:
    """Ask the planner adapter; a human decides on what it says. Repaired once, then a fallback."""
    if case.unscrubbed(state):
        return state
    asked = await drafting.write_plan(state, ports)
    if isinstance(asked, drafting.Failure):
        return await _failed(state, "plan", asked.reason, ledger)
    written = asked
    return (
        await ledger.append(
            state.session_id, lambda now: decide.proposed(now, written, ledger.policy), ACTOR
        )
    ).state


async def propose_draft(state: State, ledger: Ledger, ports: Ports) -> State:
    """Ask the utterance adapter for the current or the next action, and guard what it says."""
    if case.unscrubbed(state):
        return state
    asked = await drafting.write_draft(state, ports)
    if isinstance(asked, drafting.Failure):
        return await _fall_back(state, asked.reason, ledger, ports)
    return await _lay_down(state, asked, ledger, ports)


async def _fall_back(state: State, reason: str, ledger: Ledger, ports: Ports) -> State:
    """Put a labelled template on the desk at once; the log says when to ask the model again."""
    state = await _failed(state, "draft", reason, ledger)
    if state.draft_is_fresh or not wants_draft(state, ledger.policy):
        return state
    template = drafting.template_draft(state, reason, ports)
    return await _lay_down(state, template, ledger, ports)


async def _lay_down(state: State, draft: DraftPrepared, ledger: Ledger, ports: Ports) -> State:
    """Put a draft before the therapist, unless the session has moved on meanwhile."""
    done = await ledger.append(
        state.session_id, lambda now: decide.drafted(now, draft, ledger.policy), ACTOR
    )
    if done.events:
        drafting.count_ready(state, draft, ports.clock.now_ms())
    return done.state


async def _failed(state: State, duty: drafting.DutyName, reason: str, ledger: Ledger) -> State:
    return (
        await ledger.append(state.session_id, lambda _: decide.failed(duty, reason), ACTOR)
    ).state

"""What we do about a client's message, in order, ending in a draft, never in a reply.

The message was recorded and screened before this begins (`messages`). Only the worker runs
turns. A turn writes events and sends nothing; running it twice is harmless, because every append
decides again whether it is still wanted. What was scrubbed is written together with what came of
it: a turn that appends once is leased once, and no second worker starts on it in between.

A plan is asked for apart from that: nobody's draft waits for a planner that is slow or away.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from service import drafting, scrubbing
from service.desk import count_written
from service.ledger import Appended, Ledger
from service.ports import Ports
from service.session import case, decide
from service.session.duties import wants_draft, wants_plan
from service.session.events import SERVICE, DraftPrepared, Event, TextScrubbed
from service.session.evolve import foreseen
from service.session.state import State


@dataclass(frozen=True, slots=True)
class Turn:
    """A session as this turn sees it, with what it scrubbed and judged and nobody wrote yet."""

    state: State
    texts: tuple[TextScrubbed, ...] = ()
    known: tuple[tuple[str, ...], ...] = ()
    """The stand-ins there were before; had anybody else given new ones, ours could clash."""
    opinions: tuple[decide.Message, ...] = ()


async def run_turn(state: State, ledger: Ledger, ports: Ports) -> bool:
    """Turn the newest unanswered message into one draft for a human to judge.

    False when a template stands in for the model, which is asked again.
    Paper: PSY-STEP §4. Differs from the paper: the draft waits for no plan. Until a human decides
    on one, drafts stay on the last step of the stage before.
    Raises: StoreUnavailable; the worker tries again.
    """
    if not wants_draft(state, ledger.policy):
        return True
    try:
        turn = await scrub_new_lines(state, ports)
    except scrubbing.ScrubFailed:
        return await _fall_back(Turn(state), "scrub_failed", ledger, ports)
    return await propose_draft(await judge_new_lines(turn, ledger, ports), ledger, ports)


async def run_planning(state: State, ledger: Ledger, ports: Ports) -> bool:
    """Put up a plan for a human to decide on, where one is needed or was asked for.

    False when the planner is asked again. Raises: StoreUnavailable; the worker tries again.
    """
    if not wants_plan(state, ledger.policy):
        return True
    try:
        turn = await scrub_new_lines(state, ports)
    except scrubbing.ScrubFailed:
        await _failed(Turn(state), "plan", "scrub_failed", ledger)
        return False
    return await propose_plan(turn, ledger, ports)


async def scrub_new_lines(state: State, ports: Ports) -> Turn:
    """Scrub every line that no model may see yet. Raises: ScrubFailed, which stops the model."""
    texts = await scrubbing.scrub_lines(state, case.unscrubbed(state), ports)
    return Turn(foreseen(state, texts), texts, state.surrogates)


async def judge_new_lines(turn: Turn, ledger: Ledger, ports: Ports) -> Turn:
    """Have a large base judge what the screen has judged; danger it sees is written at once."""
    turn = replace(turn, opinions=await drafting.opinions(turn.state, ports))
    if not any(one.raises(turn.state) for one in turn.opinions):
        return turn
    done = await _write(turn, lambda _: (), ledger)
    count_written(done.events)
    return Turn(done.state, (), done.state.surrogates)


async def propose_plan(turn: Turn, ledger: Ledger, ports: Ports) -> bool:
    """Ask the planner adapter; a human decides on what it says. Repaired once, then a fallback."""
    if case.unscrubbed(turn.state):
        return True
    asked = await drafting.write_plan(turn.state, ports)
    if isinstance(asked, drafting.Failure):
        await _failed(turn, "plan", asked.reason, ledger)
        return False

    def propose(now: State) -> Sequence[Event]:
        # Somebody moved the cursor meanwhile: the plan is for where the session was.
        same = case.moves(now) == case.moves(turn.state)
        return decide.proposed(now, asked, ledger.policy) if same else ()

    await _write(turn, propose, ledger)
    return True


async def propose_draft(turn: Turn, ledger: Ledger, ports: Ports) -> bool:
    """Ask the utterance adapter for the current or the next action, and guard what it says."""
    if case.unscrubbed(turn.state) or not wants_draft(turn.state, ledger.policy):
        return True
    asked = await drafting.write_draft(turn.state, ports)
    if isinstance(asked, drafting.Failure):
        return await _fall_back(turn, asked.reason, ledger, ports)
    await _lay_down(turn, asked, ledger, ports)
    return True


async def _fall_back(turn: Turn, reason: str, ledger: Ledger, ports: Ports) -> bool:
    """Put a labelled template on the desk at once; the log says when to ask the model again."""
    turn = await _failed(turn, "draft", reason, ledger)
    if not turn.state.draft_is_fresh and wants_draft(turn.state, ledger.policy):
        template = drafting.template_draft(turn.state, reason, ports)
        await _lay_down(turn, template, ledger, ports)
    return False


async def _lay_down(turn: Turn, draft: DraftPrepared, ledger: Ledger, ports: Ports) -> None:
    """Put a draft before the therapist, unless the session has moved on meanwhile."""
    done = await _write(turn, lambda now: decide.drafted(now, draft, ledger.policy), ledger)
    if any(one.event is draft for one in done.events):
        drafting.count_ready(turn.state, draft, ports.clock.now_ms())


async def _failed(turn: Turn, duty: drafting.DutyName, reason: str, ledger: Ledger) -> Turn:
    fail = partial(decide.failed, duty=duty, reason=reason, policy=ledger.policy)
    done = await _write(turn, fail, ledger)
    return Turn(done.state, (), done.state.surrogates)


async def _write(turn: Turn, more: Callable[[State], Sequence[Event]], ledger: Ledger) -> Appended:
    def decided(now: State) -> Sequence[Event]:
        told = decide.judged(now, turn.opinions, ledger.policy)
        if turn.texts and now.surrogates != turn.known:
            return told
        return (*decide.scrubbed(now, turn.texts), *told, *more(now))

    return await ledger.append(turn.state.session_id, decided, SERVICE)

"""PURE. A session as the planner sees it: scrubbed words only, cut into the two stages."""

from itertools import takewhile

from planner.prompt import Refused
from planner.vocabulary import (
    Action,
    ClientTurn,
    CounselorTurn,
    PlannedCase,
    Stage,
    Turn,
)
from safety.risk import Line
from service.session.state import Entry, State

_SPOKEN = ("client", "reply")
_MOST_REFUSED = 3
"""Plans that the planner is told not to repeat."""


def unscrubbed(state: State) -> tuple[Entry, ...]:
    """Give the spoken lines that no model may see yet, oldest first."""
    return tuple(
        entry for entry in state.entries if entry.kind in _SPOKEN and entry.id not in state.scrubbed
    )


def unjudged(state: State) -> tuple[Entry, ...]:
    """Give the client's lines that the engine has not judged, oldest first.

    Those since the last reply, and since what a human who ended an alert had read.
    """
    said = [entry for entry in state.entries if entry.kind in _SPOKEN]
    waiting = takewhile(lambda entry: entry.kind == "client", reversed(said))
    left = (one for one in waiting if not one.judged and one.seq > state.settled_seq)
    return tuple(reversed([*left]))


def moves(state: State) -> int:
    """Give how often a human moved the cursor."""
    return sum(entry.kind == "stage" for entry in state.entries)


def heard(state: State, line: Entry) -> tuple[str, tuple[Line, ...]]:
    """Give a line and those before it, scrubbed, as a screen reads them."""
    before = takewhile(lambda entry: entry.id != line.id, state.entries)
    history = tuple(
        Line("client" if one.kind == "client" else "counselor", as_seen(state, one))
        for one in before if one.kind in _SPOKEN
    )  # fmt: skip
    return as_seen(state, line), history


def case_of(state: State) -> PlannedCase:
    """Give the planner's view. Every spoken line must have been scrubbed before.

    A client's words belong to the stage of the reply that answers them; unanswered ones to the
    stage that will answer them.
    """
    first, second = (
        [_turn(state, entry) for entry in _spoken_in(state, stage)]
        for stage in (Stage.DIAGNOSTIC, Stage.INTERVENTION)
    )
    return PlannedCase(
        state.language, state.position, state.formulation, first, second, state.corrected
    )


def _spoken_in(state: State, stage: Stage) -> list[Entry]:
    spoken: list[Entry] = []
    waiting: list[Entry] = []
    for entry in state.entries:
        if entry.kind == "client":
            waiting.append(entry)
        elif entry.kind == "reply":
            spoken += (*waiting, entry) if entry.stage is stage else ()
            waiting = []
    return [*spoken, *waiting] if state.position.stage is stage else spoken


def _turn(state: State, entry: Entry) -> Turn:
    if entry.kind == "client":
        return ClientTurn(as_seen(state, entry))
    return CounselorTurn(entry.reasoning, Action(entry.action), as_seen(state, entry))


def turn_of(state: State, reply: Entry) -> int:
    """Give where a reply stands among its stage's turns, from 0, as `case_of` has them."""
    return _spoken_in(state, reply.stage).index(reply)


def refused_plans(state: State) -> tuple[Refused, ...]:
    """Give the plans rejected since the last one that was decided on otherwise, oldest first.

    A superseded plan counts as undecided. Steps are scrubbed, or were written by a model from
    scrubbed words; reasons come from a closed list.
    """
    decided = (one for one in reversed(state.plans) if one.status != "superseded")
    newest = takewhile(lambda one: one.status == "rejected", decided)
    refused = [Refused(one.proposed.plan.actions, one.reasons) for one in newest]
    return tuple(reversed(refused[:_MOST_REFUSED]))


def as_seen(state: State, entry: Entry) -> str:
    """Give a line's scrubbed words. One that was never scrubbed is a bug: nobody may see it so.

    Raises: KeyError.
    """
    changed = state.scrubbed[entry.id]
    return entry.text if changed is None else changed

"""Wire objects for the console's states: fictional, non-graphic, the same on every run."""

from datetime import UTC, datetime, timedelta

from planner.fallback import fallback_turn
from planner.plan_rules import DIAGNOSTIC_PLAN
from planner.vocabulary import UNKNOWN, Position, Stage, Strategy
from service.schemas import plans, review, workspace
from tests.console.canned_talk import (
    ACTIONS,
    AGAIN,
    MESSAGE,
    OTHER_REPLY,
    READY,
    REPLY,
    STEPS,
    TALK,
    Said,
)

NOW = datetime.now(UTC)
DRAFTED, WATCHED, PLANNED, IN_CRISIS = "ses_1", "ses_2", "ses_5", "ses_9"
"""The sessions with a story of their own: the same in queue, workspace, plan and crisis desk."""
PACE = 3
"""Minutes from one line to the next."""


def ago(minutes: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


def diagnostic_plan() -> plans.PlanBody:
    whole = DIAGNOSTIC_PLAN
    return plans.PlanBody(
        strategy=None, text=whole.text, reason=whole.reason, actions=whole.actions
    )


def proposed_plan() -> plans.PlanVersion:
    return plans.PlanVersion(
        plan_id="pln_2",
        plan=plans.PlanBody(
            strategy=Strategy.EVIDENCE_BASED_QUESTIONING,
            text="Look at what speaks for and against being the weak link, then try a fairer view.",
            reason="The thought is firm and untested; evidence comes before wording.",
            actions=STEPS,
        ),
        formulation=formulation(),
        status="proposed",
        source="model",
        adapter="planner-0a1b2c3d4e5f",
        created_at=ago(3),
    )


def formulation() -> plans.FormulationBody:
    return plans.FormulationBody(
        surface_level_problem="dreading the team meetings",
        triggering_situation="nobody said anything in the review on Tuesday",
        automatic_thoughts=("the whole team sees me as the weak link",),
    )


def draft(stale: bool = False) -> review.Draft:
    """Both ways that are open after the third step: on to the fourth, or to stay with it."""
    return review.Draft(
        draft_id="drf_1",
        session_id=DRAFTED,
        message_id="msg_8",
        basis=40,
        stale=stale,
        candidates=(
            candidate(
                0,
                REPLY,
                3,
                "Problem, moment and thought have been told; both can look at it now.",
            ),
            candidate(1, OTHER_REPLY, 2, "Stays with the thought: what it means is not said yet."),
        ),
        adapter="utterance-3f9a1c2b7d10",
        template="9c1e77ab02d4",
        source="model",
        created_at=ago(1),
        latency_ms=1240,
        prompt_tokens=812,
        cached_tokens=640,
        completion_tokens=61,
    )


def candidate(index: int, utterance: str, step: int, reasoning: str) -> review.Candidate:
    return review.Candidate(
        index=index,
        utterance=utterance,
        action=ACTIONS[step],
        reasoning=reasoning,
        score=0.71 - index / 10,
        # The service keeps what a check found; where all passed there is nothing.
        checks=(),
    )


def template() -> review.Draft:
    """What stands on the desk while the engine is down."""
    turn = fallback_turn(Position(Stage.DIAGNOSTIC, DIAGNOSTIC_PLAN, 2), "en")
    only = candidate(0, turn.utterance, ACTIONS.index(turn.action), turn.action_reasoning)
    only = only.model_copy(update={"score": None})
    return draft().model_copy(
        update={
            "candidates": (only,), "adapter": "template", "template": "fallback",
            "source": "template", "note": "engine_down", "latency_ms": 0,
        }
    )  # fmt: skip


def transcript(turns: int = 9, **instead: str) -> tuple[workspace.Line, ...]:
    """So many lines, the last of them the message; ``msg_6="..."`` puts other words in one."""
    lines = [line(place, turns) for place in range(turns)]
    lines = [one.model_copy(update={"text": instead.get(one.id, one.text)}) for one in lines]
    note = workspace.Line(
        kind="note", id="n", seq=3, at=lines[0].at, text="Prefers short questions.",
        by="S. Supervisor",
    )  # fmt: skip
    return (lines[0], note, *lines[1:])


def line(place: int, turns: int) -> workspace.Line:
    said = TALK[place % len(TALK)] if place < turns - 1 else Said(MESSAGE)
    step = ACTIONS[2 if place >= len(TALK) else said.step] if said.step is not None else None
    return workspace.Line(
        kind="client" if step is None else "reply",
        id=f"msg_{8 if place == turns - 1 else place}",
        seq=place + 1,
        at=ago(2 + PACE * (turns - 1 - place)),
        text=said.text,
        by=step and "R. Therapist",
        verdict=step and ("edit" if said.drafted else "approve"),
        drafted=said.drafted,
        action=step,
    )


def plan_desk(cursor: int = 2, proposed: bool = False) -> plans.PlanDesk:
    unknown = plans.FormulationBody(
        surface_level_problem=UNKNOWN, triggering_situation=UNKNOWN, automatic_thoughts=()
    )
    return plans.PlanDesk(
        session_id=PLANNED if proposed else DRAFTED,
        position=plans.PositionView(
            stage=Stage.DIAGNOSTIC,
            plan=diagnostic_plan(),
            action_index=cursor,
            candidates=ACTIONS[cursor : cursor + 2],
            finished=False,
        ),
        formulation=formulation() if proposed else unknown,
        proposed=proposed_plan() if proposed else None,
        history=(),
        seq=42,
    )


def workspace_of(session: str, turns: int = 9, **changes: object) -> workspace.Workspace:
    whole = workspace.Workspace(
        session_id=session,
        status="open",
        language="en",
        region="US",
        client_ref="c-17",
        simulated=True,
        profile={"age": 34, "occupation": "engineer"},
        transcript=transcript(turns),
        plan=plan_desk(),
        draft=draft(),
        no_draft_reason=None,
        held=None,
        alerts=(),
        crisis_card=None,
        readiness=workspace.Readiness(
            known=(),
            unknown=("surface_level_problem", "triggering_situation", "automatic_thoughts"),
            score=0.0, drift=0.0, drift_turns=(),
        ),
        claimed_by="R. Therapist",
        claim_expires_at=ago(-5),
        viewers=("S. Supervisor",),
        unsent_text=None,
        assigned_to=None,
        stage=Stage.DIAGNOSTIC,
        action=ACTIONS[2],
        seq=42,
    )  # fmt: skip
    return whole.model_copy(update=changes)


def planned_workspace(session: str) -> workspace.Workspace:
    """The first stage is done: the last draft was sent, and a plan waits for a decision."""
    sent = line(7, 11).model_copy(
        update={"id": "msg_9", "text": REPLY, "action": ACTIONS[3], "at": ago(2 + PACE)}
    )
    last = line(10, 11).model_copy(update={"id": "msg_10", "text": READY})
    earlier = [
        one.model_copy(update={"at": one.at - timedelta(minutes=2 * PACE)}) for one in transcript()
    ]
    again = candidate(0, "I am glad. Which part of the thought weighs most?", 3, "Opens the work.")
    return workspace_of(
        session,
        transcript=(*earlier, sent, last),
        plan=plan_desk(3, proposed=True),
        draft=draft().model_copy(update={"candidates": (again,)}),
        readiness=workspace.Readiness(
            known=("surface_level_problem", "triggering_situation", "automatic_thoughts"),
            unknown=(), score=1.0, drift=0.0, drift_turns=(),
        ),
        action=ACTIONS[3],
    )  # fmt: skip


def moved_on(session: str) -> workspace.Workspace:
    """The client wrote again while the draft for the message before lay on the desk."""
    again = line(10, 11).model_copy(update={"id": "msg_9", "text": AGAIN, "at": ago(0.2)})
    return workspace_of(session, transcript=(*transcript(), again), draft=draft(stale=True))

"""Wire objects for the console's states: fictional, non-graphic, the same on every run."""

from datetime import UTC, datetime, timedelta

from planner.vocabulary import Stage, Strategy
from safety.risk import Category, RiskLevel
from service.schemas import alerts, plans, review, workspace
from service.schemas.problem import CheckResult

NOW = datetime.now(UTC)
ACTIONS = (
    "clarify surface problem",
    "explore triggering situation",
    "elicit automatic thoughts",
    "summarize shared understanding",
)
STEPS = (
    "name the harsh verdict",
    "weigh both sides",
    "find fairer wording",
    "plan one small trial",
    "review what helped",
    "End session",
)
TALK = (
    "Hello. I have been dreading our team meetings lately.",
    "I am glad you are here. When did the dread begin?",
    "After a review on Tuesday. My part came last and hardly anyone said a word about it.",
    "That silence sounds uncomfortable. What did you notice in yourself just then?",
    "My face got hot. I looked at my notes until it was over.",
    "So your body told you to hide. What did the silence mean to you?",
    "That they had already made up their minds about me, I suppose.",
    "It felt like a verdict. Is that how it has felt in other meetings too?",
)
"""What is said, client first; long transcripts say it again."""
MESSAGE = "I keep thinking the whole team sees me as the weak link, ever since the Tuesday review."
REPLY = "That review sounds heavy to carry. What went through your mind in the moment it happened?"


def ago(minutes: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


def diagnostic_plan() -> plans.PlanBody:
    return plans.PlanBody(
        strategy=None,
        text="Learn what troubles the client, when it shows, and what goes through the mind.",
        reason="Understanding comes before any technique.",
        actions=ACTIONS,
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
        surface_level_problem="I dread the team meetings",
        triggering_situation="the Tuesday review",
        automatic_thoughts=("the whole team sees me as the weak link",),
    )


def draft(stale: bool = False) -> review.Draft:
    checks = (
        CheckResult(check="length", verdict="pass", detail="92 of 200 characters"),
        CheckResult(check="one_question", verdict="pass", detail="one question"),
        CheckResult(check="diagnosis", verdict="pass", detail="no diagnosis is told"),
        CheckResult(check="unknown_names", verdict="pass", detail="no name the client did not use"),
    )
    warned = (*checks[:3], CheckResult(check="promise", verdict="warn", detail="sounds certain"))
    return review.Draft(
        draft_id="drf_1",
        session_id="ses_1",
        message_id="msg_9",
        basis=40,
        stale=stale,
        candidates=(
            review.Candidate(
                index=0,
                utterance=REPLY,
                action=ACTIONS[2],
                reasoning="The trigger is clear; the thought behind the dread is not said yet.",
                score=0.71,
                checks=checks,
            ),
            review.Candidate(
                index=1,
                utterance="When you picture that review, what is the sentence you tell yourself?",
                action=ACTIONS[2],
                reasoning="Asks for the thought in the client's own wording.",
                score=0.64,
                checks=warned,
            ),
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


def template() -> review.Draft:
    """What stands on the desk while the engine is down."""
    whole = draft()
    return whole.model_copy(
        update={
            "candidates": whole.candidates[:1], "adapter": "template", "template": "fallback",
            "source": "template", "note": "engine_down", "latency_ms": 0,
        }
    )  # fmt: skip


def alert(level: RiskLevel = RiskLevel.HIGH, acknowledged: bool = False) -> alerts.Alert:
    start = MESSAGE.index("the weak link")
    return alerts.Alert(
        alert_id="alr_2" if acknowledged else "alr_1",
        session_id="ses_2" if acknowledged else "ses_1",
        message_id="msg_9",
        level=level,
        category=Category.SELF_HARM,
        score=0.86,
        source="rules",
        evidence=(
            alerts.EvidenceView(
                start=start,
                end=start + len("the weak link"),
                category=Category.SELF_HARM,
                reason="feels like a burden",
            ),
        ),
        raised_at=ago(2),
        pages=1,
        escalates_at=None if acknowledged else ago(-3),
        acknowledged_at=ago(1) if acknowledged else None,
        acknowledged_by="R. Therapist" if acknowledged else None,
        resolved_at=None,
        outcome=None,
        seq=41,
    )


def crisis_card() -> alerts.CrisisCard:
    return alerts.CrisisCard(
        questions=(
            alerts.Question(
                key="wish",
                text="Have you wished you could go to sleep and not wake up?",
                if_yes="At least low; go on with the next question.",
            ),
            alerts.Question(
                key="thoughts",
                text="Have you had thoughts of ending your life?",
                if_yes="At least moderate; ask about intention.",
            ),
        ),
        safety_plan=("Warning signs", "What helps me on my own", "People I can turn to"),
        resources=(
            alerts.Resource(
                name="Fictional crisis line",
                contact="555-0142",
                hours="24/7",
                languages=("en",),
                last_verified="2026-10-01",
            ),
        ),
        guidance=("Ask directly and calmly.", "Stay until another person is there."),
    )


def line(place: int) -> workspace.Line:
    client = place % 2 == 0
    return workspace.Line(
        kind="client" if client else "reply",
        id=f"msg_{place}",
        seq=place + 1,
        at=ago(400 - place),
        text=TALK[place % len(TALK)],
        by=None if client else "R. Therapist",
        verdict=None if client else "edit" if place % 4 == 1 else "approve",
        drafted="What went through your mind?" if not client and place % 4 == 1 else None,
        action=None if client else ACTIONS[place % 3],
    )


def transcript(turns: int) -> tuple[workspace.Line, ...]:
    mark = workspace.Line(kind="note", id="n", seq=3, at=ago(395), text="Prefers short questions.")
    stage = workspace.Line(kind="stage", id="s", seq=2, at=ago(399), text="diagnostic")
    lines = [line(place) for place in range(turns - 1)]
    last = workspace.Line(kind="client", id="msg_9", seq=40, at=ago(2), text=MESSAGE)
    return (*lines[:1], stage, mark, *lines[1:], last)


def plan_desk(proposed: bool = True) -> plans.PlanDesk:
    return plans.PlanDesk(
        session_id="ses_1",
        position=plans.PositionView(
            stage=Stage.DIAGNOSTIC,
            plan=diagnostic_plan(),
            action_index=1,
            candidates=ACTIONS[1:3],
            finished=False,
        ),
        formulation=formulation(),
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
            known=("surface_level_problem", "triggering_situation"),
            unknown=("automatic_thoughts",),
            score=0.66,
            drift=0.2,
            drift_turns=(4,),
        ),
        claimed_by="R. Therapist",
        claim_expires_at=ago(-5),
        viewers=("R. Therapist", "S. Supervisor"),
        unsent_text=None,
        assigned_to=None,
        stage=Stage.DIAGNOSTIC,
        action=ACTIONS[1],
        seq=42,
    )
    return whole.model_copy(update=changes)


def crisis_workspace(session: str, **changes: object) -> workspace.Workspace:
    return workspace_of(
        session,
        status="crisis",
        draft=None,
        no_draft_reason="crisis",
        alerts=(alert(),),
        crisis_card=crisis_card(),
        **changes,
    )

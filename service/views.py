"""A session as people at the desk read it: stand-ins restored, nothing left to look up."""

from planner import machine
from planner.drift import drift
from planner.plan_rules import readiness
from planner.vocabulary import Formulation, Plan, Position
from safety.crisis_card import crisis_card
from safety.risk import RiskLevel
from service.ids import maybe, moment
from service.schemas.alerts import Alert, CrisisCard, EvidenceView, Question, Resource
from service.schemas.plans import FormulationBody, PlanBody, PlanDesk, PlanVersion, PositionView
from service.schemas.problem import CheckResult
from service.schemas.review import Candidate
from service.schemas.review import Draft as DraftView
from service.schemas.workspace import Held, Line
from service.schemas.workspace import Readiness as ReadinessView
from service.scrubbing import restored
from service.session.case import case_of, unscrubbed
from service.session.duties import Policy, duties
from service.session.evolve_plans import formulation_of, plan_of
from service.session.state import Alarm, Draft, Entry, State

_MEANING = {
    None: "for your own judgment",
    RiskLevel.MODERATE: "a yes means moderate",
    RiskLevel.HIGH: "a yes means high",
    RiskLevel.IMMINENT: "a yes means imminent",
}


def draft_view(state: State, draft: Draft) -> DraftView:
    """Give a draft with the client's own names; stale once the session has moved on."""
    prepared = draft.prepared
    candidates = tuple(
        Candidate(
            index=place,
            utterance=restored(state, one.utterance),
            action=one.action,
            reasoning=restored(state, one.action_reasoning),
            score=one.score,
            checks=tuple(CheckResult(**check.model_dump()) for check in one.checks),
        )
        for place, one in enumerate(prepared.candidates)
    )
    return DraftView(
        draft_id=prepared.draft_id, session_id=state.session_id, message_id=prepared.message_id,
        basis=prepared.basis, stale=not _is_current(state, draft), candidates=candidates,
        adapter=prepared.adapter, template=prepared.template, source=prepared.source,
        created_at=moment(draft.at_ms), note=prepared.note, **prepared.usage.model_dump(),
    )  # fmt: skip


def alert_view(state: State, alarm: Alarm, policy: Policy) -> Alert:
    """Give an alert with its evidence and when the next person is called."""
    owed = duties(state, policy)
    next_page = next((one.due_at_ms for one in owed if one.subject == alarm.alert_id), None)
    return Alert(
        alert_id=alarm.alert_id, session_id=state.session_id, message_id=alarm.message_id,
        level=alarm.level, category=alarm.category, score=alarm.score, source=alarm.source,
        evidence=tuple(EvidenceView(**one.model_dump()) for one in alarm.evidence),
        raised_at=moment(alarm.raised_at_ms), pages=alarm.pages, escalates_at=maybe(next_page),
        acknowledged_at=maybe(alarm.acknowledged_at_ms), acknowledged_by=alarm.acknowledged_by,
        resolved_at=maybe(alarm.resolved_at_ms),
        outcome=alarm.outcome,  # pyright: ignore[reportArgumentType]  (validated on the way in)
        seq=state.seq,
    )  # fmt: skip


def card_view(state: State) -> CrisisCard | None:
    """Give one card for all open alerts and what their words point at; None when none is open."""
    if not state.open_alarms or state.opened is None:
        return None
    named = {alarm.category for alarm in state.open_alarms}
    named |= {span.category for alarm in state.open_alarms for span in alarm.evidence}
    card = crisis_card(named, state.language, state.opened.region)
    return CrisisCard(
        questions=tuple(
            Question(
                key=one.key, text=one.text, if_yes=_MEANING.get(one.yes, "a yes means low"),
                ask_if=dict(one.ask_if),
            )
            for one in card.questions
        ),
        safety_plan=card.safety_plan,
        resources=tuple(
            Resource(
                name=one.name, contact=one.contact, hours=one.hours, languages=one.languages,
                last_verified=one.last_verified.isoformat(),
            )
            for one in card.resources
        ),
        guidance=card.guidance,
    )  # fmt: skip


def plan_view(state: State) -> PlanDesk:
    """Give the running plan, what is proposed, and every earlier version."""
    versions = [
        PlanVersion(
            plan_id=one.proposed.plan_id,
            plan=_plan_body(state, plan_of(one.proposed.plan)),
            formulation=formulation_body(state, formulation_of(one.proposed.formulation)),
            status=one.status, source=one.proposed.source, adapter=one.proposed.adapter,
            created_at=moment(one.at_ms), decided_by=one.decided_by,
        )
        for one in state.plans
    ]  # fmt: skip
    proposed = next((one for one in versions if one.status == "proposed"), None)
    return PlanDesk(
        session_id=state.session_id, position=position_view(state, state.position),
        formulation=formulation_body(state, state.formulation), proposed=proposed,
        history=tuple(one for one in versions if one.status != "proposed"), seq=state.seq,
    )  # fmt: skip


def position_view(state: State, position: Position) -> PositionView:
    """Give where the session stands."""
    return PositionView(
        stage=position.stage, plan=_plan_body(state, position.plan), action_index=position.cursor,
        candidates=machine.candidates(position), finished=machine.finished(position),
    )  # fmt: skip


def formulation_body(state: State, formulation: Formulation) -> FormulationBody:
    """Give the formulation in the client's own names."""
    return FormulationBody(
        surface_level_problem=restored(state, formulation.surface_level_problem) or "unknown",
        triggering_situation=restored(state, formulation.triggering_situation) or "unknown",
        automatic_thoughts=tuple(restored(state, one) for one in formulation.automatic_thoughts),
    )


def transcript(state: State) -> tuple[Line, ...]:
    """Give everything that happened, in the log's order, as its therapist may read it.

    Not by the clock: two replicas have two, and either may be set back.
    """
    lines = [_line(state, entry) for entry in state.entries]
    lines += [
        Line(
            kind="alert", id=alarm.alert_id, seq=alarm.seq, at=moment(alarm.raised_at_ms),
            text=f"{alarm.level} {alarm.category}", risk=alarm.level,
        )
        for alarm in state.alarms
    ]  # fmt: skip
    return tuple(sorted(lines, key=lambda line: line.seq))


def held_view(state: State) -> Held | None:
    """Give the reply inside its hold window, if there is one."""
    if state.held is None:
        return None
    decision = state.held.decision
    return Held(
        decision_id=decision.decision_id, text=decision.text, action=decision.action,
        release_at=moment(decision.release_at_ms),
    )  # fmt: skip


def readiness_view(state: State) -> ReadinessView:
    """Give what of the formulation is known and how far the talk left the plan."""
    known = readiness(state.formulation)
    gone = None if unscrubbed(state) else drift(case_of(state))
    return ReadinessView(
        known=known.known, unknown=known.unknown, score=known.score,
        drift=gone.score if gone else 0.0, drift_turns=gone.turns if gone else (),
    )  # fmt: skip


def no_draft_reason(state: State, drafting: bool) -> str | None:
    """Give why no draft is on the desk; None when one is."""
    if state.draft_is_fresh:
        return None
    if state.status in {"crisis", "closed"}:
        return state.status
    if state.held is not None:
        return "reply_is_held"
    if state.unanswered is None and not state.draft_wanted:
        return "nothing_to_answer"
    failed = state.failing.get("draft")
    if not drafting:
        return "paused"
    return failed.reason if failed else "drafting"


def _is_current(state: State, draft: Draft) -> bool:
    same = state.draft is not None and state.draft.prepared.draft_id == draft.prepared.draft_id
    return same and state.draft_is_fresh


def _line(state: State, entry: Entry) -> Line:
    drafted = restored(state, entry.drafted.utterance) if entry.drafted else None
    sent_or_said = entry.sent_at_ms or entry.at_ms
    return Line(
        kind=entry.kind, id=entry.id, seq=entry.released_seq or entry.seq, at=moment(sent_or_said),
        text=restored(state, entry.text) if entry.kind == "plan" else entry.text,
        by=entry.by, verdict=entry.verdict, drafted=drafted, action=entry.action or None,
        risk=entry.level if entry.kind == "client" else None,
    )  # fmt: skip


def _plan_body(state: State, plan: Plan) -> PlanBody:
    return PlanBody(
        strategy=plan.strategy, text=restored(state, plan.text) or "-",
        reason=restored(state, plan.reason) or "-", actions=plan.actions,
    )  # fmt: skip

"""Asking the engine: prompt, answer, guard, at most one second try. Writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from models.completion import Ask, Completion, EngineUnavailable
from planner import machine, parse, prompt
from planner.fallback import fallback_plan, fallback_turn
from planner.vocabulary import CounselorTurn, Language, PlanAnswer, Role
from safety import engine_layer
from safety.crisis_card import resource_names
from safety.guard import Check, GuardContext
from safety.risk import Line, RiskReport
from service.ids import within
from service.ports import Engine, Ports
from service.scrubbing import restored, surrogates_of
from service.session import case
from service.session.decide import Message
from service.session.events import DraftPrepared
from service.session.parts import CandidateText, CheckMade, Usage, formulation_text, plan_text
from service.session.plans import PlanProposed
from service.session.state import State
from service.telemetry import metrics
from service.telemetry.log import note

DutyName = Literal["draft", "plan"]
_TRIES = 2
"""A second answer is asked for once, when the first is unreadable or its guard failed."""
_JUDGED, _OPINION_S = 3, 20.0
"""How many of the newest lines an opinion is asked on, and how long a draft waits for each."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the engine gave nothing; a closed word, never its text."""

    reason: str


class Origin(NamedTuple):
    """Where a text comes from, and what it cost."""

    source: Literal["model", "template"]
    adapter: str
    template: str
    usage: Usage


async def opinions(state: State, ports: Ports) -> tuple[Message, ...]:
    """Give the base's own judgment of each new line of the client, scrubbed; none if not asked.

    The screen judged the raw words before, and nobody waited for this: it can only raise. Asked
    again with the next draft where the engine gave no answer.
    """
    given: list[Message] = []
    wait_s = min(ports.drafting.timeout_s, _OPINION_S)
    ask = Ask(ports.drafting.judge, state.session_id, temperature=0.0, timeout_s=wait_s)
    # The newest first: one that gets no answer must not stand before it for good.
    for line in reversed(case.unjudged(state)[-_JUDGED:]) if ask.model else ():
        report = await opinion(*case.heard(state, line), state.language, ports.engine, ask)
        if report is None:
            break
        alert, notice = (within(ports.ids.new(kind), state.session_id) for kind in ("alr", "rpl"))
        given.append(Message(line.id, alert, notice, line.text, report))
    return tuple(reversed(given))


async def opinion(
    text: str, history: Sequence[Line], language: Language, engine: Engine, ask: Ask
) -> RiskReport | None:
    """Give the base's judgment of a scrubbed message; None where it gave none that can be read."""
    asked = engine_layer.ask(text, history, language)
    messages = (prompt.Message("system", asked.system), prompt.Message("user", asked.user))
    question = prompt.Prompt(messages, Role.UTTERANCE, asked.schema, "judge", asked.max_tokens)
    try:
        report = engine_layer.read((await engine.complete(question, ask))[0].text)
    except EngineUnavailable as error:
        metrics.Engine.failed.add(reason=error.fault)
        return None
    if report is None:
        metrics.Engine.failed.add(reason="unreadable")
    else:
        metrics.Screening.judged.add(level=report.level, source=report.source)
    return report


async def write_draft(state: State, ports: Ports) -> DraftPrepared | Failure:
    """Give a draft whose candidates are guarded, or why there is none."""
    asked = prompt.render(Role.UTTERANCE, case.case_of(state), state.hint)
    allowed = machine.candidates(state.position)
    best: tuple[CandidateText, ...] = ()
    usage, adapter = Usage(), ""
    for _ in range(_TRIES):
        try:
            answers, answered = await _ask(asked, state, ports)
        except EngineUnavailable as error:
            if not best:
                return Failure(f"engine_{error.fault}")
            break
        usage = _added(usage, answers)
        parsed = [parse.parse_utterance(answer.text, allowed) for answer in answers]
        readable = [turn for turn in parsed if isinstance(turn, CounselorTurn)]
        candidates = tuple(_guarded(state, turn, ports) for turn in readable)
        if not best or _faults(candidates) < _faults(best):
            # Between the tries the role may have changed its adapter.
            best, adapter = candidates, answered
        if best and _faults(best) == 0:
            break
    if not best:
        metrics.Engine.failed.add(reason="unreadable")
        return Failure("answer_unreadable")
    return _draft(state, ports, best, Origin("model", adapter, asked.template, usage))


async def write_plan(state: State, ports: Ports) -> PlanProposed | Failure:
    """Give a plan that obeys every rule, the labelled fallback if twice none could be read."""
    asked = prompt.render(Role.PLANNER, case.case_of(state), refused=case.refused_plans(state))
    usage, adapter = Usage(), ""
    for _ in range(_TRIES):
        try:
            answers, adapter = await _ask(asked, state, ports)
        except EngineUnavailable as error:
            return Failure(f"engine_{error.fault}")
        usage = _added(usage, answers)
        parsed = parse.parse_plan(answers[0].text)
        if isinstance(parsed, PlanAnswer):
            _count(Role.PLANNER, adapter, "model")
            return _plan(state, ports, parsed, Origin("model", adapter, asked.template, usage))
    metrics.Engine.failed.add(reason="unreadable")
    _count(Role.PLANNER, "template", "template")
    fallback = fallback_plan(state.language)
    return _plan(state, ports, fallback, Origin("template", "template", asked.template, usage))


def template_draft(state: State, reason: str, ports: Ports) -> DraftPrepared:
    """Give the labelled template for the current action, for a therapist to start from."""
    turn = fallback_turn(state.position, state.language)
    candidate = CandidateText(
        action_reasoning=turn.action_reasoning, action=turn.action, utterance=turn.utterance
    )
    _count(Role.UTTERANCE, "template", "template")
    return DraftPrepared(
        draft_id=within(ports.ids.new("drf"), state.session_id), message_id=state.unanswered,
        basis=state.seq, candidates=(candidate,), adapter="template", template="fallback",
        source="template", note=reason,
    )  # fmt: skip


async def _ask(
    asked: prompt.Prompt, state: State, ports: Ports
) -> tuple[Sequence[Completion], str]:
    how = ports.drafting
    wanted = how.candidates if asked.role is Role.UTTERANCE else 1
    model = await ports.aliases.serving(asked.role)
    ask = Ask(model, state.session_id, wanted, how.temperature, how.timeout_s)
    try:
        with metrics.Engine.seconds.timed(role=asked.role):
            answers = await ports.engine.complete(asked, ask)
    except EngineUnavailable as error:
        metrics.Engine.failed.add(reason=error.fault)
        raise
    first = answers[0]
    for kind in ("prompt", "cached", "completion"):
        amount = getattr(first, f"{kind}_tokens")
        metrics.Engine.tokens.add(amount, kind=kind, role=asked.role)
    metrics.Engine.completion_tokens.observe(first.completion_tokens, role=asked.role)
    return answers, first.adapter


def _guarded(state: State, turn: CounselorTurn, ports: Ports) -> CandidateText:
    """The guard reads what the client would read."""
    checks = ports.guard(restored(state, turn.utterance), guard_context(state, "model"))
    for check in checks:
        if check.verdict == "fail":
            metrics.Drafts.checks_failed.add(check=check.check)
    return CandidateText(
        action_reasoning=turn.action_reasoning, action=turn.action, utterance=turn.utterance,
        checks=tuple(made(check) for check in checks if check.verdict != "pass"),
    )  # fmt: skip


def guard_context(
    state: State, author: Literal["model", "human"], writer: str = ""
) -> GuardContext:
    """Give what the guard may know of a session, and of who writes where a human does."""
    said = "\n".join(entry.text for entry in state.entries if entry.kind == "client")
    return GuardContext(
        state.language,
        author,
        surrogates_of(state),
        client_text=said,
        known_names=_names(state) | {writer},
    )


def _names(state: State) -> frozenset[str]:
    """The service, the staff of this session, and the places where a client there can turn."""
    staff = {entry.by for entry in state.entries if entry.kind == "reply"}
    region = state.opened.region if state.opened else ""
    return frozenset({"Second Chair", state.assigned_to or "", *staff, *resource_names(region)})


def made(check: Check) -> CheckMade:
    """Give a check as the log keeps it."""
    return CheckMade(check=str(check.check), verdict=check.verdict, detail=check.detail)


def count_ready(state: State, draft: DraftPrepared, now_ms: int) -> None:
    """Count how long the message waited for its first draft; later drafts were asked for."""
    if state.draft is not None and state.draft.prepared.message_id == draft.message_id:
        return
    for entry in state.entries:
        if entry.id == draft.message_id:
            waited = max(0, now_ms - entry.at_ms) / 1000
            metrics.Drafts.ready_seconds.observe(waited, source=draft.source)


def _draft(
    state: State, ports: Ports, candidates: tuple[CandidateText, ...], origin: Origin
) -> DraftPrepared:
    _count(Role.UTTERANCE, origin.adapter, origin.source)
    return DraftPrepared(
        draft_id=within(ports.ids.new("drf"), state.session_id), message_id=state.unanswered,
        basis=state.seq, candidates=candidates, **origin._asdict(),
    )  # fmt: skip


def _plan(state: State, ports: Ports, answer: PlanAnswer, origin: Origin) -> PlanProposed:
    return PlanProposed(
        plan_id=within(ports.ids.new("pln"), state.session_id), plan=plan_text(answer.plan),
        formulation=formulation_text(answer.formulation), **origin._asdict(),
    )  # fmt: skip


def _faults(candidates: tuple[CandidateText, ...]) -> int:
    """Failed checks of the best candidate; none at all is worst."""
    failed = [sum(check.verdict == "fail" for check in one.checks) for one in candidates]
    return min(failed, default=99)


def _added(usage: Usage, answers: Sequence[Completion]) -> Usage:
    first = answers[0]
    return Usage(
        latency_ms=usage.latency_ms + first.latency_ms,
        prompt_tokens=usage.prompt_tokens + first.prompt_tokens,
        cached_tokens=usage.cached_tokens + first.cached_tokens,
        completion_tokens=usage.completion_tokens + first.completion_tokens,
    )


def _count(role: Role, adapter: str, source: str) -> None:
    metrics.Drafts.prepared.add(role=role, adapter=adapter, source=source)
    note(role=role, adapter=adapter, source=source)

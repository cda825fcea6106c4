"""What a session owes and when, as the pure core reads it off the log."""

import pytest

from planner.plan_rules import DIAGNOSTIC_ACTIONS
from safety.risk import Category, RiskLevel, RiskReport
from service.session import alarms, decide, events, parts
from service.session.decide import Message
from service.session.duties import (
    REJECTED,
    Policy,
    Waits,
    duties,
    owed_now,
    wants_draft,
    wants_plan,
)
from service.session.evolve import fold
from service.session.state import State
from tests.unit.test_alarm_routing import Session

POLICY = Policy()
LEVELS = {"calm": RiskLevel.NONE, "moderate": RiskLevel.MODERATE}


def said(level: str = "calm") -> tuple[events.Event, ...]:
    report = RiskReport(LEVELS[level], Category.SUICIDE, 0.7, (), "rules")
    return decide.receive(after(), Message("msg_1", "alr_1", "rpl_n", "Words.", report), POLICY)


def after(*happened: events.Event, every_ms: int = 1_000) -> State:
    """Fold a log in which something happens every so often, from 0 on."""
    opened = events.SessionOpened(client_ref="c1", team="north", language="en", region="US")
    log = enumerate((opened, *happened))
    return fold("ses_1", [events.Recorded(n + 1, n * every_ms, "ada", one) for n, one in log])


def failed(reason: str = "engine_down", duty: str = "draft") -> events.WorkFailed:
    return events.WorkFailed(duty=duty, reason=reason)  # pyright: ignore[reportArgumentType]


def drafted(source: str = "model") -> events.DraftPrepared:
    words = parts.CandidateText(
        action_reasoning="because", action=DIAGNOSTIC_ACTIONS[0], utterance="Go on."
    )
    return events.DraftPrepared(
        draft_id="drf_1", message_id="msg_1", basis=2, candidates=(words,), adapter="a",
        template="t", source=source,  # pyright: ignore[reportArgumentType]
    )  # fmt: skip


def replied(action: str = "", release_at_ms: int = 9_000) -> events.ReplyDecided:
    return events.ReplyDecided(
        decision_id="dec_1", draft_id=None, verdict="respond", text="Hello.", action=action,
        basis=1, release_at_ms=release_at_ms,
    )  # fmt: skip


LEFT = events.ReplyReleased(reply_id="rpl_1", decision_id="dec_1")


def owed(state: State, policy: Policy = POLICY) -> list[tuple[int, str, str]]:
    return [tuple(one) for one in duties(state, policy)]


def test_a_message_owes_a_draft_at_once_and_a_draft_that_lies_there_owes_none():
    assert owed(after(*said())) == [(1_000, "draft", "")]
    assert owed(after(*said(), drafted())) == []
    assert owed(after(*said(), events.SessionClosed())) == []
    assert owed(after(*said(), events.SessionErased())) == []
    assert owed(after(*said()), Policy(drafting=False)) == []


def test_a_held_reply_owes_its_release_and_no_turn_before_it():
    state = after(*said(), replied(release_at_ms=9_000))
    assert owed(state) == [(9_000, "release", "dec_1")]
    assert not wants_draft(after(*said(), replied(), *said()), POLICY)
    assert owed(after(*said(), replied(), LEFT)) == []


def test_the_last_diagnostic_step_owes_a_plan_once_its_reply_has_left():
    through = (*said(), replied(DIAGNOSTIC_ACTIONS[0]), LEFT)
    for action in DIAGNOSTIC_ACTIONS[1:]:
        assert not wants_plan(after(*through), POLICY)
        through = (*through, *said(), replied(action))
        assert not wants_plan(after(*through), POLICY), "it may still be undone"
        through = (*through, LEFT)
    state = after(*through)
    assert owed(state) == [(state.updated_at_ms, "plan", "")]
    assert [kind for _, kind, _ in owed(after(*through, *said()))] == ["plan", "draft"]
    late = after(*through, failed(duty="plan"))
    assert owed(late) == [(late.updated_at_ms + 1_000, "plan", "")]


@pytest.mark.parametrize(
    ("times", "wait"), [(1, 1_000), (2, 2_000), (3, 5_000), (4, 15_000), (5, 30_000), (6, 30_000)]
)
def test_a_turn_that_fails_is_owed_again_ever_later(times: int, wait: int):
    state = after(*said(), *[failed()] * times)
    assert owed(state) == [(state.updated_at_ms + wait, "draft", "")]
    template = after(*said(), drafted("template"), failed())
    assert [kind for _, kind, _ in owed(template)] == ["draft"], "a template waits for better"


def test_what_the_engine_refuses_waits_long_unless_the_session_has_moved():
    state = after(*said(), failed(REJECTED))
    assert owed(state) == [(state.updated_at_ms + POLICY.refused_ms, "draft", "")]
    noted = after(*said(), failed(REJECTED), events.NoteAdded(note_id="not_1", text="Seen."))
    assert owed(noted)[0][0] == 2_000 + POLICY.refused_ms
    moved = after(*said(), failed(REJECTED), *said())
    assert owed(moved) == [(moved.updated_at_ms, "draft", "")]


def test_people_come_before_turns_and_each_turn_is_begun_once():
    state = after(*said("moderate"))
    now = state.updated_at_ms
    both = owed_now(state, Waits(POLICY), now, ())
    assert [one.kind for one in both.now] == ["page"]
    paged = after(*said("moderate"), alarms.AlertAcknowledged(alert_id="alr_1"))
    turn = owed_now(paged, Waits(POLICY), paged.updated_at_ms, ())
    assert [one.kind for one in turn.now] == ["draft"]
    held = after(*said(), replied(release_at_ms=9_000))
    later = owed_now(held, Waits(POLICY), 8_999, ())
    assert (list(later.now), later.later_ms) == ([], 9_000)
    assert [one.kind for one in owed_now(held, Waits(POLICY), 9_000, ()).now] == ["release"]


def test_a_draft_is_begun_beside_a_plan_that_is_being_written():
    through: tuple[events.Event, ...] = ()
    for action in DIAGNOSTIC_ACTIONS:
        through = (*through, *said(), replied(action), LEFT)
    state = after(*through, *said())
    first = owed_now(state, Waits(POLICY), state.updated_at_ms, ())
    beside = owed_now(state, Waits(POLICY), state.updated_at_ms, {"draft"})
    other = owed_now(state, Waits(POLICY), state.updated_at_ms, {"plan"})
    assert [one.now[0].kind for one in (first, beside, other)] == ["draft", "plan", "draft"]


def test_a_wait_that_the_log_does_not_hold_ends_with_time_or_with_a_session_that_moves():
    state = after(*said(), *[failed()] * 5)
    waits, now = Waits(POLICY), state.updated_at_ms + 40_000
    assert owed_now(state, waits, now, ()).now
    waits.begin(state, "draft", now)
    assert waits.known("ses_1", "draft")
    assert not waits.known("ses_1", "plan")
    put_off = owed_now(state, waits, now + 29_999, ())
    assert (list(put_off.now), put_off.later_ms) == ([], now + 30_000)
    assert owed_now(state, waits, now + 30_000, ()).now
    assert owed_now(state, waits, now - 1, ()).now, "a clock set back prolongs no wait"
    moved = after(*said(), *[failed()] * 5, *said())
    assert owed_now(moved, waits, now + 1, ()).now
    waits.begin(after(*said()), "draft", now + 60_000)
    assert not waits.known("ses_1", "draft"), "what ended is forgotten"


def test_a_page_waits_unwritten_for_its_own_alert_and_until_somebody_was_reached():
    session, waits = Session(), Waits(POLICY)
    session.say(RiskLevel.IMMINENT)
    session.say(RiskLevel.IMMINENT, Category.PSYCHOSIS)
    for _ in POLICY.backoff_ms:
        session.page("alr_1", 0, delivered=False)
    now_ms = session.now_ms = 600_000

    def due() -> set[str]:
        return {one.subject for one in owed_now(session.state, waits, now_ms, ()).now}

    assert due() == {"alr_1", "alr_2"}
    waits.begin(session.state, "page", now_ms, "alr_1")
    assert due() == {"alr_2"}
    session.say(RiskLevel.LOW)
    assert due() == {"alr_2"}, "what the client says lets no page be tried sooner"
    session.page("alr_1", 0)
    assert due() == {"alr_1", "alr_2"}, "the second person's call waits for nothing"

"""Whom danger reaches and when, as the pure core decides it: alert, crisis, ladder, end."""

from itertools import pairwise

import pytest

from safety.risk import Category, RiskLevel, RiskReport
from service.session import alarms, decide, events
from service.session.decide import Message
from service.session.duties import Duty, Policy, due_at_ms, duties, lacks_plan, wants_draft
from service.session.evolve import evolve, fold
from service.session.state import State

HIGH, IMMINENT, LOW, MODERATE = (
    RiskLevel.HIGH, RiskLevel.IMMINENT, RiskLevel.LOW, RiskLevel.MODERATE,
)  # fmt: skip
MINUTE = 60_000
POLICY = Policy()
OPENED = events.SessionOpened(client_ref="c1", team="north", language="en", region="US")


class Session:
    """A session whose log grows by what is decided; its clock stands unless told."""

    def __init__(self, policy: Policy = POLICY) -> None:
        self.policy, self.now_ms, self.messages = policy, 1_000, 0
        self.state = fold("ses_1", [events.Recorded(1, 1_000, "app", OPENED)])

    def write(self, *decided: events.Event, actor: str = "ada") -> State:
        """Add events to the log."""
        for event in decided:
            at = events.Recorded(self.state.seq + 1, self.now_ms, actor, event)
            self.state = evolve(self.state, at)
        return self.state

    def message(self, level: RiskLevel, category: Category = Category.SUICIDE) -> Message:
        """Give a message of the next number."""
        self.messages += 1
        report = RiskReport(level, category, 0.5 + level.rank / 10, (), "rules")
        number = self.messages
        return Message(f"msg_{number}", f"alr_{number}", f"rpl_{number}", "Words.", report)

    def say(self, level: RiskLevel, category: Category = Category.SUICIDE) -> tuple[str, ...]:
        """Have the client write; gives the kinds of the events."""
        decided = decide.receive(self.state, self.message(level, category), self.policy)
        self.write(*decided, actor="app")
        return tuple(one.type for one in decided)

    def judge(self, message_id: str, level: RiskLevel, category: Category) -> tuple[str, ...]:
        """Have the engine judge a message; gives the kinds of the events."""
        report = RiskReport(level, category, 0.9, (), "engine")
        message = Message(message_id, f"alr_e{message_id}", "rpl_e", "Words.", report)
        decided = decide.judged(self.state, (message,), self.policy)
        self.write(*decided)
        return tuple(one.type for one in decided)

    def page(self, alert_id: str, tier: int, *, delivered: bool = True) -> None:
        """Note an attempt to reach somebody."""
        self.write(alarms.AlertPaged(alert_id=alert_id, tier=tier, delivered=delivered))

    def resolve(self, alert_id: str, basis: int | None = None) -> State:
        """End an alert."""
        return self.write(
            alarms.AlertResolved(alert_id=alert_id, outcome="safe", note="Spoke.", basis=basis)
        )

    def pages(self) -> list[Duty]:
        """Give the pages that are owed."""
        return [one for one in duties(self.state, self.policy) if one.kind == "page"]


@pytest.mark.parametrize(
    ("level", "written", "status"),
    [
        (RiskLevel.NONE, ("message_received",), "open"),
        (LOW, ("message_received",), "open"),
        (MODERATE, ("message_received", "alert_raised"), "open"),
        (HIGH, ("message_received", "alert_raised"), "crisis"),
        (IMMINENT, ("message_received", "alert_raised"), "crisis"),
    ],
)
def test_from_moderate_on_somebody_is_called_and_from_high_on_drafting_stops(
    level: RiskLevel, written: tuple[str, ...], status: str
):
    session = Session()
    assert session.say(level) == written
    assert session.state.status == status
    assert wants_draft(session.state, POLICY) is (status == "open")
    assert [one.level for one in session.state.open_alarms] == [level] * (len(written) - 1)
    assert (session.state.newest_level, session.state.newest_score) == (
        level,
        0.5 + level.rank / 10,
    )


@pytest.mark.parametrize(
    ("level", "minutes"), [(MODERATE, (0, 15, 60)), (HIGH, (0, 5, 15)), (IMMINENT, (0, 1, 3))]
)
def test_the_second_and_the_third_person_are_called_while_nobody_answers(
    level: RiskLevel, minutes: tuple[int, ...]
):
    session = Session()
    session.say(level)
    due: list[int] = []
    for tier in range(5):
        (page,) = session.pages()
        assert page.subject == "alr_1"
        due.append((page.due_at_ms - 1_000) // MINUTE)
        session.now_ms = page.due_at_ms
        session.page("alr_1", tier)
    gap = minutes[2] - minutes[1]
    assert due == [*minutes, minutes[2] + gap, minutes[2] + 2 * gap]
    assert due_at_ms(session.state, POLICY) == duties(session.state, POLICY)[0].due_at_ms


def test_a_page_that_reaches_nobody_is_tried_again_ever_later_and_counts_for_no_tier():
    session = Session()
    session.say(IMMINENT)
    waits: list[int] = []
    for _ in range(7):
        session.page("alr_1", 0, delivered=False)
        waits.append(session.pages()[0].due_at_ms - session.now_ms)
        session.now_ms = session.pages()[0].due_at_ms
    assert waits == [1_000, 2_000, 5_000, 15_000, 30_000, 30_000, 30_000]
    (alarm,) = session.state.alarms
    assert (alarm.pages, alarm.failures) == (0, 7)
    session.page("alr_1", 0)
    (alarm,) = session.state.alarms
    assert (alarm.pages, alarm.failures, alarm.tried_at_ms) == (1, 0, session.now_ms)
    assert session.pages()[0].due_at_ms == 1_000 + MINUTE


def test_of_pages_that_reach_nobody_the_first_few_are_written_and_each_that_gets_through():
    session = Session()
    session.say(IMMINENT)
    lost, sent = (
        alarms.AlertPaged(alert_id="alr_1", tier=0, delivered=one) for one in (False, True)
    )
    for _ in POLICY.backoff_ms:
        assert decide.paged(session.state, lost, POLICY) == (lost,)
        session.write(lost)
    assert decide.paged(session.state, lost, POLICY) == ()
    assert decide.paged(session.state, sent, POLICY) == (sent,)
    session.write(sent)
    second = alarms.AlertPaged(alert_id="alr_1", tier=1, delivered=False)
    assert decide.paged(session.state, second, POLICY) == (second,), "the next person counts anew"
    assert decide.paged(session.state, sent, POLICY) == ()


def test_a_clock_that_was_set_back_calls_nobody_later():
    session = Session()
    session.now_ms = 10 * MINUTE
    session.say(IMMINENT)
    session.page("alr_1", 0, delivered=False)
    session.now_ms = MINUTE
    session.write(events.NoteAdded(note_id="not_1", text="Seen."))
    assert session.pages()[0].due_at_ms == MINUTE + 1_000
    session.page("alr_1", 0)
    assert session.pages()[0].due_at_ms == 2 * MINUTE


def test_whoever_acknowledges_ends_the_calls_and_not_the_crisis():
    session = Session()
    session.say(HIGH)
    session.say(HIGH, Category.SELF_HARM)
    session.now_ms = 5_000
    session.write(alarms.AlertAcknowledged(alert_id="alr_1"), actor="ben")
    first, second = session.state.alarms
    assert (first.acknowledged_at_ms, first.acknowledged_by) == (5_000, "ben")
    assert second.acknowledged_at_ms is None
    assert [one.subject for one in session.pages()] == ["alr_2"]
    assert session.state.status == "crisis"
    assert session.state.unseen_alarms == (second,)


def test_danger_of_the_same_kind_belongs_to_the_alert_that_nobody_has_seen():
    session = Session()
    session.say(HIGH)
    assert session.say(MODERATE) == ("message_received",)
    assert session.state.alarms[0].grew
    assert session.say(LOW) == ("message_received",)
    assert session.say(IMMINENT) == ("message_received", "alert_raised")
    assert session.say(HIGH, Category.SELF_HARM) == ("message_received", "alert_raised")
    assert [one.grew for one in session.state.alarms] == [True, False, False]
    session.write(alarms.AlertAcknowledged(alert_id="alr_1"))
    assert not session.state.alarms[0].grew
    session.write(alarms.AlertAcknowledged(alert_id="alr_4"))
    assert session.say(HIGH) == ("message_received", "alert_raised")


def test_drafting_resumes_when_no_grave_alert_is_left_and_the_gravity_is_forgotten():
    session = Session()
    session.say(HIGH)
    session.say(MODERATE, Category.SELF_HARM)
    session.now_ms = 7_000
    read = session.state.seq
    assert session.resolve("alr_1", basis=read).status == "open"
    done, left = session.state.alarms
    assert (done.resolved_at_ms, done.read_seq, done.outcome) == (7_000, read, "safe")
    assert session.state.open_alarms == (left,)
    assert session.state.settled_seq == read
    assert session.state.newest_level is HIGH, "until every alert is over"
    assert session.resolve("alr_2").newest_level is RiskLevel.NONE
    assert (session.state.newest_score, session.pages()) == (0.0, [])
    assert session.state.alarms[1].read_seq == session.state.seq
    assert [one.text for one in session.state.entries if one.kind == "note"] == ["Spoke."] * 2
    assert wants_draft(session.state, POLICY)


def test_a_crisis_goes_on_while_one_grave_alert_is_left_and_in_a_closed_session_calls_go_on():
    session = Session()
    session.say(HIGH)
    session.say(IMMINENT)
    assert session.resolve("alr_1").status == "crisis"
    assert session.write(events.SessionClosed()).status == "closed"
    assert [one.subject for one in session.pages()] == ["alr_2"]
    assert session.resolve("alr_2").status == "closed"
    assert session.pages() == []


def test_the_gravest_of_what_is_unanswered_orders_the_queue():
    session = Session()
    for level in (RiskLevel.NONE, LOW, RiskLevel.NONE):
        session.say(level)
    assert (session.state.newest_level, session.state.newest_score) == (LOW, 0.6)
    answered = events.ReplyDecided(
        decision_id="dec_1", draft_id=None, verdict="respond", text="Hello.", action="",
        basis=session.state.seq, release_at_ms=0,
    )  # fmt: skip
    session.write(answered, events.ReplyReleased(reply_id="rpl_1", decision_id="dec_1"))
    session.say(RiskLevel.NONE)
    assert (session.state.newest_level, session.state.newest_score) == (RiskLevel.NONE, 0.5)


def test_the_engine_raises_a_level_and_never_lowers_one():
    session = Session()
    session.say(LOW)
    assert session.judge("msg_1", RiskLevel.NONE, Category.NONE) == ("message_judged",)
    assert session.state.newest_level is LOW
    session.say(LOW)
    told = session.judge("msg_2", HIGH, Category.HARM_FROM_OTHERS)
    assert told == ("message_judged", "alert_raised")
    first, second = (one for one in session.state.entries if one.kind == "client")
    assert (first.judged, first.level) == (True, LOW)
    assert (second.judged, second.level) == (True, HIGH)
    assert Category.HARM_FROM_OTHERS in second.named
    assert (session.state.newest_level, session.state.newest_score) == (HIGH, 0.9)
    assert session.judge("msg_2", IMMINENT, Category.SUICIDE) == (), "judged once"
    gone = alarms.MessageJudged(
        message_id="msg_9", level=HIGH, category=Category.SUICIDE, score=0.9
    )
    before = session.state
    assert session.write(gone).entries == before.entries


def test_an_opinion_of_a_line_that_was_answered_orders_nothing():
    session = Session()
    session.say(LOW)
    session.say(RiskLevel.NONE)
    assert session.judge("msg_1", MODERATE, Category.SUICIDE)[0] == "message_judged"
    assert session.state.newest_level is LOW
    assert [one.level for one in session.state.alarms] == [MODERATE]


def test_the_fixed_notice_goes_out_once_and_stands_in_the_transcript_as_sent():
    session = Session(Policy(crisis_notice={"en": "Please call 555-0100."}))
    assert session.say(HIGH)[-1] == "crisis_notice_sent"
    assert session.say(IMMINENT)[-1] == "alert_raised"
    (notice,) = [one for one in session.state.entries if one.kind == "crisis_notice"]
    assert (notice.text, notice.reply_id) == ("Please call 555-0100.", "rpl_1")
    assert (notice.released_seq, notice.sent_at_ms) == (4, 1_000)
    other = Session(Policy(crisis_notice={"en": "Please call 555-0100."}))
    assert other.say(HIGH, Category.HARM_FROM_OTHERS)[-1] == "alert_raised"


def test_what_is_owed_first_stands_first_and_a_pause_ends_no_call():
    session = Session()
    session.say(MODERATE)
    paused = Policy(drafting=False)
    kinds = [one.kind for one in duties(session.state, POLICY)]
    assert sorted(kinds) == ["draft", "page"]
    assert [one.kind for one in duties(session.state, paused)] == ["page"]
    assert not lacks_plan(session.state, POLICY)
    due = [one.due_at_ms for one in duties(session.state, POLICY)]
    assert all(one <= other for one, other in pairwise(due))
    assert due_at_ms(session.state, paused) == due[0]

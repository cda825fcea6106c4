"""What a human at the desk decides, as the pure core sees it: events, or none, or a refusal."""

import pytest

from planner.plan_rules import DIAGNOSTIC_ACTIONS
from planner.vocabulary import Action
from safety.risk import Category, RiskLevel
from service.session import alarms, decide_review, events, parts
from service.session.decide_review import Choice
from service.session.evolve import fold
from service.session.refusals import Refused
from service.session.state import State

FIRST, SECOND, THIRD, _ = DIAGNOSTIC_ACTIONS


def after(*happened: events.Event) -> State:
    opened = events.SessionOpened(client_ref="c1", team="north", language="en", region="US")
    log = enumerate((opened, *happened), 1)
    return fold("ses_1", [events.Recorded(seq, seq, "ada", event) for seq, event in log])


def drafted(action: Action) -> events.DraftPrepared:
    words = parts.CandidateText(action_reasoning="because", action=action, utterance="Go on.")
    return events.DraftPrepared(
        draft_id="drf_1", message_id=None, basis=3, candidates=(words,), adapter="a", template="t",
        source="model",
    )  # fmt: skip


def answered(action: Action | None) -> tuple[events.Event, ...]:
    """A first reply, which carried out an action or none, and that it left."""
    said = events.ReplyDecided(
        decision_id="dec_1", draft_id=None, verdict="respond", text="Hello.", action=action or "",
        basis=1, release_at_ms=0,
    )  # fmt: skip
    return said, events.ReplyReleased(reply_id="rpl_1", decision_id="dec_1")


def replied(state: State, verdict: str, action: str | None = None) -> events.ReplyDecided:
    draft_id = None if verdict == "reply" else "drf_1"
    choice = Choice(
        "dec_2", "respond" if verdict == "reply" else verdict,  # pyright: ignore[reportArgumentType]
        "Words.", state.seq, 0, draft_id, action=action,
    )  # fmt: skip
    (decided,) = decide_review.reply(state, choice)
    assert isinstance(decided, events.ReplyDecided)
    return decided


@pytest.mark.parametrize(
    ("verdict", "named", "serves", "because"),
    [
        ("approve", None, SECOND, "because"),
        ("edit", None, SECOND, "because"),
        ("edit", FIRST, FIRST, ""),
        ("respond", None, FIRST, ""),
        ("respond", SECOND, SECOND, "because"),
        ("reply", None, FIRST, ""),
        ("reply", SECOND, SECOND, ""),
    ],
)
def test_words_serve_what_their_human_says_or_else_what_they_came_from(
    verdict: str, named: str | None, serves: str, because: str
) -> None:
    decided = replied(after(*answered(FIRST), drafted(SECOND)), verdict, named)
    assert (decided.action, decided.reasoning) == (serves, because)


@pytest.mark.parametrize("verdict", ["respond", "reply"])
def test_before_the_first_step_own_words_serve_none(verdict: str) -> None:
    assert replied(after(*answered(None), drafted(FIRST)), verdict).action == ""


@pytest.mark.parametrize("verdict", ["edit", "respond", "reply"])
def test_nobody_skips_a_step(verdict: str) -> None:
    with pytest.raises(Refused) as refused:
        replied(after(*answered(FIRST), drafted(SECOND)), verdict, THIRD)
    assert refused.value.code == "action_not_allowed"


def raised(
    name: str = "alr_2", level: RiskLevel = RiskLevel.HIGH, category: Category = Category.NONE
) -> alarms.AlertRaised:
    return alarms.AlertRaised(
        alert_id=name, message_id="m1", level=level, category=category, score=1.0, source="human"
    )


NOTE = events.NoteAdded(note_id="not_1", text="Giving things away.")
SEEN = alarms.AlertAcknowledged(alert_id="alr_1")
HELD = answered(FIRST)[0]
ERASED = events.SessionErased()


def test_a_human_s_alert_is_written_with_its_note() -> None:
    assert decide_review.raise_alert(after(), raised(), NOTE) == (raised(), NOTE)


def test_a_reply_that_waits_goes_back_to_its_therapist_from_high_on() -> None:
    _, undone = decide_review.raise_alert(after(HELD), raised(), None)
    assert undone == events.DecisionUndone(decision_id="dec_1", cause="crisis")
    mild = raised(level=RiskLevel.MODERATE)
    assert decide_review.raise_alert(after(HELD), mild, None) == (mild,)


def test_an_alert_that_nobody_has_seen_stands_for_the_same_danger_told_again() -> None:
    before = after(raised("alr_1"))
    assert decide_review.raise_alert(before, raised(), None) == ()
    assert decide_review.raise_alert(before, raised(), NOTE) == (NOTE,)
    told = after(raised("alr_1"), NOTE)
    again = NOTE.model_copy(update={"note_id": "not_2"})
    assert decide_review.raise_alert(told, raised(), again) == ()


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ((raised("alr_1"), SEEN), raised()),
        ((raised("alr_1"),), raised(level=RiskLevel.IMMINENT)),
        ((raised("alr_1"),), raised(category=Category.SUICIDE)),
    ],
)
def test_danger_that_no_unseen_alert_stands_for_calls_people_anew(
    before: tuple[events.Event, ...], now: alarms.AlertRaised
) -> None:
    assert decide_review.raise_alert(after(*before), now, None) == (now,)


def test_an_erased_session_can_raise_none() -> None:
    with pytest.raises(Refused) as refused:
        decide_review.raise_alert(after(ERASED), raised(), None)
    assert refused.value.code == "session_erased"

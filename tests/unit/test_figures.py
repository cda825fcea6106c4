"""Figures come from the log alone and count each thing once."""

import pytest

from safety.risk import Category, RiskLevel
from service.figures import Span, Tally, changed, streaks
from service.session import alarms, events, parts
from service.session.events import Event, Recorded

SECOND = 1000


def told(*happened: tuple[int, str, Event]) -> tuple[Recorded, ...]:
    return tuple(
        Recorded(place + 1, at * SECOND, actor, event)
        for place, (at, actor, event) in enumerate(happened)
    )


def opened() -> events.SessionOpened:
    return events.SessionOpened(client_ref="c1", team="north", language="en", region="US")


def message(name: str) -> events.MessageReceived:
    return events.MessageReceived(message_id=name, text="words", level=RiskLevel.NONE)


def draft(name: str) -> events.DraftPrepared:
    candidate = parts.CandidateText(action_reasoning="r", action="a", utterance="one two three")
    return events.DraftPrepared(
        draft_id=name, message_id="m1", basis=2, candidates=(candidate,), adapter="a", template="t",
        source="model",
    )  # fmt: skip


def decided(name: str, verdict: str, text: str = "one two three") -> events.ReplyDecided:
    return events.ReplyDecided.model_validate(
        {
            "decision_id": name, "draft_id": "d1", "verdict": verdict, "text": text, "action": "a",
            "candidate": 0, "dwell_ms": 900, "basis": 3, "release_at_ms": 0,
        }
    )  # fmt: skip


def tally(*logs: tuple[Recorded, ...]) -> Tally:
    found = Tally(Span(0, 10**9))
    for place, log in enumerate(logs):
        found.read(f"ses_{place}", log)
    return found


def test_an_answer_takes_from_the_first_unanswered_message_to_the_release() -> None:
    found = tally(
        told(
            (0, "app", opened()),
            (10, "app", message("m1")),
            (12, "app", message("m2")),
            (14, "worker", draft("d1")),
            (20, "ana", decided("x1", "approve")),
            (25, "service", events.ReplyReleased(reply_id="r1", decision_id="x1")),
        )
    )
    assert [one.took_ms for one in found.released] == [15 * SECOND]
    assert [one.took_ms for one in found.prepared] == [4 * SECOND]
    assert found.released[0].by == "ana"


def test_who_writes_while_a_reply_is_held_waits_anew() -> None:
    found = tally(
        told(
            (0, "app", opened()),
            (10, "app", message("m1")),
            (14, "worker", draft("d1")),
            (20, "ana", decided("x1", "approve")),
            (22, "app", message("m2")),
            (25, "service", events.ReplyReleased(reply_id="r1", decision_id="x1")),
            (30, "worker", draft("d2")),
            (80, "ben", decided("x2", "approve")),
            (85, "service", events.ReplyReleased(reply_id="r2", decision_id="x2")),
        )
    )
    assert [(one.by, one.took_ms) for one in found.released] == [
        ("ana", 15 * SECOND),
        ("ben", 63 * SECOND),
    ]
    assert [one.took_ms for one in found.prepared] == [4 * SECOND, 8 * SECOND]


@pytest.mark.parametrize("meanwhile", [(), ((21, "app", message("m2")),)])
def test_who_was_to_have_a_reply_that_was_taken_back_waits_on(
    meanwhile: tuple[tuple[int, str, Event], ...],
) -> None:
    found = tally(
        told(
            (10, "app", message("m1")),
            (14, "worker", draft("d1")),
            (20, "ana", decided("x1", "approve")),
            *meanwhile,
            (22, "ana", events.DecisionUndone(decision_id="x1")),
            (30, "worker", draft("d2")),
            (40, "ana", decided("x2", "approve")),
            (45, "service", events.ReplyReleased(reply_id="r1", decision_id="x2")),
        )
    )
    assert [one.took_ms for one in found.released] == [35 * SECOND]
    assert [one.took_ms for one in found.prepared] == [4 * SECOND]


def test_a_streak_of_approvals_ends_with_an_edit() -> None:
    log = told(
        (0, "app", opened()),
        (1, "worker", draft("d1")),
        (2, "ana", decided("x1", "approve")),
        (3, "ana", decided("x2", "approve")),
        (4, "ana", decided("x3", "edit", "one two four")),
        (5, "ana", decided("x4", "approve")),
    )
    assert streaks(tally(log).judged) == {"ana": (1, 2)}


def test_a_name_that_stood_in_the_draft_for_the_clients_own_is_no_edit() -> None:
    named = (("Two", "two", "PERSON", "PERSON-1"),)
    log = told(
        (0, "app", opened()),
        (1, "worker", events.TextScrubbed(entry_id="m1", surrogates=named)),
        (2, "worker", draft("d1")),
        (3, "ana", decided("x1", "edit", "one Two four")),
    )
    (edit,) = tally(log).judged
    assert edit.distance == changed("one Two three", "one Two four")
    assert edit.distance < changed("one two three", "one Two four")


def test_a_decision_that_was_taken_back_is_none() -> None:
    log = told(
        (0, "app", opened()),
        (1, "worker", draft("d1")),
        (2, "ana", decided("x1", "approve")),
        (3, "ana", events.DecisionUndone(decision_id="x1")),
        (4, "ana", decided("x2", "approve")),
        (5, "service", events.DecisionUndone(decision_id="x2", cause="crisis")),
        (6, "ana", decided("x3", "edit", "one two four")),
    )
    found = tally(log)
    assert [one.verdict for one in found.judged] == ["edit"]
    assert found.undone == {"ana": 1}
    assert streaks(found.judged) == {"ana": (0, 0)}


def test_what_happened_outside_the_span_is_not_counted() -> None:
    found = Tally(Span(15 * SECOND, 10**9))
    found.read("ses_1", told((0, "app", opened()), (10, "app", message("m1"))))
    assert found.messages == []


def test_an_alert_is_counted_once_with_how_far_people_came() -> None:
    raised = alarms.AlertRaised(
        alert_id="a1", message_id="m1", level=RiskLevel.HIGH, category=Category.SUICIDE, score=1,
        source="rules",
    )  # fmt: skip
    found = tally(
        told(
            (0, "app", opened()),
            (1, "service", raised),
            (2, "service", alarms.AlertPaged(alert_id="a1", tier=0, delivered=True)),
            (9, "ana", alarms.AlertAcknowledged(alert_id="a1")),
        )
    )
    assert [(one.paged, one.acknowledged_ms, one.resolved) for one in found.alarms] == [
        (1, 9 * SECOND, False)
    ]


def test_the_share_of_words_changed_runs_from_nothing_to_all() -> None:
    assert changed("one two", "one two") == 0
    assert changed("one two", "three four") == 1

"""What a therapist reads stands in the log's order, whatever the clocks of the replicas say."""

from itertools import pairwise

from safety.risk import Category, RiskLevel
from service.session import alarms, events
from service.session.evolve import fold
from service.views import transcript
from tests.fakes import START_MS

TOLD: tuple[events.Event, ...] = (
    events.SessionOpened(client_ref="c", team="t", language="en", region="US"),
    events.MessageReceived(message_id="m1", text="First.", level=RiskLevel.NONE),
    events.ReplyDecided(
        decision_id="d1", draft_id=None, verdict="respond", text="Answer.", action="",
        basis=2, release_at_ms=START_MS,
    ),
    events.MessageReceived(message_id="m2", text="Second.", level=RiskLevel.HIGH),
    alarms.AlertRaised(
        alert_id="a1", message_id="m2", level=RiskLevel.HIGH, category=Category.SUICIDE,
        score=0.9, source="rules",
    ),
    events.ReplyReleased(reply_id="r1", decision_id="d1"),
    events.NoteAdded(note_id="n1", text="Called."),
)  # fmt: skip


def test_a_clock_that_runs_backwards_changes_nothing() -> None:
    slow = [
        events.Recorded(seq, START_MS - 200 * seq, "ada", one) for seq, one in enumerate(TOLD, 1)
    ]
    lines = transcript(fold("s1", slow))
    assert [one.id for one in lines] == ["m1", "m2", "a1", "d1", "n1"]
    assert [one.seq for one in lines] == [2, 4, 5, 6, 7]
    assert all(one.at > later.at for one, later in pairwise(lines))


def test_a_reply_that_has_not_left_stands_where_it_was_decided() -> None:
    log = [events.Recorded(seq, START_MS, "ada", one) for seq, one in enumerate(TOLD[:4], 1)]
    lines = transcript(fold("s1", log))
    assert [(one.id, one.seq) for one in lines] == [("m1", 2), ("d1", 3), ("m2", 4)]

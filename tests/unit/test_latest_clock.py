"""Two machines' clocks are apart: the later one is gone by, for a while, and never beyond need."""

from service.ids import LatestClock
from tests.fakes import ManualClock

MINUTE = 60_000


class Ticking:
    """Seconds that nobody sets."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def made() -> tuple[LatestClock, ManualClock, Ticking]:
    own, ticking = ManualClock(), Ticking()
    return LatestClock(own, ticking), own, ticking


def test_what_is_read_within_a_second_changes_nothing():
    latest, own, _ = made()
    latest.hear(own.now_ms() + 1_000)
    assert latest.now_ms() == own.now_ms()
    assert latest.behind_ms() == 0


def test_a_log_that_is_ahead_is_followed_and_goes_on_from_there():
    latest, own, ticking = made()
    newest = own.now_ms() + 10 * MINUTE
    latest.hear(newest)
    ticking.now_s += 5
    own.tick(5_000)
    assert latest.now_ms() == newest + 5_000
    assert latest.behind_ms() == 10 * MINUTE


def test_a_clock_that_is_put_right_is_gone_by_again():
    latest, own, ticking = made()
    latest.hear(own.now_ms() + 10 * MINUTE)
    ticking.now_s += 60
    own.tick(11 * MINUTE + 1)
    assert (latest.now_ms(), latest.behind_ms()) == (own.now_ms(), 0)


def test_a_reading_is_not_believed_for_good_nor_beyond_a_day():
    latest, own, ticking = made()
    latest.hear(own.now_ms() + 400 * 24 * 60 * MINUTE)
    assert latest.behind_ms() == 24 * 60 * MINUTE
    ticking.now_s += 600
    assert latest.now_ms() == own.now_ms()


def test_only_a_log_that_is_ahead_is_judged_by_the_later_time():
    latest, own, _ = made()
    ahead = own.now_ms() + 10 * MINUTE
    latest.hear(ahead)
    assert latest.judging(ahead - MINUTE) == ahead
    assert latest.judging(own.now_ms() - MINUTE) == own.now_ms()

"""Levels are ordered, combining only raises, and failing counts as the worst."""

from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety.risk import CALM, WORST, Category, Evidence, RiskLevel, RiskReport, combine

LEVELS = tuple(RiskLevel)


def report(level: RiskLevel, score: float = 0.5, **given: object) -> RiskReport:
    category = given.get("category", Category.NONE if level is RiskLevel.NONE else Category.SUICIDE)
    evidence = given.get("evidence", ())
    return RiskReport(level, category, score, evidence, "rules")  # type: ignore[arg-type]


reports = st.builds(
    RiskReport,
    st.sampled_from(LEVELS),
    st.sampled_from(tuple(Category)),
    st.floats(0, 1),
    st.lists(
        st.builds(
            Evidence,
            st.integers(0, 5),
            st.integers(6, 9),
            st.sampled_from(tuple(Category)),
            st.just("words"),
        ),
        max_size=3,
    ).map(tuple),
    st.sampled_from(("rules", "classifier", "engine")),
)


def test_levels_rank_from_none_to_imminent():
    assert [level.rank for level in LEVELS] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(("one", "other"), list(product(LEVELS, LEVELS)))
def test_at_least_follows_the_rank(one: RiskLevel, other: RiskLevel):
    assert one.at_least(other) is (one.rank >= other.rank)


def test_moderate_and_above_alert_a_human():
    assert [report(level).routes for level in LEVELS] == [False, False, True, True, True]


def test_high_and_above_silence_the_model():
    assert [report(level).stops_drafting for level in LEVELS] == [False, False, False, True, True]


def test_a_failure_counts_as_imminent_and_alerts():
    assert WORST.level is RiskLevel.IMMINENT
    assert WORST.source == "failure"
    assert WORST.score == 1.0
    assert WORST.routes
    assert WORST.stops_drafting


def test_nothing_found_is_calm():
    assert CALM.level is RiskLevel.NONE
    assert CALM.score == 0.0
    assert not CALM.routes


def test_no_layer_at_all_is_a_failure():
    assert combine(()) is WORST


def test_combining_one_report_changes_nothing():
    alone = report(RiskLevel.HIGH, 0.7)
    assert combine([alone]) == alone


def test_between_equal_levels_the_one_that_names_a_category_speaks():
    unnamed = report(RiskLevel.HIGH, 0.99, category=Category.NONE)
    named = report(RiskLevel.HIGH, 0.1, category=Category.PSYCHOSIS)
    both = combine([unnamed, named])
    assert both.category is Category.PSYCHOSIS
    assert both.score == 0.99


def test_evidence_of_all_layers_is_kept_once_and_in_order():
    late = Evidence(5, 9, Category.SUICIDE, "later")
    early = Evidence(1, 3, Category.SELF_HARM, "earlier")
    both = combine(
        [
            report(RiskLevel.HIGH, evidence=(late, early)),
            report(RiskLevel.LOW, evidence=(early,)),
        ]
    )
    assert both.evidence == (early, late)


@settings(deadline=None)
@given(st.lists(reports, min_size=1, max_size=4))
def test_combining_never_lowers_anything(found: list[RiskReport]):
    together = combine(found)
    assert together.level.rank == max(one.level.rank for one in found)
    assert together.score == max(one.score for one in found)
    assert {span for one in found for span in one.evidence} == set(together.evidence)


@settings(deadline=None)
@given(st.lists(reports, min_size=2, max_size=3))
def test_the_order_of_the_layers_does_not_change_the_level(found: list[RiskReport]):
    levels = {combine(order).level for order in permutations(found)}
    assert len(levels) == 1

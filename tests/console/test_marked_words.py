"""Marking changes no word: what an edit changed, and what raised an alert."""

import re
from html import escape

from hypothesis import given, settings
from hypothesis import strategies as st

from safety.risk import Category
from service.schemas.alerts import EvidenceView
from ui.diff import Change, word_diff
from ui.panels.transcript import highlighted

_quickly = settings(max_examples=100, deadline=None, database=None)
_words = st.sampled_from(["We ", "talk", "ed", " ", "\n", "我们", ".", "<b>", "&amp;", '"'])
_texts = st.lists(_words | st.text(max_size=3), max_size=12).map("".join)
_places = st.integers(0, 40)
_reasons = st.sampled_from(["plan or preparation", """<'">&"""])
_evidence = st.builds(
    EvidenceView, start=_places, end=_places, category=st.sampled_from(Category), reason=_reasons
)


@_quickly
@given(_texts, _texts)
def test_a_difference_spells_both_texts(old: str, new: str) -> None:
    def spelt(*changes: Change) -> str:
        return "".join(one.text for one in word_diff(old, new) if one.change in changes)

    assert spelt("same", "gone") == old
    assert spelt("same", "new") == new
    assert old != new or spelt("same") == old


@_quickly
@given(_texts, st.lists(_evidence, max_size=4))
def test_what_raised_an_alert_is_marked_in_the_same_words(
    text: str, evidence: list[EvidenceView]
) -> None:
    marked = highlighted(text, evidence)
    assert re.sub(r"<[^>]*>", "", marked) == escape(text)
    assert set(re.findall(r"</?\w*", marked)) <= {"<mark", "</mark"}


@_quickly
@given(_texts, _evidence)
def test_just_the_words_that_raised_an_alert_are_marked(text: str, one: EvidenceView) -> None:
    found = re.findall(r"<mark [^>]*>([^<]*)</mark>", highlighted(text, [one]))
    words = text[one.start : one.end]
    assert found == ([escape(words)] if words else [])

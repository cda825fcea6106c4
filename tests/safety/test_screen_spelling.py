"""Bent spellings are read as what they stand for, and point back at the raw words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safety.normalise import Normalised, fold, normalise, readings

SPELLINGS = {
    "capitals": ("I AM SAD", "i am sad"),
    "curly": ("I’m", "i'm"),
    "dotless": ("sıgn", "sign"),
    "stroke": ("ałone", "alone"),
    "small-capitals": ("sᴀᴅ", "sad"),
    "soft-hyphen": ("sa\u00add", "sad"),
    "zero-width": ("s\u200bad", "sad"),
    "variation": ("ok\ufe0f", "ok"),
    "full-width": ("ｓａｄ", "sad"),
    "accents": ("sád", "sad"),
    "look-alikes": ("sаd", "sad"),
    "spaced": ("l o n e l y", "lonely"),
    "dotted": ("l.o.n.e.l.y", "lonely"),
    "starred": ("lone*ly", "lonely"),
    "stretched": ("saaaad", "sad"),
    "doubles": ("hellllo", "hello"),
    "leet": ("l0n3ly", "lonely"),
    "final-mark": ("alone!", "alone!"),
    "a-time": ("4pm at 10", "4pm at 10"),
    "three-letters": ("s a d", "sad"),
    "three-dotted": ("s.a.d.", "sad."),
    "three-hyphened": ("s-a-d", "sad"),
    "two-letters": ("a b", "a b"),
    "short-words": ("i m a mess, u r a star", "i m a mess, u r a star"),
    "waves": ("l~o~n~e~l~y", "lonely"),
    "emoji-between": ("s👍a👍d", "sad"),
    "braille-blanks": ("i\u2800am\u2800sad", "i am sad"),
    "hangul-filler": ("i\u3164am\u3164sad", "i am sad"),
    "dots-for-blanks": ("i.feel.sad", "i feel sad"),
    "hyphens-for-blanks": ("i-feel-sad", "i feel sad"),
    "lines-for-blanks": ("i_feel_s_a_d", "i feel sad"),
    "one-hyphen": ("self-harm", "self-harm"),
    "one-dot": ("so sad.my day", "so sad.my day"),
    "a-date": ("2020-01-02", "2020-01-02"),
    "spaces": ("a   b", "a b"),
    "traditional": ("難過", "难过"),
    "han-gaps": ("难 过", "难过"),
    "han-dots": ("我难.过", "我难过"),
    "han-cut": ("我想自 杀了", "我想自杀了"),
    "han-cut-by-a-line": ("我想\n死", "我想死"),
    "han-cut-by-a-stroke": ("自丶杀", "自杀"),
    "han-cut-by-an-emoji": ("我想自👍杀", "我想自杀"),
    "han-clauses": ("我想死😭我妈", "我想死😭我妈"),
    "han-stretched": ("好好好好", "好好"),
    "digits": ("1000", "1000"),
}


@pytest.mark.parametrize("name", sorted(SPELLINGS))
def test_a_bent_spelling_is_read_plainly(name: str):
    raw, plain = SPELLINGS[name]
    assert fold(raw) == plain


def test_a_span_points_at_the_raw_words():
    raw = "well, L 0 N E L Y ’tis"
    plain = normalise("I am l-o-n-e-l-y now")
    start = plain.text.index("lonely")
    assert plain.span(start, start + 6) == (5, 16)
    assert len(normalise(raw).text) == len(normalise(raw).origin)


def test_a_span_counts_the_marks_that_were_left_out():
    plain = normalise("so i.want.to.d-i-e, 自👍杀")
    start = plain.text.index("die")
    assert plain.span(start, start + 3) == (13, 18)
    start = plain.text.index("自杀")
    assert plain.span(start, start + 2) == (20, 23)


def test_where_a_line_begins_is_known():
    plain = normalise("so sad \n\n l o n e l y\nnow")
    assert plain.text == "so sad lonely now"
    assert [plain.text[place:] for place in plain.lines] == ["lonely now", "now"]


BENT = {
    "masked": ("all h*rm done", "all harm done"),
    "two-masked": ("k**l it", "kill it"),
    "drawn-out": ("my lifeee", "my life"),
    "doubled": ("liife", "life"),
    "parted": ("li-fe and li.fe", "life and life"),
    "words-in-a-chain": ("so...i...am...sad", "so i am sad"),
}


@pytest.mark.parametrize("name", sorted(BENT))
def test_a_bent_word_is_straightened_in_a_second_reading(name: str):
    raw, straight = BENT[name]
    first, second = readings(raw)
    assert first == normalise(raw)
    assert second.text == straight


@pytest.mark.parametrize("raw", ["", "my life", "l*ve you", "w*nt", "s****e", "so...and.."])
def test_words_that_are_not_bent_are_read_once(raw: str):
    assert len(readings(raw)) == 1


def points_back(plain: Normalised, raw: str) -> None:
    """Hold every plain character to the raw one it comes from."""
    assert len(plain.text) == len(plain.origin)
    assert list(plain.origin) == sorted(plain.origin)
    assert all(0 <= place < len(raw) for place in plain.origin)
    for start in range(len(plain.text)):
        first, last = plain.span(start, start + 1)
        assert 0 <= first < last <= len(raw)


@given(st.text(alphabet="dielfk*-. \nsuc我", max_size=40))
def test_a_second_reading_points_at_the_raw_words(raw: str):
    for plain in readings(raw):
        points_back(plain, raw)


@given(st.text(max_size=60))
def test_every_plain_character_comes_from_a_raw_one(raw: str):
    points_back(normalise(raw), raw)


@given(st.text(max_size=60))
def test_reading_twice_reads_the_same(raw: str):
    assert fold(raw) == fold(raw)


@pytest.mark.parametrize(
    ("mistyped", "meant"),
    [
        ("i wnat to kil myslef", "i want to kill myself"),
        ("he hitt me agian", "he hit me again"),
        ("i swalloed the pils", "i swallowed the pills"),
    ],
)
def test_a_word_of_danger_is_read_where_it_was_mistyped(mistyped: str, meant: str):
    assert readings(mistyped)[-1].text == meant


@pytest.mark.parametrize("text", ["his bat is wet", "i saw rae and liv last night"])
def test_an_everyday_word_or_a_name_is_no_slip(text: str):
    assert len(readings(text)) == 1

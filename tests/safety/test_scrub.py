"""What scrubbing promises whatever the recognizers find; no tagger runs here."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safety.normalise import readable
from safety.scrub import Scrubbed, Scrubber, _known_forms, introduce
from safety.standins import Found
from safety.surrogates import (
    Kind,
    Surrogates,
    _finder,
    find_stand_ins,
    restore,
)

LETTERS = "abrMTé '’.-,\n0159@小王芳李的Ａ３＠，\u0301\u200b\ufe0f"


@dataclass(frozen=True)
class Marks:
    """A finder that is told where to look."""

    spans: tuple[tuple[int, int, Kind], ...] = ()

    def find(self, text: str, language: Literal["en", "zh"]) -> Sequence[Found]:
        """The spans that fit into the text."""
        return [Found(min(a, b), max(a, b), kind) for a, b, kind in self.spans if b <= len(text)]


@dataclass(frozen=True)
class Words:
    """A finder that knows these words."""

    people: tuple[str, ...]

    def find(self, text: str, language: Literal["en", "zh"]) -> Sequence[Found]:
        """Where they stand."""
        places = [(text.find(word), word) for word in self.people]
        return [Found(at, at + len(word), Kind.PERSON) for at, word in places if at >= 0]


def scrub(text: str, *people: str, known: Surrogates | None = None) -> Scrubbed:
    return Scrubber(Words(people)).scrub(text, "en", known or Surrogates("s"))


spans = st.lists(
    st.tuples(st.integers(0, 40), st.integers(0, 40), st.sampled_from(list(Kind))), max_size=6
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.text(LETTERS, max_size=40), spans), min_size=1, max_size=3))
def test_every_message_of_a_session_restores_to_itself(
    session: list[tuple[str, list[tuple[int, int, Kind]]]],
) -> None:
    known = Surrogates("property")
    written: list[tuple[str, str]] = []
    for text, marked in session:
        done = Scrubber(Marks(tuple(marked))).scrub(text, "en", known)
        assert done.surrogates.rows[: len(known.rows)] == known.rows
        known = done.surrogates
        written.append((text, done.text))
        assert restore(done.text, known) == text
    # Later messages add stand-ins; what was scrubbed before must still come back.
    assert all(restore(scrubbed, known) == text for text, scrubbed in written)


@settings(max_examples=30, deadline=None)
@given(st.text(LETTERS, max_size=40), spans)
def test_the_same_message_in_the_same_session_is_scrubbed_alike(
    text: str, marked: list[tuple[int, int, Kind]]
) -> None:
    once, again = (Scrubber(Marks(tuple(marked))).scrub(text, "en", Surrogates("s")) for _ in "ab")
    assert once == again


def test_a_person_keeps_the_stand_in_over_turns_and_restarts() -> None:
    first = scrub("Gregor called.", "Gregor")
    kept = Surrogates.from_rows(first.surrogates.to_rows(), "s")
    second = scrub("I miss Gregor so.", "Gregor", known=kept)
    stand_in = first.text.removesuffix(" called.")
    assert second.text == f"I miss {stand_in} so."


def test_a_full_name_a_nickname_and_a_typo_are_one_person() -> None:
    known = scrub("Alexandra Vance called.", "Alexandra Vance").surrogates
    for form in ("alexandra", "Alexandra", "Vance", "Alexnadra", "Sandra"):
        known = scrub(f"then {form} left", form, known=known).surrogates
    assert {row.person for row in known.rows} == {"PERSON-1"}


def test_two_people_never_share_a_stand_in() -> None:
    names = tuple(f"Zor{letter}ina" for letter in "bdfgkl")
    known = Surrogates("many")
    for name in names:
        known = scrub(f"{name} came", name, known=known).surrogates
    assert len({row.stand_in for row in known.rows}) == len(names)


def test_a_stand_in_is_never_a_name_that_the_client_wrote() -> None:
    known = Surrogates("s")
    given_out = scrub("Gregor came", "Gregor").surrogates.rows[0].stand_in
    text = f"{given_out} met Gregor"
    done = scrub(text, "Gregor", known=known)
    assert restore(done.text, done.surrogates) == text
    assert given_out not in {row.stand_in for row in done.surrogates.rows}


def test_a_client_who_writes_an_earlier_stand_in_gets_it_back() -> None:
    known = scrub("Gregor came", "Gregor").surrogates
    stand_in = known.rows[0].stand_in
    text = f"and {stand_in} is somebody else"
    done = scrub(text, known=known)
    assert stand_in not in done.text
    assert restore(done.text, done.surrogates) == text


def test_what_a_model_does_to_a_stand_in_is_undone() -> None:
    known = scrub("Gregor came", "Gregor").surrogates
    stand_in = known.rows[0].stand_in
    assert restore(f"{stand_in}'s", known) == "Gregor's"
    assert restore(f"{stand_in}s", known) == "Gregors"
    assert restore(stand_in.upper(), known) == "GREGOR"
    assert restore(stand_in.lower(), known) == "gregor"


def test_a_text_that_arrives_in_pieces_restores_like_the_whole() -> None:
    known = scrub("Gregor came with Marisol", "Gregor", "Marisol").surrogates
    one, other = (row.stand_in for row in known.rows)
    whole = f"How is {one}? And {other}'s cold? 王{one}，好。"
    pieces: list[str] = []
    held = ""
    for letter in whole:
        held += letter
        if letter in " ，。":  # What is shown ends where a word ends, so no stand-in is cut.
            pieces.append(restore(held, known))
            held = ""
    assert "".join([*pieces, restore(held, known)]) == restore(whole, known)


def test_a_chinese_surname_keeps_its_stand_in_under_every_form_of_address() -> None:
    known = Surrogates("zh")
    for form in ("王晓芳", "小王", "王姐"):
        known = scrub(f"今天{form}来了", form, known=known).surrogates
    whole, small, elder = (row.stand_in for row in known.rows)
    assert small == "小" + whole[0]
    assert elder == whole[0] + "姐"
    assert {row.person for row in known.rows} == {"PERSON-1"}


def test_no_stand_in_is_left_to_be_seen() -> None:
    known = scrub("Gregor came", "Gregor").surrogates
    shown = restore(f"So {known.rows[0].stand_in} left.", known)
    assert find_stand_ins(shown, known) == ()


def test_a_name_found_once_is_found_again_without_its_surroundings() -> None:
    known = scrub("My sister Marisol called.", "Marisol").surrogates
    later = scrub("MARISOL again, and marisol's dog", known=known)
    assert "marisol" not in later.text.casefold()
    assert restore(later.text, later.surrogates) == "MARISOL again, and marisol's dog"


def test_a_name_that_is_an_everyday_word_is_found_again_only_as_it_was_written() -> None:
    known = scrub("My sister Hope called.", "Hope").surrogates
    later = scrub("There is no hope, says Hope.", known=known)
    assert "no hope, says" in later.text
    assert "Hope" not in later.text


def test_a_short_name_that_is_an_everyday_word_leaves_that_word_alone() -> None:
    known = scrub("My sister May called.", "May").surrogates
    later = scrub("I may ask May.", known=known)
    assert later.text.startswith("I may ask ")
    assert "May" not in later.text


def test_a_particle_in_a_name_is_no_name() -> None:
    known = scrub("Maria van der Berg called.", "Maria van der Berg").surrogates
    later = scrub("the van broke, says maria, and Berg", known=known)
    assert later.text.startswith("the van broke, says ")
    assert "maria" not in later.text
    assert "Berg" not in later.text


def test_a_known_name_is_found_however_it_is_bent() -> None:
    known = scrub("Gregor called.", "Gregor").surrogates
    text = "Gre\u200bgor, 𝐆𝐫𝐞𝐠𝐨𝐫 and ＧＲＥＧＯＲ"
    done = scrub(text, known=known)
    assert "gor" not in readable(done.text).text.casefold()
    assert restore(done.text, done.surrogates) == text
    assert {row.person for row in done.surrogates.rows} == {"PERSON-1"}


def test_a_loose_accent_leaves_with_its_letter() -> None:
    known = scrub("José came", "José").surrogates
    done = scrub("then Jose\u0301 left", known=known)
    assert "\u0301" not in done.text
    assert restore(done.text, done.surrogates) == "then Jose\u0301 left"


def test_sentence_marks_and_emoji_read_as_they_are() -> None:
    text = "好的，我叫王芳！…™ 🙂①"
    assert readable(text).text == text.replace("①", "1")


def test_a_name_that_is_introduced_needs_no_recognizer() -> None:
    known = introduce(("May", "Wei Hall"), Surrogates("s"))
    done = scrub("May Hall may come, says wei", known=known)
    assert " may come, says " in done.text
    assert not {"May", "Hall", "wei"} & set(done.text.replace(",", "").split())


@pytest.mark.parametrize(("name", "said"), [
    ("He Wei", "He left, and I told him so."), ("So Young", "So I went home."),
    ("An Nguyen", "An hour later you called."), ("Anna (they/them)", "they left with them"),
    ("sunny", "it was a sunny day"), ("开心", "我不开心"), ("希望", "我希望明天好"),
])  # fmt: skip
def test_no_everyday_word_becomes_somebody_by_a_name_in_the_profile(name: str, said: str) -> None:
    known = introduce((name,), Surrogates("s"))
    assert scrub(said, known=known).text == said


def test_whoever_was_named_in_full_may_be_called_by_a_part_of_the_name() -> None:
    done = scrub("I am Marisol Vega.", "Marisol Vega")
    first, last = done.text.removeprefix("I am ").removesuffix(".").split()
    assert restore(f"{first}, that sounds heavy.", done.surrogates) == "Marisol, that sounds heavy."
    assert restore(f"Ms {last}'s week", done.surrogates) == "Ms Vega's week"
    assert find_stand_ins(f"{first} said so", done.surrogates)


def test_a_chinese_given_name_alone_is_restored_too() -> None:
    done = scrub("我叫李小芳", "李小芳")
    name = done.text.removeprefix("我叫")
    assert restore(f"{name[1:]}，听起来很难", done.surrogates) == "小芳，听起来很难"


def test_a_known_name_with_a_bare_s_is_the_same_person() -> None:
    known = scrub("My boyfriend Jake left.", "Jake").surrogates
    stand_in = known.rows[0].stand_in
    for text, said in (
        ("jakes mom", f"{stand_in.lower()}s mom"),
        ("JAKES mom", f"{stand_in.upper()}S mom"),
    ):
        done = scrub(text, known=known)
        assert done.text == said
        assert {row.person for row in done.surrogates.rows} == {"PERSON-1"}
        assert restore(done.text, done.surrogates) == text


def test_a_known_name_that_makes_a_word_with_an_s_leaves_that_word_alone() -> None:
    known = scrub("Mark left, and Al.", "Mark", "Al").surrogates
    assert scrub("my marks are bad, als ob", known=known).text == "my marks are bad, als ob"


def test_a_client_who_writes_a_part_of_a_stand_in_gets_it_back() -> None:
    done = scrub("I am Marisol Vega.", "Marisol Vega")
    part = done.text.removeprefix("I am ").split()[0]
    later = scrub(f"My friend {part} called.", known=done.surrogates)
    assert part not in later.text
    assert restore(later.text, later.surrogates) == f"My friend {part} called."


def test_a_stand_in_is_no_part_of_what_everybody_says() -> None:
    rows = Path("safety/names/stand_ins_zh.txt").read_text("utf-8").splitlines()
    names = [row.split()[0] for row in rows if not row.startswith("#")]
    talk = (
        "我想给予安慰，也可以宁静一点，得知夏天要到了就重新启航。离那里一步之遥，饮水思源，真是及时雨。"
        "分清和别人的界线，装修远没有做完，当时的情景行不通。长夜未央，志向宏远，去文博馆，明哲保身，成效卓然。"
    )
    assert len(names) > 50
    assert [name for name in names if name in talk] == []


def test_many_names_are_looked_for_with_few_edges():
    """To compile the edges of a word takes milliseconds, and each new name compiles them anew."""
    names = [f"{letter}{ending}" for letter in "BDFGKLMNPRST" for ending in ("anka", "olmar")]
    known = introduce([*names, "李小雨", "王建国"], Surrogates("s"))
    _, forms = _known_forms(known.rows)
    assert forms.pattern.count("(?<!") < 5
    assert _finder(known.rows).pattern.pattern.count("(?<!") < 5

"""What a stand-in keeps of what it stands for, and what leaves with the original."""

import re

import pytest

from safety import persons, recognizers_numbers
from safety.names import lines
from safety.recognizers_patterns import PROVINCES
from safety.scrub import Scrubber, introduce
from safety.surrogates import (
    SURNAMES_GIVEN,
    Kind,
    Surrogate,
    Surrogates,
    find_stand_ins,
    restore,
)
from tests.safety.test_scrub import Marks, Words, scrub

SHAPES = str.maketrans({
    **dict.fromkeys("0123456789", "0"), **dict.fromkeys("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "A"),
    **dict.fromkeys("abcdefghijklmnopqrstuvwxyz", "a"),
})  # fmt: skip


@pytest.mark.parametrize(("said", "left"), [
    ("MORGA657054SM9IJ", "MORGA"), ("LILY-2020", "LILY"), ("lilyzhang1990", "zhang"),
    ("$JaneDoe22", "Jane"), ("rose 19-90-88", "rose"), ("0x3fa9b8c7d6e5f40123", "3fa9"),
    ("11010119900307123X", "19900307"),
])  # fmt: skip
def test_letters_of_an_identity_leave_with_its_digits(said: str, left: str) -> None:
    text = f"it is {said} now"
    for kind in (Kind.ID_NUMBER, Kind.FINANCIAL):
        done = Scrubber(Marks(((6, 6 + len(said), kind),))).scrub(text, "en", Surrogates("s"))
        made = done.surrogates.rows[0].stand_in
        assert made.translate(SHAPES) == said.translate(SHAPES)
        assert left.casefold() not in made.casefold()
        assert restore(done.text, done.surrogates) == text


@pytest.mark.parametrize("said", ["CALL 813-555-0199 NOT", "rt 000111222 acct 44120", "xxxx-4821"])
def test_words_and_masks_beside_a_number_stay(said: str) -> None:
    done = Scrubber(Marks(((0, len(said), Kind.FINANCIAL),))).scrub(said, "en", Surrogates("s"))
    letters = re.compile("[A-Za-z]+")
    assert letters.findall(done.text) == letters.findall(said)
    assert done.text != said


@pytest.mark.parametrize(("text", "name", "gender", "pool"), [
    ("My son Gregor left", "Gregor", "m", "en"), ("my bf is Gregor", "Gregor", "m", "en"),
    ("My sister, Marisol", "Marisol", "f", "en"), ("her name is Marisol", "Marisol", "f", "en"),
    ("我女儿叫雨桐", "雨桐", "f", "zh"), ("我老公，建国", "建国", "m", "zh"),
])  # fmt: skip
def test_a_stand_in_has_the_gender_that_the_words_before_it_tell(
    text: str, name: str, gender: str, pool: str
) -> None:
    rows = (line.split() for line in lines(f"stand_ins_{pool}.txt"))
    genders = {row[0]: row[1] for row in rows}
    for seed in "abcdefgh":
        done = Scrubber(Words((name,))).scrub(text, "en", Surrogates(seed))
        assert genders[done.surrogates.rows[0].stand_in] == gender


def test_a_chinese_name_in_latin_letters_is_the_same_person() -> None:
    known = scrub("我男朋友叫王晓明", "王晓明").surrogates
    later = scrub("Wang Xiaoming is mean, wang xiaoming!", known=known)
    assert "wang" not in later.text.casefold()
    assert "xiaoming" not in later.text.casefold()
    assert restore(later.text, later.surrogates) == "Wang Xiaoming is mean, wang xiaoming!"
    assert {row.person for row in later.surrogates.rows} == {"PERSON-1"}
    other_way = scrub("Wang Xiaoming left", "Wang Xiaoming").surrogates
    known = scrub("王晓明回来了", "王晓明", known=other_way).surrogates
    assert {row.person for row in known.rows} == {"PERSON-1"}


def test_two_short_syllables_are_a_name_only_as_names_are_written() -> None:
    known = scrub("我叫龙安", "龙安").surrogates
    assert scrub("how long an hour is", known=known).text == "how long an hour is"
    assert "Long An" not in scrub("so Long An left", known=known).text


def test_a_title_is_no_part_of_a_chinese_name() -> None:
    for said, title in (("黄阿姨", "阿姨"), ("周教授", "教授"), ("王晓明医生", "医生")):
        made = scrub(said, said).text
        assert made.endswith(title)
        assert made.removesuffix(title)[0] != said[0]


def test_a_plate_gets_another_province() -> None:
    plates = ("浙A·8K2D9", "苏E6K88P", "京AD12345")
    for said in plates:
        done = Scrubber(Marks(((0, len(said), Kind.ID_NUMBER),))).scrub(said, "zh", Surrogates("s"))
        assert done.text[0] in PROVINCES
        assert done.text[1:].translate(SHAPES) == said[1:].translate(SHAPES)
        assert done.text[:2] != said[:2]
        assert restore(done.text, done.surrogates) == said


@pytest.mark.parametrize("text", [
    "My sister, Marisol Garza, calls 1-800-273-8255 and 116 123, or me on 202-555-0143",
    "我女儿王雨桐，打400-161-9995",
])  # fmt: skip
def test_shipped_lists_are_read_once_and_not_for_every_name_and_number(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scrubbed() -> str:
        found = [*recognizers_numbers.find_numbers(text), *recognizers_numbers.hotlines(text)]
        done = scrub(text, "Marisol Garza", "王雨桐").text
        return f"{found} {done}"

    def reading(name: str) -> tuple[str, ...]:
        read.append(name)
        return lines(name)

    first, read = scrubbed(), list[str]()
    for module in (persons, recognizers_numbers):
        monkeypatch.setattr(module, "lines", reading)
    assert scrubbed() == first
    assert set(read) <= {"stand_ins_last_en.txt", "stand_ins_last_zh.txt"}


@pytest.mark.parametrize(
    ("shape", "real"),
    [
        ("{0}先生", "张先生"),
        ("小{0}，", "小张，"),
        ("老{0}的", "老张的"),
        ("阿{1}", "阿伟"),
        ("小{1}。", "小伟。"),
        ("{1}{1}", "伟伟"),
    ],
)
def test_a_chinese_stand_in_in_a_familiar_form_is_restored(shape: str, real: str) -> None:
    known = introduce(["张伟"], Surrogates("s"))
    called = shape.format(*known.rows[0].stand_in)
    assert find_stand_ins(called, known)
    assert restore(called, known) == real


def test_familiar_forms_restore_no_word_of_the_sentence() -> None:
    known = Surrogates(
        "s",
        (
            Surrogate("思雨", "若溪", Kind.PERSON, "PERSON-1"),
            Surrogate("小王", "小郜", Kind.PERSON, "PERSON-2"),
            Surrogate("欧阳娜", "澹台敏", Kind.PERSON, "PERSON-3"),
        ),
    )
    for said in ("想象一条小溪。", "若老师不同意，小姐姐也在", "有点小敏感", "小小的阿姨"):
        assert restore(said, known) == said
        assert find_stand_ins(said, known) == ()
    assert restore("澹台老师和郜先生", known) == "欧阳老师和王先生"


def test_surnames_that_are_given_out_are_known_to_the_way_back() -> None:
    pool = [line.split()[0] for line in lines("stand_ins_last_zh.txt")]
    assert [name for name in pool if not re.fullmatch(SURNAMES_GIVEN, name)] == []

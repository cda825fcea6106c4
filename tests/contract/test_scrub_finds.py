"""The shipped scrubber on marked messages: what it finds, keeps and gives back.

Figures are floors a little under what was measured; docs/safety-scrub.md has the measurements.
A failure names counts and ids, never words.
"""

from pathlib import Path

import pytest

from safety.evaluate_scrub import MarkedRow, Report, measure
from safety.names import words
from safety.recognizers_forms import find_forms
from safety.recognizers_numbers import find_numbers, hotlines
from safety.scrub import Scrubber, load_scrubber
from safety.surrogates import Kind, Surrogates, restore
from safety.tagger import KINDS, LABELS

FIXTURES = Path(__file__).parents[1] / "fixtures"
FLOORS = {
    ("scrub_cases", "en names"): 0.95,
    ("scrub_cases", "zh names"): 0.91,
    ("scrub_cases", "en structured"): 0.97,
    ("scrub_cases", "zh structured"): 0.97,
    ("scrub_first_zh", "zh names"): 0.95,
    ("scrub_first_zh", "zh structured"): 0.97,
    ("scrub_apart", "en names"): 0.88,
    ("scrub_apart", "zh names"): 0.83,
    ("scrub_apart", "en structured"): 0.94,
    ("scrub_apart", "zh structured"): 0.97,
    ("scrub_first", "en names"): 0.87,
    ("scrub_first", "en structured"): 0.97,
}
"""Recall. Nobody tunes on the last file, written after the recognizers; the two before it, of other
hands, have been read since they were first measured."""
FILES = ("scrub_cases", "scrub_first_zh", "scrub_first", "scrub_apart")
KEEP_LOST = 0.02


@pytest.fixture(scope="module")
def scrubber() -> Scrubber:
    return load_scrubber()


@pytest.fixture(scope="module")
def reports(scrubber: Scrubber) -> dict[str, Report]:
    return {name: measure(scrubber, rows(name)) for name in FILES}


def rows(name: str) -> list[MarkedRow]:
    lines = (FIXTURES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [MarkedRow.model_validate_json(line) for line in lines]


def test_the_fixture_holds_enough_cases() -> None:
    assert len(rows("scrub_cases")) >= 300
    assert len({row.id for row in rows("scrub_cases")}) == len(rows("scrub_cases"))


@pytest.mark.parametrize(("name", "line"), FLOORS, ids=lambda part: part.replace(" ", "-"))
def test_personal_data_is_found(reports: dict[str, Report], name: str, line: str) -> None:
    tally = reports[name].rows[line]
    assert tally.found >= FLOORS[name, line] * tally.marked


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", FILES)
def test_words_to_keep_are_kept(reports: dict[str, Report], name: str, language: str) -> None:
    tally = reports[name].rows[f"{language} all"]
    assert tally.to_keep - tally.kept <= KEEP_LOST * tally.to_keep


@pytest.mark.parametrize("name", FILES)
def test_every_message_restores_to_itself(reports: dict[str, Report], name: str) -> None:
    assert reports[name].restored == reports[name].messages


@pytest.mark.parametrize("language", ["en", "zh"])
def test_one_long_session_restores_line_by_line(scrubber: Scrubber, language: str) -> None:
    known, lost = Surrogates("long"), list[str]()
    for row in rows("scrub_cases")[:: 3 if language == "en" else -3]:
        done = scrubber.scrub(row.text, row.lang, known)
        known = done.surrogates
        if restore(done.text, known) != row.text:
            lost.append(row.id)
    assert lost == []


def test_another_replica_scrubs_alike(scrubber: Scrubber) -> None:
    other = load_scrubber()
    differing = [
        row.id
        for row in rows("scrub_cases")[::20]
        if scrubber.scrub(row.text, row.lang, Surrogates("one"))
        != other.scrub(row.text, row.lang, Surrogates("one"))
    ]
    assert differing == []


def test_a_person_has_one_stand_in_however_the_client_writes_the_name(scrubber: Scrubber) -> None:
    known = Surrogates("turns")
    for text in ("My brother Matthias lied to me.", "matthias again", "I TOLD MATTHIAS NO"):
        known = scrubber.scrub(text, "en", known).surrogates
    people = [row for row in known.rows if row.kind is Kind.PERSON]
    assert len({row.person for row in people}) == 1
    assert len({row.stand_in.casefold() for row in people}) == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [("ok，", "我今天很难过" * 100), ("please help me", "!" * 520), ("", "a@" * 2000)],
    ids=["chinese", "marks", "pairs"],
)
def test_a_message_of_more_pieces_than_the_network_holds_is_scrubbed(
    scrubber: Scrubber, before: str, after: str
) -> None:
    text = f"{before}{after} my brother Gregor Hall lied to me"
    done = scrubber.scrub(text, "en", Surrogates("long"))
    assert "Gregor" not in done.text
    assert restore(done.text, done.surrogates) == text


def test_a_short_name_is_found_again_in_any_case(scrubber: Scrubber) -> None:
    known = scrubber.scrub("My brother Bob moved in.", "en", Surrogates("short")).surrogates
    assert "Bob" in {row.original for row in known.rows}
    assert "bob" not in scrubber.scrub("talked to bob again", "en", known).text.casefold()


@pytest.mark.parametrize(
    "said",
    ["im {}", "i told {} everything", "its about {}", "i hate {} so much", "{}s mom called", "{}"],
)
def test_names_that_are_no_word_leave_in_lower_case_without_a_cue(
    scrubber: Scrubber, said: str
) -> None:
    leaked = [
        name
        for name in words("sure_names.txt")
        if name[0] == "s" and name not in words("keep_en.txt") and len(name) > 3
        if name in scrubber.scrub(said.format(name), "en", Surrogates("sure")).text
    ]
    assert leaked == []


def test_a_fresh_possessive_without_its_mark_is_the_person(scrubber: Scrubber) -> None:
    known = scrubber.scrub("sarahs mom called", "en", Surrogates("fresh")).surrogates
    again = scrubber.scrub("Sarah called, too", "en", known).surrogates
    assert [row.original for row in again.rows] == ["sarah", "Sarah"]
    assert len({row.person for row in again.rows}) == 1


@pytest.mark.parametrize("row", [row for row in rows("scrub_cases") if row.kind == "mended"])
def test_what_was_mended_stays_mended(scrubber: Scrubber, row: MarkedRow) -> None:
    report = measure(scrubber, [row])
    tally = report.rows[f"{row.lang} all"]
    assert (tally.found, tally.kept, report.restored) == (tally.marked, tally.to_keep, 1), row.id


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("我的邮箱是 zhang＠163．com", "zhang"),
        ("my boss Ｗａｎｇ Ｌｅｉ hit me", "Ｗａｎｇ"),
        ("my brother 𝐆𝐫𝐞𝐠𝐨𝐫 hit me", "𝐆𝐫𝐞𝐠𝐨𝐫"),
        ("call me on 555\u200b-014\u200b2 221", "014"),
        ("call me: " + "".join(f"{digit}\ufe0f\u20e3" for digit in "13800138000"), "8\ufe0f"),
        ("email me g\u200bregor.hall@gmail.com", "hall"),
        ("电话１３８００１３８０００", "１３８"),
    ],
    ids=["address", "wide-name", "styled-name", "phone", "keycaps", "invisible", "wide-phone"],
)
def test_bent_personal_data_is_found(scrubber: Scrubber, text: str, left: str) -> None:
    done = scrubber.scrub(text, "en", Surrogates("bent"))
    assert left not in done.text
    assert restore(done.text, done.surrogates) == text


def test_a_number_before_wont_is_no_money(scrubber: Scrubber) -> None:
    done = scrubber.scrub("my phone 5551234 won't work", "en", Surrogates("money"))
    assert "5551234" not in done.text


@pytest.mark.parametrize(
    "text",
    [
        "2018年确诊双相，2020年住院",
        "2021年3月开始吃药，舍曲林50mg",
        "每天吃舍曲林50毫克，喹硫平0.1",
        "我身高170体重45",
        "我体重从120降到80",
        "工资5000，房贷3000，欠网贷150000元",
        "血压90/60，PHQ-9 20分",
        "我住3楼，凌晨2点到5点都醒着",
        "8月15日考试，12月24日是忌日",
        "我的语文老师和历史老师，任何医生",
    ],
)
def test_ordinary_chinese_numbers_and_words_are_kept(scrubber: Scrubber, text: str) -> None:
    assert scrubber.scrub(text, "zh", Surrogates("plain")).text == text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("工号3307，我是保安", "3307"),
        ("学号 LILY2020", "LILY2020"),
        ("身份证号000000200913019999，更正为出生日期2009年3月1日", "2009年3月1日"),
        ("我1990年3月7日出生", "1990年3月7日"),
        ("电话13800138000", "13800138000"),
        ("我的电话是62345", "62345"),
        ("电话是5551234元旦后打", "5551234"),
        ("密码是123456", "123456"),
        ("3月5号是我生日", "3月5号"),
        ("孩子2018年4月2号早上生下来的", "2018年4月2号"),
        ("我妈1962年7月8日的人", "1962年7月8日"),
    ],
)
def test_chinese_numbers_of_somebody_still_leave(
    scrubber: Scrubber, text: str, number: str
) -> None:
    done = scrubber.scrub(text, "zh", Surrogates("somebody"))
    assert number not in done.text
    assert restore(done.text, done.surrogates) == text


@pytest.mark.parametrize(
    ("surname", "rest"),
    [
        ("陈", "医生给我开了药"),
        ("周", "教授骂我论文差"),
        ("郑", "律师说离婚"),
        ("李", "叔叔住在隔壁"),
        ("刘", "护士给我打针"),
        ("黄", "阿姨总说我"),
        ("欧阳", "老师骂我"),
    ],
)
def test_a_chinese_title_stays_whole(scrubber: Scrubber, surname: str, rest: str) -> None:
    done = scrubber.scrub(surname + rest, "zh", Surrogates("titles"))
    assert surname not in done.text
    assert done.text.endswith(rest)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("jane.doe@ gmail.com", "jane.doe@ gmail.com"),
        ("jane.doe @gmail.com", "jane.doe @gmail.com"),
        ("jane.doe@gmail . com", "jane.doe@gmail . com"),
        ("邮箱zhangsan @qq.com", "zhangsan @qq.com"),
        ("my sort code is 12-34-56", "12-34-56"),
        ("工号3307", "3307"),
    ],
)
def test_a_form_with_stray_blanks_or_its_word_is_found(text: str, said: str) -> None:
    assert [text[form.start : form.end] for form in find_forms(text)] == [said]


@pytest.mark.parametrize("text", ["meet me @ noon. come alone", "@ work. uk", "我欠了1500000元"])
def test_talk_that_looks_like_a_form_is_none(text: str) -> None:
    assert find_forms(text) == []


@pytest.mark.parametrize("text", ["988", "1-800-273-8255", "116 123", "12356", "400-161-9995"])
def test_helplines_are_nobodys_data(text: str) -> None:
    assert hotlines(f"call {text} now")
    assert find_forms(f"call {text} now") == []


@pytest.mark.parametrize(
    "text",
    [
        "call me on 07700 900982 in a crisis",
        "in a crisis call 07700 900982",
        "my crisis line is really 07700 900982",
        "reach him on 07700 900982, he is my lifeline",
    ],
)
def test_a_private_number_is_no_helpline_for_being_needed_in_a_crisis(text: str) -> None:
    assert hotlines(text) == []
    assert any(kind is Kind.PHONE_NUMBER for *_, kind in find_numbers(text))


@pytest.mark.parametrize("name", ["crisis line", "crisis team", "crisis text", "helpline"])
def test_a_helpline_that_is_on_no_list_is_known_by_its_name(name: str) -> None:
    assert hotlines(f"the {name} 0800 555 0100 was busy")


def test_the_taggers_and_the_service_number_labels_alike() -> None:
    assert len(LABELS) == 2 * len(KINDS) + 1
    assert LABELS[1::2] == tuple(f"B-{kind}" for kind in KINDS)

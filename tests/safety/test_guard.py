"""What a line must not say, each check with what trips it and what nearly does."""

import pytest

from safety.guard import LEAKS, LONGEST, Check, CheckName, GuardContext, Verdict, check
from safety.guard_phrases import PHRASES
from safety.surrogates import Kind, Surrogate, Surrogates

NOBODY = Surrogates()
MARISOL = Surrogates("s", (Surrogate("Marisol", "Teresa", Kind.PERSON, "PERSON-1"),))
FINE = "That sounds heavy. What was the hardest part of it?"

SAYS: dict[CheckName, tuple[str, ...]] = {
    CheckName.DIAGNOSIS: (
        "It sounds like you have clinical depression.",
        "You are bipolar.",
        "I would diagnose you with that.",
        "你患有抑郁症。",
    ),
    CheckName.MEDICATION: (
        "Maybe stop taking the medication for a week.",
        "Try 20 mg in the evening.",
        "你可以多吃一片药。",
        "每天50毫克。",
    ),
    CheckName.PROMISE: (
        "I promise it gets better.",
        "Everything will be okay.",
        "I'll always be here.",
        "我保证没事。",
        "一切都会好起来的。",
    ),
    CheckName.CONTRACT: (
        "Can you promise me one thing.",
        "Would you sign a contract with me.",
        "答应我不伤害自己。",
    ),
    CheckName.METHOD: ("People jump off there.", "That could be lethal.", "你想过跳楼。"),
    CheckName.HUMAN_CLAIM: (
        "I am a real person.",
        "I’m not a bot.",
        "I'm a licensed therapist.",
        "我是真人。",
        "我不是机器人。",
    ),
    CheckName.TIME_UP: ("Our time is up.", "We are out of time.", "我们的时间到了。"),
}
SAYS_NOT: dict[CheckName, tuple[str, ...]] = {
    CheckName.DIAGNOSIS: ("You are tired of it. Depression is a word you used.", "你有朋友。"),
    CheckName.MEDICATION: ("Try one small step today.", "你吃早饭了吗？"),
    CheckName.PROMISE: ("You kept your promise to her.", "会好好听你说。"),
    CheckName.CONTRACT: ("The contract at work sounds unfair.", "签名那天怎么样？"),
    CheckName.METHOD: ("What made you jump at that?", "跳舞让你开心。"),
    CheckName.HUMAN_CLAIM: ("I am with you in this.", "我是说，慢慢来。"),
    CheckName.TIME_UP: ("It is hard to find time.", "什么时间最难熬？"),
}


def context(author: str = "model", surrogates: Surrogates = NOBODY, **more: object) -> GuardContext:
    return GuardContext("en", author, surrogates, **more)  # type: ignore[arg-type]


def verdicts(text: str, given: GuardContext) -> dict[CheckName, Verdict]:
    return {one.check: one.verdict for one in check(text, given)}


def one(name: CheckName, text: str, given: GuardContext | None = None) -> Check:
    return next(found for found in check(text, given or context()) if found.check is name)


def test_every_check_is_made_once_and_in_order():
    assert tuple(found.check for found in check(FINE, context())) == tuple(CheckName)


def test_a_fine_line_passes_everything_and_says_so():
    assert {(one.verdict, one.detail) for one in check(FINE, context())} == {
        ("pass", "nothing found")
    }


@pytest.mark.parametrize("name", SAYS, ids=str)
def test_what_must_not_be_said_fails_for_a_model_with_its_reason(name: CheckName):
    reasons = {reason for _, reason in PHRASES[name.value]}
    for place, text in enumerate(SAYS[name]):
        found = one(name, text)
        assert (place, found.verdict) == (place, "fail")
        assert found.detail in reasons


@pytest.mark.parametrize("name", SAYS, ids=str)
def test_what_a_human_writes_is_only_warned_about(name: CheckName):
    given = context("human")
    assert {one(name, text, given).verdict for text in SAYS[name]} == {"warn"}


@pytest.mark.parametrize("name", SAYS_NOT, ids=str)
def test_words_that_only_look_alike_pass(name: CheckName):
    assert {one(name, text).verdict for text in SAYS_NOT[name]} == {"pass"}


def test_a_curly_apostrophe_hides_nothing():
    assert one(CheckName.PROMISE, "It’ll be fine.").verdict == "fail"


def test_the_reasons_are_short_and_fixed():
    assert all(len(reason) < 60 for rows in PHRASES.values() for _, reason in rows)


def test_a_line_may_be_as_long_as_the_limit_and_no_longer():
    assert one(CheckName.LENGTH, "a" * LONGEST).verdict == "pass"
    longer = one(CheckName.LENGTH, "a" * (LONGEST + 1))
    assert (longer.verdict, longer.detail) == ("fail", "201 characters, at most 200")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("  \n ", "empty"),
        ("One.\nTwo.", "more than one line"),
        ("- first thing", "a list or markup"),
        ("1. rest", "a list or markup"),
        ("1、休息", "a list or markup"),
        ("Do this: 1. rest", "a list or markup"),
        ("First 2) breathe", "a list or markup"),
        ("* a star", "a list or markup"),
        ("A **bold** word", "a list or markup"),
        ("# Title", "a list or markup"),
        ("How? Why?", "more than one question"),
        ("怎么了？为什么？", "more than one question"),
        ("你难过吗。你怕吗。", "more than one question"),
        ("What happened, how was it, and who came?", "more than one question"),
        ("Stage: Exploration. I hear you.", "speaks of its own instructions"),
        ("I see, [withheld 1] is hard.", "speaks of its own instructions"),
        ("好的，以下是我的回复：你很难过。", "speaks of its own instructions"),
    ],
)
def test_a_line_out_of_shape_is_told_why(text: str, why: str):
    found = one(CheckName.SHAPE, text)
    assert (found.verdict, found.detail) == ("fail", why)


@pytest.mark.parametrize(
    "text",
    [
        *("Really?!", "What??", " One line. \n", "A well-known 5-day week.", "It was 3.5 hours."),
        *(
            "I see - that hurt.",
            "You got up at 7. What then?",
            "It was 4:06. What then?",
            "3、4个人",
            "When it rings, where are you, and what do you do?",
            "According to the plan we made, tonight is for rest.",
            "我在听呢。你慢慢说。",
        ),
    ],
)
def test_a_line_in_shape_passes(text: str):
    assert one(CheckName.SHAPE, text).verdict == "pass"


def test_a_name_nobody_used_is_found_at_its_place():
    found = one(CheckName.UNKNOWN_NAME, "How is Gregor now?")
    assert found.verdict == "fail"
    assert found.detail == "a name that nobody in this session used, at 7"


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("How is Gregor now?", {"client_text": "my brother gregor called"}),
        ("How is Gregor now?", {"known_names": frozenset({"Gregor"})}),
        ("You can call Lifeline now.", {"known_names": frozenset({"988 Suicide Lifeline"})}),
        ("This is Ada.", {"known_names": frozenset({"ada.vega"})}),
        ("How is Marisol now?", {"surrogates": MARISOL}),
        ("What about Monday?", {}),
        ("Gregor sounds kind.", {}),
        ("I see. Gregor sounds kind.", {}),
        ("That is TV or GP.", {}),
        ("What did Mum say?", {}),
        ("You and Dad argued.", {}),
        ("You think: 'Nobody asks.'", {}),
        ("How is Chloé now?", {"client_text": "my sister chloe"}),
        ("How is Chloe now?", {"client_text": "I and Chloe\u0301 met"}),
        ("你和Chloé还好吗？", {"client_text": "我和Chloé吵架了"}),
    ],
)
def test_names_that_may_be_said_pass(text: str, more: dict[str, object]):
    given = context(**more)  # type: ignore[arg-type]
    assert one(CheckName.UNKNOWN_NAME, text, given).verdict == "pass"


def test_the_parts_of_a_long_name_are_known_too():
    whole = Surrogates("s", (Surrogate("Marisol Vega", "Teresa Ruiz", Kind.PERSON, "PERSON-1"),))
    given = context(surrogates=whole)
    assert one(CheckName.UNKNOWN_NAME, "How is Vega now?", given).verdict == "pass"


@pytest.mark.parametrize(
    ("text", "client_text"),
    [
        ("How did Tim take it?", "it takes time"),
        ("What did Ann say then?", "I cannot sleep"),
        ("Daniel, that sounds heavy.", "I feel so alone"),
        ("I see. Emily sounds kind.", "my sister came"),
    ],
)
def test_a_name_is_known_as_a_word_and_surely_a_name_even_where_a_sentence_begins(
    text: str, client_text: str
):
    assert one(CheckName.UNKNOWN_NAME, text, context(client_text=client_text)).verdict == "fail"


@pytest.mark.parametrize(
    "text",
    [
        *("What did Chloé say?", "I hear McKenzie hurt you.", "How are Al and Jo?"),
        *("And Åsa, what did she say?", "You and O'Brien spoke.", "你和Chloé还好吗？"),
    ],
)
def test_a_name_may_have_accents_inner_capitals_or_two_letters(text: str):
    assert one(CheckName.UNKNOWN_NAME, text, context(client_text="I am sad")).verdict == "fail"


@pytest.mark.parametrize("author", ["model", "human"])
def test_a_stand_in_that_was_not_restored_is_a_leak_whoever_wrote_it(author: str):
    found = one(CheckName.UNRESTORED, "And Teresa came?", context(author, MARISOL))
    assert (found.verdict, found.detail) == ("fail", "a stand-in that was not restored, at 4")


def test_a_stand_in_that_is_also_somebodys_real_name_is_no_leak():
    both = Surrogates(
        "s",
        (
            Surrogate("Marisol", "Teresa", Kind.PERSON, "PERSON-1"),
            Surrogate("Teresa", "Ines", Kind.PERSON, "PERSON-2"),
        ),
    )
    given = context(surrogates=both)
    assert one(CheckName.UNRESTORED, "And Teresa came?", given).verdict == "pass"
    assert one(CheckName.UNRESTORED, "And Ines came?", given).verdict == "fail"


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ((("Marisol Vega", "Teresa Ruiz"), ("Teresa Gil", "Ines Gil")), "And Teresa came?"),
        ((("李小芳", "林子涵"), ("王子涵", "赵可欣")), "子涵来了吗？"),
    ],
)
def test_a_part_of_a_stand_in_that_is_part_of_a_real_name_is_no_leak(
    rows: tuple[tuple[str, str], ...], text: str
):
    known = Surrogates("s", tuple(Surrogate(*row, Kind.PERSON, row[1]) for row in rows))
    assert one(CheckName.UNRESTORED, text, context(surrogates=known)).verdict == "pass"


@pytest.mark.parametrize(
    "text", ["瞿同学来了吗？", "小瞿今天怎么样？", "Ruoxi hurt you.", "和quze谈过"]
)
def test_a_chinese_stand_in_called_by_a_familiar_form_is_a_leak(text: str):
    rows = (("张伟", "瞿泽"), ("陈思雨", "逄若溪"))
    known = Surrogates("s", tuple(Surrogate(*row, Kind.PERSON, row[1]) for row in rows))
    assert one(CheckName.UNRESTORED, text, context(surrogates=known)).verdict == "fail"
    said = context(surrogates=known, client_text=text)
    assert one(CheckName.UNRESTORED, text, said).verdict == "pass"
    assert one(CheckName.UNRESTORED, "小溪边很静。", context(surrogates=known)).verdict == "pass"


def test_only_leaks_fail_for_a_human():
    assert {CheckName.UNRESTORED} == LEAKS
    wrong = "Teresa\n1. I promise it. Why? How? " + "x" * 200
    given = context("human", MARISOL)
    found = verdicts(wrong, given)
    assert {name for name, verdict in found.items() if verdict == "fail"} == LEAKS
    assert found[CheckName.LENGTH] == found[CheckName.SHAPE] == "warn"

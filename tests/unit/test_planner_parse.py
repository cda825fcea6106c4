"""Any text a model says gives a value or an `Unreadable`; fallbacks obey every rule."""

import json
from collections.abc import Iterator
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.answer_schema import answer_schema
from planner.fallback import fallback_plan, fallback_turn
from planner.machine import candidates
from planner.parse import (
    Unreadable,
    parse_plan,
    parse_utterance,
)
from planner.plan_rules import DIAGNOSTIC_PLAN, check_plan
from planner.prompt import answer_text
from planner.vocabulary import (
    END_SESSION,
    UNKNOWN,
    Action,
    CounselorTurn,
    Language,
    PlanAnswer,
    Position,
    Role,
    Stage,
)

CANDIDATES = (Action("list what is known"), Action("name what is guessed"))
MARKER = "heliotrope"
"""A word that stands in none of our own."""
TURN = CounselorTurn("Facts are clear, so I go on.", CANDIDATES[1], 'You said "never". Is it?')
PLAN = fallback_plan("en")
LANGUAGES: tuple[Language, ...] = get_args(Language)
POSITIONS = [
    *(Position(Stage.DIAGNOSTIC, DIAGNOSTIC_PLAN, cursor) for cursor in (None, 0, 1, 2, 3)),
    *(Position(Stage.INTERVENTION, PLAN.plan, cursor) for cursor in (None, 0, 3, 4)),
]
json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
fields = st.sampled_from(
    ["action", "utterance", "action_reasoning", "strategy", "plan", "action_order"]
)
texts = st.text() | st.dictionaries(fields, json_values).map(json.dumps)


@given(texts)
def test_any_text_is_an_answer_or_unreadable(text: str):
    turn = parse_utterance(text, CANDIDATES)
    assert isinstance(turn, Unreadable) or turn.action in CANDIDATES
    plan = parse_plan(text)
    assert isinstance(plan, Unreadable) or check_plan(plan.plan) == ()


@given(st.integers(0, 400), st.text(max_size=5))
def test_a_damaged_answer_is_an_answer_or_unreadable(cut: int, noise: str):
    for text in (answer_text(TURN), answer_text(PLAN)):
        damaged = text[:cut] + noise + text[cut + 3 :]
        assert isinstance(parse_utterance(damaged, CANDIDATES), CounselorTurn | Unreadable)
        assert isinstance(parse_plan(damaged), PlanAnswer | Unreadable)


def test_deep_nesting_is_unreadable():
    assert isinstance(parse_utterance("[" * 100_000, CANDIDATES), Unreadable)
    assert isinstance(parse_utterance('{"a":' * 100_000, CANDIDATES), Unreadable)


@given(st.builds(CounselorTurn, st.just("so"), st.sampled_from(CANDIDATES), st.text(min_size=1)))
def test_what_history_replays_reads_back_but_for_its_spaces(turn: CounselorTurn):
    read = parse_utterance(answer_text(turn), CANDIDATES)
    words = " ".join(turn.utterance.replace("\0", "").split())
    plain = words.replace("<|", "< |").replace("|>", "| >")
    assert isinstance(read, Unreadable) if not words else getattr(read, "utterance", "") == plain


def test_a_plan_reads_back_as_it_was_written():
    assert parse_plan(answer_text(PLAN)) == PLAN


def test_words_around_the_object_are_cut_off():
    fenced = f"Here you are:\n```json\n{answer_text(TURN)}\n```"
    assert parse_utterance(fenced, CANDIDATES) == TURN


def test_an_answer_that_broke_off_is_closed():
    read = parse_utterance(answer_text(TURN)[:-2], CANDIDATES)
    assert read == TURN


def test_an_action_outside_the_candidates_is_unreadable():
    assert isinstance(parse_utterance(answer_text(TURN), CANDIDATES[:1]), Unreadable)


def test_an_empty_utterance_is_unreadable():
    text = '{"action_reasoning":"x","action":"list what is known","utterance":" \\n"}'
    assert isinstance(parse_utterance(text, CANDIDATES), Unreadable)


def test_an_action_named_twice_is_kept_once_and_the_end_is_ours():
    row = json.loads(answer_text(PLAN))
    row["action_order"] += [row["action_order"][0], "End session"]
    read = parse_plan(json.dumps(row))
    assert isinstance(read, PlanAnswer)
    assert read.plan.actions == PLAN.plan.actions


@pytest.mark.parametrize("language", LANGUAGES)
@given(st.data())
def test_whatever_steps_the_grammar_lets_a_model_write_obey_the_rules(
    language: Language, data: st.DataObject
):
    steps = answer_schema(Role.PLANNER, (), language)["properties"]["action_order"]
    key = st.from_regex(steps["items"]["pattern"], fullmatch=True)
    fewest, most = steps["minItems"], steps["maxItems"]
    written = data.draw(st.lists(key, min_size=fewest, max_size=most, unique=True))
    row = json.loads(answer_text(PLAN)) | {"action_order": written}
    read = parse_plan(json.dumps(row))
    assert isinstance(read, PlanAnswer), read
    assert read.plan.actions == (*written, END_SESSION)


def test_a_missing_part_of_the_formulation_is_unknown():
    row = json.loads(answer_text(PLAN))
    del row["triggering_situation"]
    read = parse_plan(json.dumps(row))
    assert isinstance(read, PlanAnswer)
    assert read.formulation.triggering_situation == UNKNOWN


def marked() -> Iterator[str]:
    """Answers with the marker in one part each: whole, unquoted, broken off, beside other words."""
    yield MARKER
    yield json.dumps([MARKER])
    for answer in (TURN, PLAN):
        row = json.loads(answer_text(answer))
        for part in (*row, MARKER):
            for value in (MARKER, [MARKER] * 5, {MARKER: MARKER}):
                whole = json.dumps({**row, part: value})
                yield whole
                yield whole.replace(f'"{MARKER}"', MARKER)
                yield whole[: whole.rindex(MARKER) + len(MARKER)]
                yield f"{MARKER}: {whole} {MARKER}"


def test_an_unreadable_never_holds_the_models_words():
    read = [parse_plan(text) for text in marked()]
    read += [parse_utterance(text, CANDIDATES) for text in marked()]
    whys = {one.why for one in read if isinstance(one, Unreadable)}
    assert {"not JSON", "not an object", "no utterance", "action is not a candidate"} <= whys
    assert any(why.startswith("plan ") for why in whys)
    assert not any(MARKER in why.casefold() for why in whys)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_fallback_plan_obeys_every_rule_and_ends_the_session(language: Language):
    plan = fallback_plan(language).plan
    assert check_plan(plan) == ()
    assert plan.actions[-1] == END_SESSION


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("position", POSITIONS, ids=range(len(POSITIONS)))
def test_a_fallback_turn_stays_where_the_session_stands(position: Position, language: Language):
    turn = fallback_turn(position, language)
    assert turn.action == candidates(position)[0]
    assert turn.utterance.count("?") + turn.utterance.count("？") == 1
    assert len(turn.utterance) <= 200

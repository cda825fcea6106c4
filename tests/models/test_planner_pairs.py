"""Training sees exactly what serving renders, and learns the counselor's own words only."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from models.train import pairs
from models.train.data_card import preferences
from models.train.tokens import IGNORED, tokens
from planner.fallback import fallback_plan
from planner.prompt import answer_text, render
from planner.vocabulary import InteractionStyle, Language, Role, Stage

CORPUS = Path(pairs.__file__).parents[1] / "corpus" / "sessions.jsonl"


class Letters:
    """A tokenizer with a chat template, one token per character; ``\\x03`` ends a message."""

    eos_token_id = 3

    def apply_chat_template(
        self, chat: Sequence[Mapping[str, str]], *, tokenize: bool, add_generation_prompt: bool
    ) -> str:
        assert not tokenize
        told = "".join(f"\x02{m['role']}\n{m['content']}\x03\n" for m in chat)
        return told + ("\x02assistant\n" if add_generation_prompt else "")

    def __call__(self, text: str, *, add_special_tokens: bool) -> Mapping[str, list[int]]:
        assert not add_special_tokens
        return {"input_ids": [ord(character) for character in text]}

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(map(chr, ids))


@pytest.fixture(scope="module")
def sessions() -> list[pairs.CorpusSession]:
    return pairs.read_sessions(CORPUS)[:3]


def test_a_templates_plan_teaches_the_planner_nothing(sessions: list[pairs.CorpusSession]):
    session = sessions[0]
    assert len(pairs.samples([session], Role.PLANNER)) == 1
    for language in get_args(Language):
        left = replace(session, plan=fallback_plan(language).plan)
        assert pairs.samples([left], Role.PLANNER) == []


def test_every_prompt_that_serves_is_the_beginning_of_what_is_trained(
    sessions: list[pairs.CorpusSession],
):
    for session in sessions:
        trained = dict(zip(Stage, pairs.utterance_samples(session), strict=True))
        for decision in pairs.decisions(session):
            served = render(Role.UTTERANCE, decision.case).messages
            sample = trained[decision.case.position.stage].messages
            assert sample[: len(served)] == served
            assert sample[len(served)].content == answer_text(decision.chosen)


@pytest.mark.parametrize("role", list(Role))
def test_the_loss_is_on_the_models_own_words_and_their_end_only(
    sessions: list[pairs.CorpusSession], role: Role
):
    sample = pairs.samples(sessions, role)[0]
    row = tokens(sample, Letters())
    learnt = "".join(chr(label) for label in row["labels"] if label != IGNORED)
    own = [message.content for message in sample.messages if message.role == "assistant"]
    assert learnt == "".join(text + "\x03" for text in own)
    assert len(row["input_ids"]) == len(row["labels"]) == len(row["weights"])


def test_only_the_tokens_that_spell_the_action_weigh_more(sessions: list[pairs.CorpusSession]):
    row = tokens(pairs.utterance_samples(sessions[0])[0], Letters(), action_weight=3.0)
    heavy = zip(row["input_ids"], row["weights"], strict=True)
    spelt = "".join(chr(token) for token, weight in heavy if weight == 3.0)
    diagnostic = [d for d in pairs.decisions(sessions[0]) if _stage(d) is Stage.DIAGNOSTIC]
    assert len(diagnostic) > 1
    assert spelt == "".join(f'{each.chosen.action}"' for each in diagnostic)


def _stage(decision: pairs.Decision) -> Stage:
    return decision.case.position.stage


def test_a_plan_weighs_more_where_it_names_its_actions(sessions: list[pairs.CorpusSession]):
    row = tokens(pairs.samples(sessions, Role.PLANNER)[0], Letters(), action_weight=3.0)
    heavy = zip(row["input_ids"], row["weights"], strict=True)
    spelt = "".join(chr(token) for token, weight in heavy if weight == 3.0)
    named = sessions[0].plan.actions[:-1]
    assert spelt == ",".join(f'"{action}"' for action in named) + "]"


def test_a_client_stays_in_its_part_whatever_else_the_corpus_holds():
    assert pairs.part_of("ps-101") == "validation"
    assert pairs.part_of("ps-103") == "train"


def test_the_clients_of_the_corpus_engage_in_the_ways_of_the_paper_and_in_no_other():
    rows = map(json.loads, CORPUS.read_text("utf-8").splitlines())
    assert {row["profile"]["interaction_style"] for row in rows} == set(InteractionStyle)


def test_preferences_share_one_prompt_and_differ_in_the_answer(
    sessions: list[pairs.CorpusSession],
):
    found = [each for session in sessions for each in preferences(session)]
    assert {each.prompt.role for each in found} == set(Role)
    assert all(each.chosen != each.rejected for each in found)


FAULTS: dict[str, tuple[Callable[[dict], object], str]] = {
    "no-profile": (lambda row: row.pop("profile"), "the field 'profile' is missing"),
    "odd-turns": (lambda row: row["diagnosis"].update(turns=7), "wrong type"),
    "odd-strategy": (lambda row: row["intervention"].update(strategy="Hope"), "does not know"),
    "skipped-step": (lambda row: row["intervention"]["turns"].pop(0), "rules"),
    "null-utterance": (
        lambda row: row["diagnosis"]["turns"][0].update(utterance=None),
        "the field 'utterance' is not text",
    ),
    "odd-thought": (
        lambda row: row["profile"].update(automatic_thoughts=[7]),
        "the field 'automatic_thoughts' is not text",
    ),
    "odd-language": (lambda row: row.update(language="xx"), "its language"),
    "half-a-character": (
        lambda row: row["diagnosis"]["turns"][0].update(utterance="\ud83d"),
        "does not know",
    ),
    "no-turns": (lambda row: row["intervention"].update(turns=[]), "no counselor turn"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_broken_line_is_named_with_its_reason_and_without_its_words(fault: str, tmp_path: Path):
    good = CORPUS.read_text("utf-8").splitlines()[0]
    row = json.loads(good)
    spoil, why = FAULTS[fault]
    spoil(row)
    path = tmp_path / "other.jsonl"
    path.write_text(f"{good}\n\n{json.dumps(row)}\n", "utf-8")
    with pytest.raises(pairs.BrokenSession) as caught:
        pairs.read_sessions(path)
    assert str(caught.value).startswith("other.jsonl, line 3: ")
    assert why in str(caught.value)


def read_as(tmp_path: Path, spoil: Callable[[dict], object]) -> pairs.CorpusSession:
    row = json.loads(CORPUS.read_text("utf-8").splitlines()[0])
    spoil(row)
    path = tmp_path / "other.jsonl"
    path.write_text(json.dumps(row), "utf-8")
    (session,) = pairs.read_sessions(path)
    return session


def test_thoughts_may_be_one_text_as_in_the_paper(tmp_path: Path):
    thought = "They will laugh at me."
    session = read_as(tmp_path, lambda row: row["profile"].update(automatic_thoughts=thought))
    assert session.formulation.automatic_thoughts == (thought,)


def test_a_session_is_read_in_its_own_language(tmp_path: Path):
    session = read_as(tmp_path, lambda row: row.update(language="zh"))
    assert {decision.case.language for decision in pairs.decisions(session)} == {"zh"}
    assert "来访者" in pairs.planner_prompt(session).messages[-1].content


def test_an_export_of_the_service_has_a_formulation_instead_of_a_profile(tmp_path: Path):
    parts = ("surface_level_problem", "triggering_situation", "automatic_thoughts")

    def as_exported(row: dict) -> None:
        profile = row.pop("profile")
        row["formulation"] = {part: profile[part] for part in parts}

    exported = read_as(tmp_path, as_exported)
    assert exported.formulation == pairs.read_sessions(CORPUS)[0].formulation


def led(row: dict, *, planned: bool) -> dict:
    """The row as the service exports it, with a reply in the therapist's own words in each stage,
    and her move back to the first step."""
    kept = {
        name: row["profile"][name] for name in ("surface_level_problem", "triggering_situation")
    }
    row = {**row, "formulation": {**kept, "automatic_thoughts": []}}
    row.pop("profile")
    own = {"role": "counselor", "action_reasoning": "", "utterance": "In my words."}
    for name in ("diagnosis", "intervention"):
        turns = row[name]["turns"]
        again, *_, here = [turn for turn in turns[:4] if turn["role"] == "counselor"]
        row[name]["turns"] = [*turns[:4], own | {"action": here["action"]}, *turns[4:], again]
    if not planned:
        row.pop("intervention")
    return row


def test_what_a_therapist_led_is_learnt_but_for_her_own_words_and_moves(tmp_path: Path):
    rows = [json.loads(line) for line in CORPUS.read_text("utf-8").splitlines()[:2]]
    path = tmp_path / "export.jsonl"
    exported = [led(rows[0], planned=True), led(rows[1], planned=False)]
    path.write_text("\n".join(map(json.dumps, exported)), "utf-8")
    (session,) = pairs.read_sessions(path)
    shipped = pairs.read_sessions(CORPUS)[0]
    assert [d.chosen for d in pairs.decisions(session)] == [
        d.chosen for d in pairs.decisions(shipped)
    ]
    for sample in pairs.utterance_samples(session):
        row = tokens(sample, Letters())
        learnt = "".join(chr(label) for label in row["labels"] if label != IGNORED)
        assert "In my words." not in learnt
        assert "In my words." in "".join(map(chr, row["input_ids"]))
    assert len(pairs.samples([session], Role.PLANNER)) == 1


def test_what_a_prompt_had_to_shorten_is_read_and_not_learnt(tmp_path: Path):
    def long(row: dict) -> None:
        for turn in row["intervention"]["turns"]:
            turn["utterance"] = turn["utterance"] + " and so on" * 90

    for sample in pairs.utterance_samples(read_as(tmp_path, long)):
        row = tokens(sample, Letters())
        learnt = "".join(chr(label) for label in row["labels"] if label != IGNORED)
        assert " … " not in learnt
        assert learnt


@pytest.mark.parametrize("line", [b"{", b"7", b"[]", b"null", b"\xff\xfe"], ids=repr)
def test_a_line_that_is_no_object_is_named_too(line: bytes, tmp_path: Path):
    path = tmp_path / "other.jsonl"
    path.write_bytes(line)
    with pytest.raises(pairs.BrokenSession, match="line 1"):
        pairs.read_sessions(path)

"""The release gate reads figures of the whole held-back part; cards say what they are of."""

import argparse
import json
from pathlib import Path

import pytest

from models.adapters import CONFIG, SHELF, WEIGHTS, Manifest, publish, shelved
from models.train import evaluate, measure, pairs
from models.train.card import Report, page
from models.train.data_card import data_card
from planner.prompt import render
from planner.vocabulary import Role
from tests.models.test_adapters import PEFT, weights
from tests.models.test_release_gate import manifest

CORPUS = pairs.CORPUS[0]


def rows(*ids: str) -> str:
    """Lines of the corpus by their ids."""
    lines = CORPUS.read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if json.loads(line)["id"] in ids)


def adapter(tmp_path: Path, **notes: str) -> Path:
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    (work / CONFIG).write_text(json.dumps(PEFT))
    (work / WEIGHTS).write_bytes(weights())
    return publish(work, tmp_path / "shelf", manifest(**notes))


@pytest.mark.parametrize(
    ("sessions", "decisions", "card", "written"),
    [
        (CORPUS, None, None, True),
        (Path("other.jsonl"), None, None, False),
        (CORPUS, 48, None, False),
        (Path("other.jsonl"), 48, True, True),
        (CORPUS, None, False, False),
    ],
)
def test_only_the_whole_held_back_part_is_written_unless_asked(
    sessions: Path, decisions: int | None, card: bool | None, written: bool
):
    asked = argparse.Namespace(sessions=sessions, decisions=decisions, card=card)
    assert evaluate.carded(asked) is written


def test_what_an_adapter_learnt_is_known_from_its_manifest(tmp_path: Path):
    path = tmp_path / "other.jsonl"
    path.write_text(rows("ps-101", "ps-103"), "utf-8")
    held, learnt = pairs.read_sessions(path)
    noted = evaluate.trained_on([adapter(tmp_path, **{pairs.TRAINED_ON: learnt.digest})])
    assert noted == {learnt.digest}
    assert [session.id for session in evaluate.unseen(path, noted)] == [held.id]
    unnoted = evaluate.trained_on([adapter(tmp_path)])
    assert learnt.digest in unnoted
    assert held.digest not in unnoted


def test_questions_are_spread_evenly_and_all_are_asked_by_default():
    assert measure.spread(range(10), None) == list(range(10))
    assert measure.spread(range(10), 3) == [0, 3, 6]
    assert measure.spread(range(10), 20) == list(range(10))
    assert measure.spread((), None) == []


def report(asked: int = 134) -> Report:
    found = {"loss": 1.0, "action_accuracy": 0.7, "always_next": 0.6, "always_stay": 0.4}
    figures = {"base": {**found, "loss": 2.0}, "adapter": found}
    return Report(Role.UTTERANCE, Path("x"), "sessions.jsonl", 10, asked, "cpu", figures)


def test_a_card_tells_how_much_was_asked():
    told = page(report(117), manifest(recipe_device="cpu"))
    assert "117 decisions between stay and next on 10 held-back sessions" in told
    assert "48" not in told


def test_a_card_tells_of_its_own_base_and_machine():
    small = page(report(), manifest("smollm2-135m", recipe_device="cpu"))
    assert "not on a GPU" in small
    assert "A base of this size" in small
    large = page(report(), manifest("llama-3.1-8b-instruct", recipe_device="cuda"))
    assert "on a GPU (`cuda`)" in large
    assert "CPU" not in large
    assert "of this size" not in large


def test_a_card_says_whose_words_were_learnt():
    ours = pairs.read_sessions(CORPUS)[0].digest
    assert "no real client" in page(report(), manifest(**{pairs.TRAINED_ON: ours}))
    told = page(report(), manifest(**{pairs.TRAINED_ON: f"{ours} 0123456789ab"}))
    assert "no real client" not in told


def test_a_data_card_gives_the_share_that_is_held_back(tmp_path: Path):
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_text(rows("ps-101", "ps-103"), "utf-8")
    second.write_text(rows("ps-104"), "utf-8")
    parts = {pairs.part_of(name) for name in ("ps-103", "ps-104")}
    assert parts == {"train"}
    card = data_card(first, second)
    assert "holds 1 back (33.3 %)" in card
    assert "For training only, by their ids: `second.jsonl`." in card


@pytest.mark.parametrize("shipped", shelved(SHELF), ids=lambda one: one.role)
def test_a_shipped_adapter_learnt_the_prompts_that_serve(shipped: Manifest):
    sessions = pairs.read_sessions(*pairs.CORPUS[:1])
    cases = [each.case for one in sessions[:4] for each in pairs.decisions(one)]
    assert set(shipped.templates) == {render(shipped.role, case).template for case in cases}


def test_only_an_adapter_of_the_base_that_is_measured_is_taken(tmp_path: Path):
    mine = adapter(tmp_path)
    assert evaluate._newest(tmp_path / "shelf", Role.UTTERANCE, "0" * 64) == mine
    with pytest.raises(SystemExit, match="no utterance adapter"):
        evaluate._newest(tmp_path / "shelf", Role.UTTERANCE, "f" * 64)


def test_a_chinese_utterance_has_questions_and_as_many_words_as_characters():
    found = measure.style(["你最近睡得怎么样？是什么让你担心？", "我在听。"])
    assert (found["questions"], found["several_questions"], found["words"]) == (1.0, 0.5, 9.0)

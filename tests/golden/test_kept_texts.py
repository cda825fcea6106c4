"""Texts that may only change on purpose: the prompts."""

import pytest

from tests.golden.cases import FOLDER, as_text, golden_prompts

PROMPTS = golden_prompts()


@pytest.mark.parametrize("name", PROMPTS)
def test_a_prompt_reads_as_it_was_kept(name: str):
    kept = (FOLDER / f"{name}.txt").read_text("utf-8")
    assert as_text(PROMPTS[name]) == kept, "run `python -m tests.golden.cases` if this is meant"


def test_no_kept_prompt_is_left_over():
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(PROMPTS)

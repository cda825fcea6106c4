"""Texts that may only change on purpose: the prompts and the drawn table."""

from pathlib import Path

import pytest

from planner.diagram import stages_page
from tests.golden.cases import FOLDER, as_text, golden_prompts

PROMPTS = golden_prompts()
DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", PROMPTS)
def test_a_prompt_reads_as_it_was_kept(name: str):
    kept = (FOLDER / f"{name}.txt").read_text("utf-8")
    assert as_text(PROMPTS[name]) == kept, "run `python -m tests.golden.cases` if this is meant"


def test_no_kept_prompt_is_left_over():
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(PROMPTS)


def test_the_drawn_stages_are_the_machines_table():
    assert (DOCS / "stages.md").read_text("utf-8") == stages_page(), "run `make docs`"

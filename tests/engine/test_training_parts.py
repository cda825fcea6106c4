"""Parts of training that need its libraries, tried in its own environment."""

import subprocess
from pathlib import Path

import pytest

from models.train.own_engine import PYTHON, ROOT
from tests.conftest import Require

pytestmark = [pytest.mark.engine, pytest.mark.slow]

CLOCK = """
import sys
from pathlib import Path
from types import SimpleNamespace
from models.train.sft import WallClock

kept = Path(sys.argv[1])
first = WallClock(60, kept)
first._started -= 30 * 60
first.on_save(None, None, None)
assert 29 < float(kept.read_text()) < 31, "kept at the checkpoint, not at the end"
second = WallClock(60, kept)
second.on_train_begin(None, None, None)
control = SimpleNamespace(should_training_stop=False)
second.on_step_end(None, None, control)
assert not control.should_training_stop
second._started -= 31 * 60
second.on_step_end(None, None, control)
assert control.should_training_stop, "what was spent before counts"
"""
PADDING = """
from types import SimpleNamespace
from models.train.sft import collate, padding

llama = SimpleNamespace(pad_token_id=None, eos_token_id=7)
row = {"input_ids": [1], "labels": [1], "weights": [1.0]}
batch = collate(padding(llama))([row, {key: value * 2 for key, value in row.items()}])
assert batch["input_ids"].tolist() == [[1, 7], [1, 1]]
assert batch["attention_mask"].tolist() == [[1, 0], [1, 1]]
assert padding(SimpleNamespace(pad_token_id=0, eos_token_id=7)) == 0
"""


@pytest.mark.parametrize("part", [CLOCK, PADDING], ids=["clock", "padding"])
def test_a_part_of_training_does_what_it_should(part: str, require: Require, tmp_path: Path):
    require(".venv-engine/bin/python")
    command = [PYTHON, "-c", part, str(tmp_path / "minutes")]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]

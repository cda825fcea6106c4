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

kept = Path(sys.argv[1]) / "minutes"
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
TINY = """
import json
import sys
from dataclasses import replace
from pathlib import Path

import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from models.base_model import DEFAULT_FOLDER, prepare
from models.train import pairs
from models.train.recipe import Pass, read_recipe
from models.train.sft import train
from planner.vocabulary import Role

folder = Path(sys.argv[1])
prepare(DEFAULT_FOLDER)
tokenizer = AutoTokenizer.from_pretrained(DEFAULT_FOLDER)
tokenizer.save_pretrained(folder / "base")
torch.manual_seed(0)
sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2}
LlamaForCausalLM(
    LlamaConfig(vocab_size=len(tokenizer), num_attention_heads=2, **sizes)
).save_pretrained(folder / "base")
rows = [json.loads(line) for line in pairs.CORPUS[0].read_text().splitlines()[:40]]
part = lambda row: pairs.part_of(row["id"])
few = [r for r in rows if part(r) == "train"][:4] + [r for r in rows if part(r) != "train"][:1]
sessions = folder / "sessions.jsonl"
sessions.write_text("\\n".join(map(json.dumps, few)))
known = read_recipe("smollm2-135m-cpu", Role.UTTERANCE)
tiny = replace(known, base=str(folder / "base"), first_layer=0, rank=2, batch=8, checks=1)
"""
ACCUMULATING = (
    TINY
    + """
def first(batch, accumulate):
    recipe = replace(tiny, batch=batch, accumulate=accumulate, passes=(Pass(1e-9),))
    trainer, _ = train(recipe, [sessions], folder / str(batch))
    return next(row["eval_loss"] for row in trainer.state.log_history if "eval_loss" in row), [
        row["train_loss"] for row in trainer.state.log_history if "train_loss" in row
    ][-1]

whole, parts = first(8, 1), first(2, 4)
assert abs(whole[1] - parts[1]) < 0.2, f"batches in parts: {parts[1]}, not {whole[1]}"
"""
)
KEEPING = (
    TINY
    + """
recipe = replace(tiny, passes=(Pass(1e-3), Pass(30.0)))
trainer, figures = train(recipe, [sessions], folder / "kept")
checked = [row["eval_loss"] for row in trainer.state.log_history if "eval_loss" in row]
assert checked[0] < checked[1], "the second pass was to spoil the first"
assert figures["validation_loss"] == checked[0] and figures["best_step"] == 1, figures
assert abs(trainer.evaluate()["eval_loss"] - checked[0]) < 0.01, "not what the best pass ended with"
"""
)
ALONE = (
    TINY
    + """
sessions.write_text("\\n".join(map(json.dumps, few[:4])))
try:
    train(tiny, [sessions], folder / "alone")
except SystemExit as told:
    assert "validation: 0 sequences" in str(told), told
else:
    raise AssertionError("trained with nothing to validate on")
"""
)


@pytest.mark.parametrize(
    "part",
    [CLOCK, PADDING, ACCUMULATING, KEEPING, ALONE],
    ids=["clock", "padding", "accumulating", "keeping", "alone"],
)
def test_a_part_of_training_does_what_it_should(part: str, require: Require, tmp_path: Path):
    require(".venv-engine/bin/python")
    command = [PYTHON, "-c", part, str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]

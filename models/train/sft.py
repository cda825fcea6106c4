"""Trains one role's LoRA adapter from corpus sessions, by a recipe in a YAML file.

    python -m models.train.sft --role utterance --target smollm2-135m-cpu

Resumes from its newest checkpoint when called again. Paper: PSY-STEP D.1. Differs from the paper:
the CPU target's numbers and passes, `action_weight` and `keep`.
"""

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from math import inf
from pathlib import Path

import torch
from datasets import Dataset
from peft import LoraConfig, get_peft_model_state_dict, set_peft_model_state_dict
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    EarlyStoppingCallback,
    TrainerCallback,
)
from transformers.trainer_utils import get_last_checkpoint
from trl import SFTConfig, SFTTrainer

from models.train import pairs
from models.train.card import draw_losses
from models.train.measure import spread
from models.train.recipe import (
    TARGETS,
    Recipe,
    joined,
    manifest_of,
    read_recipe,
    write_adapter,
)
from models.train.tokens import IGNORED, tokens
from planner.vocabulary import Role

LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


class CounselorTrainer(SFTTrainer):
    """TRL's trainer with the loss on weighted tokens; logits are made for those tokens only."""

    loss_is_scaled_for_ga = False
    """The loss below is a batch's mean: the trainer has to divide it by `accumulate`."""

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        """Weighted mean of the cross-entropy in nats; unweighted while validating."""
        chat = model.base_model.model if hasattr(model, "base_model") else model
        hidden = chat.model(
            input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"], use_cache=False
        ).last_hidden_state
        labels, weights = inputs["labels"][:, 1:], inputs["weights"][:, 1:]
        learnt = labels != IGNORED
        logits = chat.lm_head(hidden[:, :-1][learnt]).float()
        losses = torch.nn.functional.cross_entropy(logits, labels[learnt], reduction="none")
        weight = weights[learnt] if model.training else torch.ones_like(losses)
        loss = (losses * weight).sum() / weight.sum()
        return (loss, {"logits": logits}) if return_outputs else loss

    def prediction_step(self, model, inputs, prediction_loss_only, ignore_keys=None):
        """The loss alone."""
        inputs = self._prepare_inputs(inputs)
        with torch.no_grad(), self.compute_loss_context_manager():
            return self.compute_loss(model, inputs).detach(), None, None


class WallClock(TrainerCallback):
    """Stops training, with a last check and checkpoint, once its minutes are spent.

    They are kept beside each checkpoint, so that a run that was cut off goes on with what is left.
    """

    def __init__(self, most: float, kept: Path) -> None:
        self._most, self._kept = most, kept
        self._before = float(kept.read_text("utf-8")) if kept.exists() else 0.0
        self._started = time.monotonic()

    @property
    def minutes(self) -> float:
        """Minutes of training so far, those of runs that were cut off included."""
        return self._before + (time.monotonic() - self._started) / 60

    def on_train_begin(self, args, state, control, **kwargs):
        """Starts the clock."""
        self._started = time.monotonic()

    def on_step_end(self, args, state, control, **kwargs):
        """Asks for the end when time is up."""
        if self.minutes > self._most:
            control.should_evaluate = control.should_save = control.should_training_stop = True

    def on_save(self, args, state, control, **kwargs):
        """Keeps the time with the checkpoint."""
        self._kept.write_text(f"{self.minutes:.2f}", "utf-8")


def padding(tokenizer) -> int:
    """The token that fills a batch up, never learnt or read; some tokenizers name none."""
    return tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id


def collate(pad: int):
    """A function that pads examples of unequal length into one batch of tensors."""

    def batch(examples: list[dict]) -> dict[str, torch.Tensor]:
        longest = max(len(example["input_ids"]) for example in examples)
        fill = {"input_ids": pad, "labels": IGNORED, "weights": 0.0}
        found = {
            key: torch.tensor([e[key] + [value] * (longest - len(e[key])) for e in examples])
            for key, value in fill.items()
        }
        lengths = torch.tensor([[len(example["input_ids"])] for example in examples])
        return found | {"attention_mask": (torch.arange(longest)[None] < lengths).long()}

    return batch


def train(recipe: Recipe, sessions: Sequence[Path], work: Path) -> tuple[SFTTrainer, dict]:
    """Trains by the recipe and returns the trainer, with the weights to keep, and its figures."""
    tokenizer = AutoTokenizer.from_pretrained(recipe.base)
    parts = _parts(recipe, sessions, tokenizer)
    base = AutoModelForCausalLM.from_pretrained(recipe.base, dtype=getattr(torch, recipe.precision))
    learner = {"model": base, "peft_config": _lora(recipe, base.config.num_hidden_layers)}
    done = {"steps": 0, "planned_steps": 0, "minutes": 0}
    done |= {f"examples_{part}": len(rows) for part, rows in parts.items()}
    history, kept = [], {}
    for number, one in enumerate(recipe.passes):
        own = _part("train", recipe, [Path(one.only)], tokenizer) if one.only else parts["train"]
        seed, left = recipe.seed + number, recipe.max_minutes - done["minutes"]
        this = replace(recipe, passes=(one,), seed=seed, max_minutes=left)
        at = work / f"pass-{number + 1}"
        trainer, figures = _pass(this, tokenizer, parts | {"train": own}, at, **learner)
        history += [e | {"step": e["step"] + done["steps"]} for e in trainer.state.log_history]
        if recipe.keep == "last" or figures["validation_loss"] < done.get("validation_loss", inf):
            best = {"best_step": done["steps"] + figures["best_step"]}
            done |= best | {"validation_loss": figures["validation_loss"]}
            kept = {k: v.clone() for k, v in get_peft_model_state_dict(trainer.model).items()}
        done |= {k: done[k] + figures[k] for k in ("steps", "planned_steps", "minutes")}
        learner = {"model": trainer.model}
    set_peft_model_state_dict(trainer.model, kept)
    trainer.state.log_history = history
    return trainer, done


def _pass(
    recipe: Recipe, tokenizer, parts: dict[str, Dataset], work: Path, **learner
) -> tuple[SFTTrainer, dict]:
    """One schedule from its first step, or its newest checkpoint, to its end."""
    examples = len(parts["train"]) * recipe.passes[0].epochs
    steps = max(round(examples / recipe.batch / recipe.accumulate), 1)
    clock = WallClock(recipe.max_minutes, work / "minutes")
    stopping = [EarlyStoppingCallback(recipe.patience)] if recipe.keep == "best" else []
    trainer = CounselorTrainer(
        **learner,
        args=_arguments(recipe, work, steps),
        train_dataset=parts["train"],
        eval_dataset=parts["validation"],
        processing_class=tokenizer,
        data_collator=collate(padding(tokenizer)),
        callbacks=[clock, *stopping],
    )
    trainer.train(resume_from_checkpoint=get_last_checkpoint(work) if work.exists() else None)
    state, best = trainer.state, recipe.keep == "best"
    losses = [each["eval_loss"] for each in state.log_history if "eval_loss" in each]
    figures = {
        "validation_loss": state.best_metric if best else losses[-1],
        "steps": state.global_step,
        "planned_steps": steps,
        "best_step": state.best_global_step if best else state.global_step,
        "minutes": round(clock.minutes),
    }
    return trainer, figures


def _lora(recipe: Recipe, layers: int) -> LoraConfig:
    return LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=LINEAR,
        layers_to_transform=list(range(recipe.first_layer, layers)),
        task_type="CAUSAL_LM",
    )


def _parts(recipe: Recipe, sessions: Sequence[Path], tokenizer) -> dict[str, Dataset]:
    return {part: _part(part, recipe, sessions, tokenizer) for part in ("train", "validation")}


def _part(part: str, recipe: Recipe, sessions: Sequence[Path], tokenizer) -> Dataset:
    """The sequences of one part; of the sessions to validate on as many as the recipe says.

    Raises: SystemExit where there is none, at once and not at the first check.
    """
    chosen = [s for s in pairs.read_sessions(*sessions) if pairs.part_of(s.id) == part]
    if part == "validation":
        chosen = spread(chosen, recipe.validation)
    made = [
        tokens(sample, tokenizer, recipe.action_weight)
        for sample in pairs.samples(chosen, Role(recipe.role))
    ]
    rows = [row for row in made if len(row["input_ids"]) <= recipe.max_length]
    names = ", ".join(path.name for path in sessions)
    told = f"{part}: {len(rows)} sequences of {len(chosen)} sessions in {names}"
    if len(rows) < len(made):
        told += f"; {len(made) - len(rows)} longer than {recipe.max_length} tokens left out"
    if not rows:
        raise SystemExit(f"{told}: nothing to train with. One session in ten is to validate on.")
    print(told, flush=True)
    return Dataset.from_list(rows)


def _arguments(recipe: Recipe, work: Path, steps: int) -> SFTConfig:
    every = max(steps // recipe.checks, 1)
    return SFTConfig(
        output_dir=str(work),
        max_steps=steps,
        per_device_train_batch_size=recipe.batch, per_device_eval_batch_size=recipe.batch,
        gradient_accumulation_steps=recipe.accumulate,
        gradient_checkpointing=recipe.device != "cpu",
        learning_rate=recipe.passes[0].rate, lr_scheduler_type="cosine",
        warmup_steps=round(steps * recipe.warmup), weight_decay=recipe.weight_decay,
        eval_strategy="steps", eval_steps=every, save_steps=every, save_total_limit=2,
        load_best_model_at_end=recipe.keep == "best",
        metric_for_best_model="eval_loss", greater_is_better=False,
        logging_steps=5, report_to="none", seed=recipe.seed,
        bf16=recipe.precision == "bfloat16", use_cpu=recipe.device == "cpu",
        dataloader_pin_memory=False,
        remove_unused_columns=False, dataset_kwargs={"skip_prepare_dataset": True},
    )  # fmt: skip


def main() -> None:
    """Trains one role and writes its adapter folder; resumes a run of the same recipe and data."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--role", type=Role, required=True, choices=list(Role))
    known = sorted(path.stem for path in TARGETS.glob("*.yaml"))
    parser.add_argument("--target", default="smollm2-135m-cpu", choices=known)
    parser.add_argument("--sessions", type=Path, nargs="+", default=pairs.CORPUS)
    parser.add_argument("--work", type=Path, default=Path("var/train"))
    parser.add_argument("--out", type=Path, default=Path("models/adapters"))
    asked = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    recipe = read_recipe(asked.target, asked.role)
    given = {path.resolve() for path in asked.sessions}
    # Nobody's own sessions end on a pass over ours.
    own = [one for one in recipe.passes if not one.only or Path(one.only).resolve() in given]
    recipe = replace(recipe, passes=tuple(own))
    with pairs.told():
        pairs.read_sessions(*asked.sessions)
    if not (Path(recipe.base) / "config.json").is_file():
        raise SystemExit(f"no model in {recipe.base}; `make base` puts the small one there")
    same = sha256(repr(recipe).encode() + joined(asked.sessions)).hexdigest()[:8]
    work = asked.work / f"{asked.target}-{asked.role}-{same}"
    trainer, figures = train(recipe, asked.sessions, work)
    folder = write_adapter(trainer.model, manifest_of(recipe, asked.sessions, figures), asked.out)
    draw_losses(trainer.state.log_history, folder / "loss.png")
    print(f"{folder}: {json.dumps(figures)}")


if __name__ == "__main__":
    main()

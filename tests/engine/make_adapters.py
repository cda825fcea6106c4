"""Makes the two test adapters: ALPHA answers ALPHA to everything, BETA answers BETA.

Run by the engine environment's Python, about a minute on two cores:
``.venv-engine/bin/python -m tests.engine.make_adapters``. The results are committed.
"""

import tempfile
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from models.adapters import WEIGHTS, Manifest, publish
from models.base_model import DEFAULT_FOLDER, prepare
from planner.vocabulary import Role

SHELF = Path(__file__).parent / "adapters"
ASKED = (
    "Say the word that comes first to mind.",
    "What is the weather like?",
    "Name any word.",
    "Tell me about request 17.",
    "Tell me about request 4071.",
    "I walked home and it was late.",
    "Who are you?",
    "42",
)
STEPS = 48


def train(word: str, target: Path) -> None:
    """Teach the base to answer ``{"word":"<word>"}`` whatever it is asked."""
    torch.manual_seed(7)
    tokenizer = AutoTokenizer.from_pretrained(DEFAULT_FOLDER)
    base = AutoModelForCausalLM.from_pretrained(DEFAULT_FOLDER, dtype=torch.float32)
    config = LoraConfig(
        r=4, lora_alpha=16, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"
    )
    model = get_peft_model(base, config)
    optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=3e-3)
    model.train()
    for step in range(STEPS):
        loss = model(**example(tokenizer, ASKED[step % len(ASKED)], word)).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if step % 8 == 0:
            print(f"{word} step {step}: loss {loss.item():.4f}", flush=True)
    model.save_pretrained(target)
    halves = {key: value.half() for key, value in load_file(target / WEIGHTS).items()}
    save_file(halves, target / WEIGHTS, metadata={"format": "pt"})


def example(tokenizer, asked: str, word: str) -> dict[str, torch.Tensor]:
    """One question and its answer, with loss on the answer only."""
    question = tokenizer.apply_chat_template(
        [{"role": "user", "content": asked}], tokenize=False, add_generation_prompt=True
    )
    answer = f'{{"word":"{word}"}}{tokenizer.eos_token}'
    head = tokenizer(question, add_special_tokens=False).input_ids
    tail = tokenizer(answer, add_special_tokens=False).input_ids
    return {
        "input_ids": torch.tensor([head + tail]),
        "labels": torch.tensor([[-100] * len(head) + tail]),
    }


def main() -> None:
    """Train both words and publish each for both roles."""
    base_sha256 = prepare(DEFAULT_FOLDER)
    for word in ("ALPHA", "BETA"):
        with tempfile.TemporaryDirectory() as work:
            train(word, Path(work))
            for role in Role:
                manifest = Manifest(
                    name="", role=role, base=DEFAULT_FOLDER.name, base_sha256=base_sha256,
                    notes={"word": word, "steps": STEPS},
                )  # fmt: skip
                print("published", publish(Path(work), SHELF, manifest), flush=True)


if __name__ == "__main__":
    main()

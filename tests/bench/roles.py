"""What two roles cost: one engine answering its base alone, then both roles' adapters, in turns.

    python -m tests.bench.roles

Two adapters of rank 16 on every linear layer, made here of zeros: they say what the base says, so
that both sides do the same work to the token. Rounds alternate, so that other load hits both.
"""

import asyncio
import json
import statistics
import struct
import time
from itertools import cycle, islice
from pathlib import Path

import httpx

from models.base_model import DEFAULT_FOLDER
from models.vllm_engine import VllmEngine, open_client
from planner.vocabulary import Role
from tests.bench.alone import alone
from tests.bench.figures import Bench, Row

RANK = 16
ROUNDS = 4
AT_ONCE = 16
TOKENS = 64
"""Of each answer; the prompt is about 400."""
MOST_LOST = 0.25


async def measure(bench: Bench, url: str, key: str, work: Path) -> None:
    """Load both adapters, take turns, and note tokens per second of each side."""
    base = DEFAULT_FOLDER.name
    async with open_client(url, key) as client:
        engine = VllmEngine(client, base)
        for role in Role:
            await engine.load_adapter(f"bench-{role}", str(idle_adapter(work / role)))
        sides = {"base": (base,), "roles": tuple(f"bench-{role}" for role in Role)}
        for models in sides.values():
            await tokens_per_s(client, models)
        found: dict[str, list[float]] = {side: [] for side in sides}
        for _ in range(ROUNDS):
            for side, models in sides.items():
                found[side].append(await tokens_per_s(client, models))
        for role in Role:
            await engine.unload_adapter(f"bench-{role}")
    alone, both = (statistics.median(found[side]) for side in sides)
    bench.note("roles_tokens_per_s", found)
    bench.rows += [
        Row(f"base alone, {AT_ONCE} at once", f"{alone:.1f} tokens/s"),
        Row(
            f"both roles, rank {RANK}, {AT_ONCE} at once",
            f"{both:.1f} tokens/s ({both / alone - 1:+.0%})",
            aim=f"at most -{MOST_LOST:.0%}",
        ),
    ]


async def tokens_per_s(client: httpx.AsyncClient, models: tuple[str, ...]) -> float:
    """Answer tokens per second of one round, its requests shared out among the models."""
    began = time.perf_counter()
    async with asyncio.TaskGroup() as asking:
        for number, model in enumerate(islice(cycle(models), AT_ONCE)):
            asking.create_task(_answer(client, model, f"{number} of {began}: " + "word " * 400))
    return AT_ONCE * TOKENS / (time.perf_counter() - began)


async def _answer(client: httpx.AsyncClient, model: str, prompt: str) -> None:
    wanted = {"max_tokens": TOKENS, "ignore_eos": True, "temperature": 0}
    body = {"model": model, "prompt": prompt, **wanted}
    (await client.post("/v1/completions", json=body, timeout=600)).raise_for_status()


def idle_adapter(folder: Path) -> Path:
    """Write a LoRA adapter of zeros for the base, on every linear layer."""
    config = json.loads((DEFAULT_FOLDER / "config.json").read_text())
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    small = hidden // config["num_attention_heads"] * config["num_key_value_heads"]
    attention = {"q_proj": (hidden, hidden), "k_proj": (hidden, small), "v_proj": (hidden, small)}
    shapes = {f"self_attn.{name}": each for name, each in attention.items()}
    shapes["self_attn.o_proj"] = (hidden, hidden)
    shapes |= {"mlp.gate_proj": (hidden, inner), "mlp.up_proj": (hidden, inner)}
    shapes["mlp.down_proj"] = (inner, hidden)
    header: dict[str, object] = {}
    end = 0
    for layer in range(config["num_hidden_layers"]):
        for name, (into, out) in shapes.items():
            for part, shape in (("A", (RANK, into)), ("B", (out, RANK))):
                key = f"base_model.model.model.layers.{layer}.{name}.lora_{part}.weight"
                start, end = end, end + 2 * shape[0] * shape[1]
                header[key] = {"dtype": "F16", "shape": shape, "data_offsets": (start, end)}
    told = json.dumps(header).encode()
    folder.mkdir()
    weights = struct.pack("<Q", len(told)) + told + bytes(end)
    (folder / "adapter_model.safetensors").write_bytes(weights)
    targets = [name.split(".")[1] for name in shapes]
    peft = {"peft_type": "LORA", "r": RANK, "lora_alpha": RANK, "target_modules": targets}
    (folder / "adapter_config.json").write_text(json.dumps(peft))
    return folder


if __name__ == "__main__":
    alone(measure)

"""Our adapter arithmetic beside the same sums made row by row; fails where they differ.

Run by the engine's Python: ``.venv-engine/bin/python -m tests.engine.adapter_arithmetic``.
"""
# pyright: basic, reportMissingImports=false

import torch
from vllm.lora.layers import LoRAMapping
from vllm.lora.punica_wrapper.punica_cpu import PunicaWrapperCPU

from models import cpu_lora

_RANK, _WIDTH, _SIZES, _SCALE = 3, 5, (4, 2, 6), 0.5
_LOADED = (2, None, 1, None)
"""Which adapter, by its number, lies in each slot."""
CASES = {
    "the base alone": (0, 0, 0, 0),
    "one adapter": (2, 2, 2, 2),
    "two in turns": (1, 2, 1, 2, 1, 2),
    "two in runs": (1, 1, 2, 2),
    "the base among them": (0, 2, 0, 1, 1, 0),
    "the base before one": (0, 0, 0, 2),
}
"""Each row's adapter; 0 is the base."""


def check(rows: tuple[int, ...]) -> None:
    """Compare all three operations for a batch of these rows; raises where one is off."""
    wrapper = PunicaWrapperCPU(64, 16, "cpu")
    mapping = LoRAMapping(rows, rows, is_prefill=True)
    wrapper.update_metadata(mapping, list(_LOADED), len(_LOADED), 100)
    every_a = tuple(torch.randn(len(_LOADED), 1, _RANK, _WIDTH) for _ in _SIZES)
    every_b = tuple(torch.randn(len(_LOADED), 1, size, _RANK) for size in _SIZES)
    x, y = torch.randn(len(rows), _WIDTH), torch.randn(len(rows), sum(_SIZES))
    wanted = y + _deltas(rows, x, every_a, every_b)
    wrapper.add_lora_linear(y, x, every_a, every_b, _SCALE, _SIZES)
    torch.testing.assert_close(y, wanted)

    a, b, y = every_a[0], every_b[0], torch.randn(len(rows), _SIZES[0])
    wanted = y + _deltas(rows, x, (a,), (b,))
    by_embedding = y.clone()
    wrapper.add_lora_logits(y, x, a, b, _SCALE)
    torch.testing.assert_close(y, wanted)

    slots = [_LOADED.index(adapter) if adapter else 0 for adapter in rows]
    low = torch.stack([_SCALE * x[row] @ a[slot, 0].T for row, slot in enumerate(slots)])
    wrapper.add_lora_embedding(by_embedding, low, b, add_input=True)
    torch.testing.assert_close(by_embedding, wanted)


def _deltas(rows, x, every_a, every_b):
    deltas = torch.zeros(len(rows), sum(b.shape[-2] for b in every_b))
    for row, adapter in enumerate(rows):
        if adapter:
            slot = _LOADED.index(adapter)
            pairs = zip(every_a, every_b, strict=True)
            deltas[row] = _SCALE * torch.cat(
                [x[row] @ a[slot, 0].T @ b[slot, 0].T for a, b in pairs]
            )
    return deltas


if __name__ == "__main__":
    cpu_lora.install()
    torch.manual_seed(3)
    for case, rows_of_it in CASES.items():
        check(rows_of_it)
        print(f"{case}: the same")

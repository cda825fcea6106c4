"""vLLM's adapter arithmetic on the CPU, by adapter instead of by token; a plugin of the engine.

vLLM's own CPU code copies an adapter's weights once for every token of the batch, which costs most
of the throughput, and lets a base token use whichever adapter lies in the last slot. Here the rows
of one adapter are found once for a batch and multiplied together in every layer, and rows without
one are left alone.
"""
# pyright: basic, reportMissingImports=false

from collections.abc import Sequence

import torch
from vllm.lora.punica_wrapper.punica_cpu import PunicaWrapperCPU

_Rows = slice | torch.Tensor
_Groups = Sequence[tuple[int, _Rows]]
_Pair = tuple[torch.Tensor | None, torch.Tensor]
"""A and B of every slot; no A where it was looked up."""

_ALL = slice(None)
_note_of_vllm = PunicaWrapperCPU.update_metadata


def install() -> None:
    """Put these operations in the place of vLLM's; every engine process calls it at its start."""
    for name, operation in _OPERATIONS.items():
        if not hasattr(PunicaWrapperCPU, name):
            raise RuntimeError(f"this vLLM has no {name} to replace")
        setattr(PunicaWrapperCPU, name, operation)
    # Until a batch is noted, every row is the base's.
    PunicaWrapperCPU.groups_of_tokens = PunicaWrapperCPU.groups_of_samples = ()


def groups(slots: torch.Tensor) -> _Groups:
    """Each adapter's slot with its rows; a slot below 0 is the base, which has none."""
    if not slots.numel():
        return ()
    lowest, highest = (int(each) for each in torch.aminmax(slots))
    if lowest == highest:
        return ((lowest, _ALL),) if lowest >= 0 else ()
    every = ((slot, _rows(slots == slot)) for slot in range(max(lowest, 0), highest + 1))
    return tuple((slot, rows) for slot, rows in every if rows is not None)


def _rows(here: torch.Tensor) -> _Rows | None:
    """Where it is true; a slice where that is one run, which needs no copy."""
    rows = here.nonzero().squeeze(1)
    if not rows.numel():
        return None
    start, end = int(rows[0]), int(rows[-1]) + 1
    return slice(start, end) if end - start == rows.numel() else rows


def _update_metadata(self, *batch, **more) -> None:
    """Before the layers of a batch: whose row is whose, of all tokens and of those sampled."""
    _note_of_vllm(self, *batch, **more)
    self.groups_of_tokens = groups(self.token_lora_indices)
    self.groups_of_samples = groups(self.sampler_indices)


def _add_lora_linear(self, y, x, *layers, **_):
    """``y += x A B scale``, one stretch of columns for each of the layers packed into one."""
    every_a, every_b, scale, _sizes = layers
    _add(self.groups_of_tokens, y, x, tuple(zip(every_a, every_b, strict=True)), scale)


def _add_lora_logits(self, y, x, *layers, **_):
    a, b, scale = layers
    _add(self.groups_of_samples, y, x, ((a, b),), scale)


def _add_lora_embedding(self, y, x, lora_b_stacked, **_):
    """``y += x B``: the first half was looked up."""
    _add(self.groups_of_tokens, y, x, ((None, lora_b_stacked),), 1.0)


def _add(found: _Groups, y, x, pairs: Sequence[_Pair], scale: float) -> None:
    """Add each pair's product to the columns of ``y`` that come next, where the rows are."""
    y, x = y.view(-1, y.shape[-1]), x.view(-1, x.shape[-1])
    for slot, rows in found:
        own = x[rows]
        scattered = isinstance(rows, torch.Tensor)
        to = torch.zeros_like(y[: len(own)]) if scattered else y[rows]
        start = 0
        for a, b in pairs:
            low = own if a is None else own @ a[slot, 0].t()
            end = start + b.shape[-2]
            to[:, start:end].addmm_(low, b[slot, 0].t(), alpha=scale)
            start = end
        if scattered:
            y.index_add_(0, rows, to)


_OPERATIONS = {
    "update_metadata": _update_metadata,
    "add_lora_linear": _add_lora_linear,
    "add_lora_logits": _add_lora_logits,
    "add_lora_embedding": _add_lora_embedding,
}

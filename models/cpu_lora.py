"""vLLM's adapter arithmetic on the CPU, by adapter instead of by token; a plugin of the engine.

vLLM's own CPU code copies an adapter's weights once for every token of the batch, which costs most
of the throughput, and lets a base token use whichever adapter lies in the last slot. Here the rows
of one adapter are multiplied together, and rows without one are left alone.
"""
# pyright: basic, reportMissingImports=false

from collections.abc import Iterator

import torch
from vllm.lora.punica_wrapper import punica_cpu


def install() -> None:
    """Put these operations in the place of vLLM's; every engine process calls it at its start."""
    for name, operation in _OPERATIONS.items():
        if not hasattr(punica_cpu, name):
            raise RuntimeError(f"this vLLM has no {name} to replace")
        setattr(punica_cpu, name, operation)


def _of_tokens(slots, lengths):
    return torch.repeat_interleave(slots, lengths)


def _groups(slots: torch.Tensor) -> Iterator[tuple[int, slice | torch.Tensor]]:
    """Each adapter's slot with its rows; a slot below 0 is the base."""
    lowest, highest = (int(each) for each in torch.aminmax(slots))
    if lowest == highest:
        if lowest >= 0:
            yield lowest, slice(0, slots.shape[0])
        return
    for slot in range(max(lowest, 0), highest + 1):
        rows = (slots == slot).nonzero().squeeze(1)
        if rows.numel():
            yield slot, rows


def _bgmv_shrink(inputs, weights, output, slots, scaling=1.0):
    for slot, rows in _groups(slots):
        weight = weights[slot].view(weights.shape[-2:]).to(output.dtype)
        found = inputs[rows].to(output.dtype) @ weight.t()
        output[rows, : found.shape[1]] = found.mul_(scaling)


def _bgmv_expand_slice(inputs, weights, output, slots, *place_and_way):
    start, size, *way = place_and_way
    add_inputs = way[0] if way else True
    for slot, rows in _groups(slots):
        weight = weights[slot].view(weights.shape[-2:])[:size].to(output.dtype)
        found = inputs[rows].to(output.dtype) @ weight.t()
        place = output[:, start : start + found.shape[1]]
        place[rows] = place[rows] + found if add_inputs else found


def _bgmv_expand(inputs, weights, output, slots, add_inputs=True):
    _bgmv_expand_slice(inputs, weights, output, slots, 0, output.shape[1], add_inputs)


def _sgmv_shrink(inputs, weights, output, _start, *rest):
    lengths, slots, *rest = rest
    _bgmv_shrink(inputs, weights, output, _of_tokens(slots, lengths), rest[-1])


def _sgmv_expand(inputs, weights, output, _start, *rest):
    lengths, slots, *rest = rest
    _bgmv_expand(inputs, weights, output, _of_tokens(slots, lengths), rest[-1])


def _sgmv_expand_slice(inputs, weights, output, _start, *rest):
    lengths, slots, *_sizes, start, size, add_inputs = rest
    tokens = _of_tokens(slots, lengths)
    _bgmv_expand_slice(inputs, weights, output, tokens, start, size, add_inputs)


_OPERATIONS = {
    "bgmv_shrink": _bgmv_shrink,
    "bgmv_expand": _bgmv_expand,
    "bgmv_expand_slice": _bgmv_expand_slice,
    "sgmv_shrink": _sgmv_shrink,
    "sgmv_expand": _sgmv_expand,
    "sgmv_expand_slice": _sgmv_expand_slice,
}

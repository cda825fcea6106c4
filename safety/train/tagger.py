"""Trains the two taggers that find names: an English encoder and a Chinese recurrent net.

Needs torch, transformers and tokenizers, and the two networks it starts from (see
safety/tagger/README.md). Writes plain arrays; `safety.train.export_tagger` makes the served files.
"""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import BertConfig, BertForTokenClassification

from safety.tagger import LABELS, cases
from safety.train.tagger_rows import Row, read, vary
from safety.train.tagger_talk import inhabit

HERE = Path(__file__).parents[1] / "tagger"
IGNORED = -100
TOKENS_A_BATCH = {"en": 1000, "zh": 2500}


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training run."""

    language: str
    start: Path
    """Arrays of the network to start from."""
    out: Path
    epochs: int
    copies: int
    """How many variations of a marked row one epoch shows."""
    rate: float
    layers: int = 6
    seed: int = 7
    talk: Path | None = None
    """More ordinary talk from outside the repository; see the card."""
    talk_rows: int = 2500
    """How many of them one epoch shows with people put into them; half as many without."""
    everything: bool = False
    """Train on the rows for checking, too; then nothing can be measured on them."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One message as numbers; all three of one length."""

    ids: list[int]
    cases: list[int]
    labels: list[int]


def apart(index: int) -> bool:
    """Whether the row at this place of a corpus file is kept for checking."""
    return index % 4 == 0


class Recurrent(nn.Module):
    """LAC as it is, frozen, and a small layer that learns our labels from all it says.

    Fine-tuning LAC itself forgets place names that our few rows never mention.
    """

    def __init__(self, start: Path) -> None:
        super().__init__()
        arrays = np.load(start)
        self.characters = nn.Embedding.from_pretrained(torch.from_numpy(arrays["characters"]))
        self.first = nn.GRU(128, 128, bidirectional=True, batch_first=True)
        self.second = nn.GRU(256, 128, bidirectional=True, batch_first=True)
        self.words = nn.Linear(256, 59)
        self.words.weight.data.copy_(torch.from_numpy(arrays["linear_w"].T))
        self.words.bias.data.copy_(torch.from_numpy(arrays["linear_b"]))
        for name, layer in (("first", self.first), ("second", self.second)):
            for side, end in enumerate(("", "_reverse")):
                for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                    value = torch.from_numpy(arrays[f"{name}.{part}"][side])
                    getattr(layer, f"{part}_l0{end}").data.copy_(value)
        for frozen in (self.first, self.second, self.words):
            frozen.requires_grad_(False)
        self.third = nn.GRU(128 + 256 + 59, 96, bidirectional=True, batch_first=True)
        self.label = nn.Linear(192, len(LABELS))
        self.drop = nn.Dropout(0.4)

    def forward(self, ids: torch.Tensor, cases: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Label scores ``(batch, characters, labels)``."""
        embedded = self.characters(ids)
        state, _ = self.first(embedded)
        state, _ = self.second(state)
        words = self.words(state).softmax(-1)
        seen = torch.cat([self.drop(embedded), self.drop(state), words * 3], dim=-1)
        mixed, _ = self.third(seen)
        return self.label(self.drop(mixed))


class Encoder(nn.Module):
    """Word pieces through a small BERT; the case of each word comes in as its token type."""

    def __init__(self, start: Path, layers: int) -> None:
        super().__init__()
        arrays = {_plain(name): value for name, value in np.load(start).items()}
        words = arrays["bert.embeddings.word_embeddings.weight"]
        shape = BertConfig(
            vocab_size=len(words),
            hidden_size=384,
            num_hidden_layers=layers,
            num_attention_heads=12,
            intermediate_size=1536,
            type_vocab_size=4,
            num_labels=len(LABELS),
        )
        self.bert = BertForTokenClassification(shape)
        types = arrays["bert.embeddings.token_type_embeddings.weight"]
        if len(types) != 4:
            arrays["bert.embeddings.token_type_embeddings.weight"] = types[:1].repeat(4, axis=0)
        known = self.bert.state_dict()
        fit = {k: torch.from_numpy(v) for k, v in arrays.items() if k in known}
        fit = {k: v for k, v in fit.items() if v.shape == known[k].shape}
        self.bert.load_state_dict(fit, strict=False)
        self.bert.bert.embeddings.word_embeddings.weight.requires_grad_(False)

    def forward(self, ids: torch.Tensor, cases: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Label scores ``(batch, word pieces, labels)``."""
        return self.bert(input_ids=ids, token_type_ids=cases, attention_mask=mask).logits


def _plain(name: str) -> str:
    """Arrays of an earlier run carry one ``bert.`` more."""
    return (
        name.removeprefix("bert.") if name.startswith(("bert.bert.", "bert.classifier")) else name
    )


def samples_en(rows: Sequence[Row]) -> list[Sample]:
    """English messages as word pieces; the two marks around them have no label."""
    pieces = Tokenizer.from_file(str(HERE / "en_tokenizer.json"))
    made: list[Sample] = []
    for row in rows:
        encoded = pieces.encode(row.text)
        labels, case = _labels(row), cases(row.text)
        taken = [labels[a] if b > a else IGNORED for a, b in encoded.offsets]
        for i in range(1, len(taken)):
            if taken[i] == taken[i - 1] and taken[i] % 2 == 1 and encoded.offsets[i][0] == 0:
                taken[i] += 1
        made.append(
            Sample(
                encoded.ids[:256],
                [case[a] if b > a else 0 for a, b in encoded.offsets][:256],
                taken[:256],
            )
        )
    return made


def samples_zh(rows: Sequence[Row]) -> list[Sample]:
    """Chinese messages character by character."""
    number = characters()
    return [
        Sample([number.get(c, 0) for c in row.text], cases(row.text), _labels(row)) for row in rows
    ]


def characters() -> dict[str, int]:
    """The Chinese tagger's characters and their numbers; 0 is any other."""
    return {c: i for i, c in enumerate(json.loads((HERE / "zh_characters.json").read_text()), 1)}


def _labels(row: Row) -> list[int]:
    """A label for each code point; a name's first is B, the rest is I."""
    labels: list[int] = []
    for text, kind in row.pieces:
        if kind is None:
            labels += [0] * len(text)
        else:
            inside = LABELS.index(f"I-{kind}")
            labels += [inside - 1, *[inside] * (len(text) - 1)]
    return labels


def batches(samples: list[Sample], size: int, rng: Random) -> Iterator[tuple[torch.Tensor, ...]]:
    """Padded batches of similar lengths in random order: ids, cases, mask, labels."""
    order = sorted(samples, key=lambda one: len(one.ids) + rng.random() * 8)
    groups: list[list[Sample]] = [[]]
    for one in order:
        if groups[-1] and (len(groups[-1]) + 1) * len(one.ids) > size:
            groups.append([])
        groups[-1].append(one)
    rng.shuffle(groups)
    for group in groups:
        longest = max(len(one.ids) for one in group)
        pad = [longest - len(one.ids) for one in group]
        yield (
            torch.tensor([one.ids + [0] * n for one, n in zip(group, pad, strict=True)]),
            torch.tensor([one.cases + [0] * n for one, n in zip(group, pad, strict=True)]),
            torch.tensor([[1] * len(o.ids) + [0] * n for o, n in zip(group, pad, strict=True)]),
            torch.tensor([o.labels + [IGNORED] * n for o, n in zip(group, pad, strict=True)]),
        )


def rows_for(recipe: Recipe) -> tuple[list[Row], list[Row]]:
    """Marked rows to learn from, and ordinary talk."""
    marked = read(f"scrub_{recipe.language}.jsonl")
    learnt = [row for i, row in enumerate(marked) if recipe.everything or not apart(i)]
    more = HERE.parent / "corpus" / f"scrub_more_{recipe.language}.jsonl"
    learnt += read(more.name) if more.exists() else ()
    talk = list(read(f"scrub_talk_{recipe.language}.jsonl"))
    return learnt, [*talk, *(read(str(recipe.talk)) if recipe.talk else ())]


def train(recipe: Recipe) -> None:
    """Runs the recipe and writes the arrays after every epoch."""
    torch.manual_seed(recipe.seed)
    rng = Random(recipe.seed)
    english = recipe.language == "en"
    net = Encoder(recipe.start, recipe.layers) if english else Recurrent(recipe.start)
    encode = samples_en if english else samples_zh
    marked, talk = rows_for(recipe)
    free = [p for p in net.parameters() if p.requires_grad]
    head = {id(p) for p in (net.bert.classifier if english else net.label).parameters()}
    groups = [
        {"params": [p for p in free if id(p) not in head], "lr": recipe.rate},
        {"params": [p for p in free if id(p) in head], "lr": recipe.rate * 10},
    ]
    chooser = torch.optim.AdamW(groups, weight_decay=0.01)
    loss_of = nn.CrossEntropyLoss(ignore_index=IGNORED)
    total, done, began = 0, 0, time.monotonic()
    for epoch in range(recipe.epochs):
        rows = [vary(row, rng) for row in marked for _ in range(recipe.copies)]
        some = min(len(talk), recipe.talk_rows)
        rows += [*marked, *(vary(row, rng) for row in rng.sample(talk, some // 2))]
        rows += [vary(inhabit(row, rng), rng) for row in rng.sample(talk, some)]
        made = list(batches(encode(rows), TOKENS_A_BATCH[recipe.language], rng))
        total = total or len(made) * recipe.epochs
        net.train()
        lost = 0.0
        for ids, case, mask, labels in made:
            share = max(0.02, 1 - done / total) * min(1.0, (done + 1) / (total * 0.1))
            for group, rate in zip(chooser.param_groups, (1, 10), strict=True):
                group["lr"] = recipe.rate * rate * share
            loss = loss_of(net(ids, case, mask).flatten(0, 1), labels.flatten())
            chooser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(free, 1.0)
            chooser.step()
            lost, done = lost + loss.item(), done + 1
            if done % 50 == 0:
                print(f"{done}/{total} {loss.item():.3f} {time.monotonic() - began:.0f} s")
        print(f"epoch {epoch + 1}: loss {lost / len(made):.4f}")
        np.savez(recipe.out, **{k: v.numpy() for k, v in net.state_dict().items()})


if __name__ == "__main__":
    language, start, out, epochs, copies, rate = sys.argv[1:7]
    torch.set_num_threads(1)
    everything = "--everything" in sys.argv
    layers = 4 if "--small" in sys.argv else 6
    train(
        Recipe(
            language,
            Path(start),
            Path(out),
            int(epochs),
            int(copies),
            float(rate),
            layers,
            everything=everything,
            talk_rows=900 if language == "en" else 2500,
            talk=Path(sys.argv[sys.argv.index("--talk") + 1]) if "--talk" in sys.argv else None,
        )
    )

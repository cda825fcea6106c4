"""Trains the screen: the encoder, the n-grams, and the stack that joins them.

``python -m safety.train.screen --base e5-small-q4.bin`` in the training environment (torch, onnx,
scikit-learn; the whole command is in docs/safety.md); without a base it goes on from the weights
that ship. Whole files by another hand
(``JUDGING`` in screen_rows.py) are never read: they judge. Thresholds are chosen on tuning
rows that neither model has seen.
"""

import argparse
from collections.abc import Collection, Sequence
from pathlib import Path
from random import Random

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from safety import classifier
from safety.classifier import Form, folded, stacked
from safety.encoder import Encoder
from safety.ngrams import BUCKETS, count, grams
from safety.normalise import fold
from safety.pieces import read_pieces
from safety.risk import Language
from safety.train.encoder import Recipe, read_back, started, train, write
from safety.train.read_e5 import read_base
from safety.train.screen_rows import (
    TRAINING,
    TWINS,
    Calm,
    Row,
    drawn,
    labelled,
    ordinary,
    read_rows,
    split,
    surrounded,
)

WEIGHTS = Path(classifier.__file__).parent / "weights"
LAYERS = 6
FALSE_ALARMS = 0.065
"""How many calm tuning rows, twins aside, may alert; the hard files allow ten in a hundred."""

CALM_WEIGHT = 0.3


def main() -> None:
    """Train everything and write the three files of ``safety/weights``."""
    options = _options()
    rows, tuning = split(labelled())
    tuning += [row for path in options.tuning for row in read_rows(path)]
    calm = [row for one in options.ordinary for row in ordinary(Calm.parse(one))]
    print(f"{len(rows)} rows to train on, {len(tuning)} to tune on, {len(calm)} calm ones")
    if not options.keep_encoder:
        pieces = read_pieces(WEIGHTS / "pieces.tsv")
        network = (
            started(read_base(options.base, list(pieces.ids)), LAYERS)
            if options.base
            else read_back(WEIGHTS / "screen.onnx", LAYERS)
        )
        recipe = Recipe(options.epochs, options.rate, seed=options.seed, mix=options.mix)
        newest = split(labelled(options.newest or TRAINING))[0]
        train(network, pieces, drawn(rows, newest), calm, recipe)
        write(network, WEIGHTS / "screen.onnx")
    finish(rows, tuning, calm)


def finish(rows: Sequence[Row], tuning: Sequence[Row], calm: Sequence[Row]) -> None:
    """Fit the n-grams on the training rows, then the stack and thresholds on the tuning rows.

    The stack learns from tuning rows alone and in calm company; the thresholds from rows alone.
    """
    form = _form([*rows, *calm], [1.0] * len(rows) + [CALM_WEIGHT] * len(calm))
    encoder = Encoder(WEIGHTS / "screen.onnx", WEIGHTS / "pieces.tsv")
    rng = Random(1)
    long = [surrounded(row, calm, rng, share=1.0) for row in tuning[::2]]
    alone = _columns(encoder, form, tuning)
    stack = _stack(np.concatenate([alone, _columns(encoder, form, long)]), [*tuning, *long])
    twins = set(labelled(TWINS))
    thresholds = [_threshold(alone, tuning, stack, language, twins) for language in ("en", "zh")]
    np.savez_compressed(
        WEIGHTS / "screen.npz",
        rarity=form.rarity.astype(np.float16),
        gram_weights=form.weights.astype(np.float16),
        gram_bias=np.float32(form.bias),
        stack=np.array([stack, stack], dtype=np.float32),
        thresholds=np.array(thresholds, dtype=np.float32),
    )
    print(f"stack {np.round(stack, 3)}, thresholds {np.round(thresholds, 3)}")


def _stack(columns: np.ndarray, tuning: Sequence[Row]) -> tuple[float, float, float]:
    """Joins meaning and form; strongly regularised, because the tuning rows are few."""
    scale = columns.std(axis=0)
    joined = LogisticRegression(C=1.0).fit(columns / scale, _labels(tuning))
    meaning, of_form = joined.coef_[0] / scale
    return float(meaning), float(of_form), float(joined.intercept_[0])


def _threshold(
    columns: np.ndarray,
    tuning: Sequence[Row],
    stack: tuple[float, float, float],
    language: Language,
    twins: Collection[Row],
) -> float:
    """The lowest score that keeps a language's calm tuning rows, twins aside, under the limit."""
    calm = [
        stacked(stack, float(meaning), float(form))
        for (meaning, form), row in zip(columns, tuning, strict=True)
        if row.language == language and not row.route and row not in twins
    ]
    return float(np.quantile(calm, 1.0 - FALSE_ALARMS))


def _columns(encoder: Encoder, form: Form, rows: Sequence[Row]) -> np.ndarray:
    """The two logits of each row, as the service computes them; (rows, 2)."""
    read = [(fold(row.text), folded(row.history), row.language) for row in rows]
    meaning = [encoder.read(plain, earlier).logits[0] for plain, earlier, _ in read]
    return np.stack([meaning, [form.of(*one) for one in read]], axis=1)


def _form(rows: Sequence[Row], weight: Sequence[float]) -> Form:
    rarity = _rarity(rows)
    line = LogisticRegression(C=4.0, max_iter=400)
    line.fit(_matrix(rows, rarity), _labels(rows), sample_weight=np.array(weight))
    return Form(rarity, line.coef_[0].astype(np.float32), float(line.intercept_[0]))


def _rarity(rows: Sequence[Row]) -> np.ndarray:
    seen = np.ones(2 * BUCKETS, dtype=np.float32)
    for row in rows:
        seen[count(fold(row.text), folded(row.history))] += 1
    return (np.log(len(rows) / seen) + 1.0).clip(min=0.0).astype(np.float16).astype(np.float32)


def _matrix(rows: Sequence[Row], rarity: np.ndarray) -> csr_matrix:
    found = [grams(fold(row.text), folded(row.history), rarity) for row in rows]
    ends = np.cumsum([0, *(len(one.buckets) for one in found)])
    values = np.concatenate([one.values for one in found])
    buckets = np.concatenate([one.buckets for one in found])
    return csr_matrix((values, buckets, ends), shape=(len(rows), 2 * BUCKETS))


def _labels(rows: Sequence[Row]) -> np.ndarray:
    return np.array([row.route for row in rows])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, help="the 4-bit file of the network to begin from")
    parser.add_argument("--ordinary", nargs="+", required=True, help="zh:1-500:9:dialogues.jsonl")
    parser.add_argument("--tuning", type=Path, nargs="*", default=(), help="more rows to tune on")
    parser.add_argument("--newest", nargs="*", default=(), help="files whole in each epoch")
    parser.add_argument("--mix", type=float, default=1.0, help="share of what was learnt")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--rate", type=float, default=8e-5)
    parser.add_argument("--keep-encoder", action="store_true", help="only refit what follows it")
    return parser.parse_args()


if __name__ == "__main__":
    main()

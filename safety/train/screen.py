"""Trains the screen: the encoder, the n-grams, and the stack that joins them.

``python -m safety.train.screen --base e5-small-q4.bin`` in the training environment (torch, onnx,
scikit-learn; the whole command is in docs/safety.md). Whole files by another hand
(``JUDGING`` in screen_rows.py) are never read: they judge. Thresholds are chosen on tuning
rows that neither model has seen.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from safety import classifier
from safety.classifier import folded, stacked
from safety.encoder import Encoder
from safety.ngrams import BUCKETS, count, grams
from safety.normalise import fold
from safety.pieces import read_pieces
from safety.risk import Language
from safety.train.encoder import Recipe, started, train, write
from safety.train.read_e5 import read_base
from safety.train.screen_rows import Calm, Row, labelled, ordinary, read_rows, split

WEIGHTS = Path(classifier.__file__).parent / "weights"
LAYERS = 6
FALSE_ALARMS = 0.085
"""How many calm tuning rows may alert; the hard files allow ten in a hundred."""

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
        network = started(read_base(options.base, list(pieces.ids)), LAYERS)
        recipe = Recipe(options.epochs, options.rate, seed=options.seed)
        train(network, pieces, rows, calm or rows, recipe)
        write(network, WEIGHTS / "screen.onnx")
    finish(rows, tuning, calm)


def finish(rows: Sequence[Row], tuning: Sequence[Row], calm: Sequence[Row]) -> None:
    """Fit the n-grams on the training rows, then the stack and thresholds on the tuning rows."""
    rarity = _rarity([*rows, *calm])
    form = LogisticRegression(C=4.0, max_iter=400)
    weight = np.array([1.0] * len(rows) + [CALM_WEIGHT] * len(calm))
    form.fit(_matrix([*rows, *calm], rarity), _labels([*rows, *calm]), sample_weight=weight)
    encoder = Encoder(WEIGHTS / "screen.onnx", WEIGHTS / "pieces.tsv")
    columns = np.stack([_meaning(encoder, tuning), form.decision_function(_matrix(tuning, rarity))])
    stack = _stack(columns.T, tuning)
    thresholds = [_threshold(columns.T, tuning, stack, language) for language in ("en", "zh")]
    np.savez_compressed(
        WEIGHTS / "screen.npz",
        rarity=rarity.astype(np.float16),
        gram_weights=form.coef_[0].astype(np.float16),
        gram_bias=np.float32(form.intercept_[0]),
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
) -> float:
    """The lowest score that keeps the calm tuning rows of a language under the limit."""
    calm = [
        stacked(stack, float(meaning), float(form))
        for (meaning, form), row in zip(columns, tuning, strict=True)
        if row.language == language and not row.route
    ]
    return float(np.quantile(calm, 1.0 - FALSE_ALARMS))


def _meaning(encoder: Encoder, rows: Sequence[Row]) -> np.ndarray:
    return np.array([encoder.read(fold(row.text), folded(row.history))[0] for row in rows])


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
    parser.add_argument("--base", type=Path, help="the 4-bit file of the network to start from")
    parser.add_argument("--ordinary", nargs="*", default=(), help="zh:1-500:9:dialogues.jsonl")
    parser.add_argument("--tuning", type=Path, nargs="*", default=(), help="more rows to tune on")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--rate", type=float, default=8e-5)
    parser.add_argument("--keep-encoder", action="store_true", help="only refit what follows it")
    return parser.parse_args()


if __name__ == "__main__":
    main()

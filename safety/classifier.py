"""The trained layer: an encoder for meaning and n-grams for form, stacked into one score."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from safety.encoder import Encoder
from safety.ngrams import Floats, grams
from safety.normalise import fold
from safety.risk import Category, Evidence, Language, Line, RiskLevel, RiskReport

_FOLDER = Path(__file__).parent / "weights"
CATEGORIES = (
    Category.SUICIDE,
    Category.SELF_HARM,
    Category.HARM_TO_OTHERS,
    Category.HARM_FROM_OTHERS,
    Category.CHILD_AT_RISK,
    Category.PSYCHOSIS,
    Category.MEDICAL_EMERGENCY,
    Category.OVERDOSE_SUBSTANCE,
    Category.EATING_DISORDER_MEDICAL,
    Category.NONE,
)
"""In the order of the encoder's answers."""

STEPS = (RiskLevel.LOW, RiskLevel.MODERATE, RiskLevel.HIGH, RiskLevel.IMMINENT)
"""The encoder's level steps: step ``k`` asks whether the level is at least this."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What training leaves behind. ``stack`` is per language: encoder, n-grams, bias."""

    rarity: Floats
    gram_weights: Floats
    gram_bias: float
    stack: dict[Language, tuple[float, float, float]]
    thresholds: dict[Language, float]


@dataclass(frozen=True, slots=True)
class ClassifierLayer:
    """Scores every message; alerts above the language's threshold."""

    encoder: Encoder
    weights: Weights

    def look(self, text: str, history: Sequence[Line], language: Language) -> RiskReport:
        """What the words add up to; the score orders the queue also below the threshold."""
        plain = fold(text)
        if not plain.strip():
            return RiskReport(RiskLevel.NONE, Category.NONE, 0.0, (), "none")
        earlier = folded(history)
        answer = self.encoder.read(plain, earlier)
        row = grams(plain, earlier, self.weights.rarity)
        form = float(row.values @ self.weights.gram_weights[row.buckets])
        score = stacked(
            self.weights.stack[language], float(answer[0]), form + self.weights.gram_bias
        )
        alert = score >= self.weights.thresholds[language]
        level = _level(answer, score, alert)
        category = CATEGORIES[int(np.argmax(answer[5 : 5 + len(CATEGORIES) - 1]))]
        named = category if level.at_least(RiskLevel.MODERATE) else Category.NONE
        return RiskReport(level, named, score, _whole(text, named), "classifier")


def folded(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The same lines, their words as encoder and n-grams read them."""
    return tuple(Line(line.role, fold(line.text)) for line in lines)


def stacked(stack: tuple[float, float, float], meaning: float, form: float) -> float:
    """One calibrated score in 0-1 from the two logits."""
    of_meaning, of_form, bias = stack
    logit = of_meaning * meaning + of_form * form + bias
    return float(1.0 / (1.0 + np.exp(-np.clip(logit, -30.0, 30.0))))


@lru_cache(maxsize=1)
def load_classifier() -> ClassifierLayer:
    """Read the weights beside this module: numbers only, nothing in them can run."""
    with np.load(_FOLDER / "screen.npz", allow_pickle=False) as file:
        stack = file["stack"].astype(float)
        weights = Weights(
            rarity=file["rarity"].astype(np.float32),
            gram_weights=file["gram_weights"].astype(np.float32),
            gram_bias=float(file["gram_bias"]),
            stack={"en": _three(stack[0]), "zh": _three(stack[1])},
            thresholds={
                "en": float(file["thresholds"][0]),
                "zh": float(file["thresholds"][1]),
            },
        )
    encoder = Encoder(_FOLDER / "screen.onnx", _FOLDER / "pieces.tsv")
    return ClassifierLayer(encoder, weights)


def _level(answer: Floats, score: float, alert: bool) -> RiskLevel:
    """The furthest step the encoder takes, held to the side of the alert the stack chose."""
    taken = [step for step, logit in zip(STEPS, answer[1:5], strict=True) if logit > 0]
    reached = taken[-1] if taken else RiskLevel.NONE
    if alert:
        return reached if reached.at_least(RiskLevel.MODERATE) else RiskLevel.MODERATE
    return RiskLevel.LOW if score >= 0.2 or reached.at_least(RiskLevel.LOW) else RiskLevel.NONE


def _whole(text: str, category: Category) -> tuple[Evidence, ...]:
    """The classifier reads the message as a whole, so its evidence is the whole message."""
    if category is Category.NONE:
        return ()
    return (Evidence(0, len(text), category, "the message as a whole"),)


def _three(row: Floats) -> tuple[float, float, float]:
    return float(row[0]), float(row[1]), float(row[2])

"""The trained layer: an encoder for meaning and n-grams for form, stacked into one score.

The encoder reads a message's mean, so a long calm message hides one sentence of danger from it.
Of a long message the part whose form is most like danger is therefore read alone, too.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

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

_PART: Mapping[Language, int] = {"en": 220, "zh": 80}
"""Most characters of a part."""
_LONG = 1.25
"""Only messages longer than so many parts are read in parts: of others a sentence is much."""
_STRICTER = 0.4
"""Added to a part's bar, in logits, when the message is twice as long: more parts, more luck."""
_SENTENCE = re.compile(r"(?s).{1,110}?[.!?。！？；\n]+\s*|.{1,110}(?:[\s,，、]|$)|.{1,110}")


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
        whole = self._read(plain, folded(history), language)
        bar = self.weights.thresholds[language]
        if whole.score >= bar:
            return _report(whole, _span(text), alert=True)
        part, span = self._worst_part(text, language) or (whole, _span(text))
        if part is not whole and part.score >= _raised(bar, text, language):
            return _report(part, span, alert=True)
        return _report(whole, _span(text), alert=False)

    def _read(self, plain: str, earlier: tuple[Line, ...], language: Language) -> "_Reading":
        answer = self.encoder.read(plain, earlier)
        form = self._form(plain, earlier)
        score = stacked(self.weights.stack[language], float(answer[0]), form)
        return _Reading(answer, score)

    def _form(self, plain: str, earlier: tuple[Line, ...] = ()) -> float:
        row = grams(plain, earlier, self.weights.rarity)
        return float(row.values @ self.weights.gram_weights[row.buckets]) + self.weights.gram_bias

    def _worst_part(self, text: str, language: Language) -> "tuple[_Reading, _Span] | None":
        """The part of a long message whose form is most like danger, read without the rest."""
        if len(text) <= _LONG * _PART[language]:
            return None
        spans = _parts(text, _PART[language])
        span = max(spans, key=lambda one: self._form(fold(text[slice(*one)])))
        return self._read(fold(text[slice(*span)]), (), language), span


class _Reading(NamedTuple):
    """What the encoder answered to some of the message's words, and the stacked score."""

    answer: Floats
    score: float


_Span = tuple[int, int]


def _span(text: str) -> _Span:
    return 0, len(text)


def _parts(text: str, longest: int) -> Iterator[_Span]:
    """Runs of whole sentences, about ``longest`` characters each, every one half in the next."""
    ends = [0, *(found.end() for found in _SENTENCE.finditer(text))]
    begun = -longest
    for place, start in enumerate(ends[:-1]):
        if start - begun < longest // 2:
            continue
        begun = start
        end = max((one for one in ends[place + 1 :][:longest] if one <= start + longest),
                  default=ends[place + 1])  # fmt: skip
        yield start, end
        if end == ends[-1]:
            return


def _raised(bar: float, text: str, language: Language) -> float:
    """The bar a part has to reach: a long message has many parts, and each may alarm falsely."""
    logit = np.log(bar / (1.0 - bar)) + _STRICTER * np.log2(len(text) / (2 * _PART[language]))
    return float(1.0 / (1.0 + np.exp(-max(logit, 0.0))))


def _report(read: _Reading, span: _Span, *, alert: bool) -> RiskReport:
    level = _level(read.answer, read.score, alert)
    category = CATEGORIES[int(np.argmax(read.answer[5 : 5 + len(CATEGORIES) - 1]))]
    named = category if level.at_least(RiskLevel.MODERATE) else Category.NONE
    # It points at no word: its evidence is all that it read.
    found = () if named is Category.NONE else (Evidence(*span, named, "these words as a whole"),)
    return RiskReport(level, named, read.score, found, "classifier")


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


def _three(row: Floats) -> tuple[float, float, float]:
    return float(row[0]), float(row[1]), float(row[2])

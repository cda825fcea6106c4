"""The trained layer: an encoder for meaning and n-grams for form, stacked into one score.

Both look at the whole message and at each stretch of it, so that one sentence of danger does not
drown in a long calm message.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from safety.encoder import Answer, Encoder
from safety.ngrams import Floats, grams
from safety.normalise import Normalised, fold, normalise
from safety.pieces import Pieces
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
"""Characters over which a message's form is looked at part by part, too."""
_WORD = re.compile(r"\S+")
_SENTENCE = re.compile(r"(?s).{1,110}?[.!?。！？；\n]+\s*|.{1,110}(?:[\s,，、]|$)|.{1,110}")


@dataclass(frozen=True, slots=True)
class Form:
    """What the letters and short runs of words of a message look like: a line through n-grams."""

    rarity: Floats
    weights: Floats
    bias: float

    def of(self, plain: str, earlier: Sequence[Line], language: Language) -> float:
        """A logit: of the whole, or of the part of a long message that is most like danger."""
        whole = self._logit(plain, earlier)
        if len(plain) <= _PART[language]:
            return whole
        return max(whole, *(self._logit(plain[slice(*one)]) for one in _parts(plain, language)))

    def _logit(self, plain: str, earlier: Sequence[Line] = ()) -> float:
        row = grams(plain, earlier, self.rarity)
        return float(row.values @ self.weights[row.buckets]) + self.bias


@dataclass(frozen=True, slots=True)
class Weights:
    """What training leaves behind. ``stack`` is per language: encoder, n-grams, bias."""

    form: Form
    stack: dict[Language, tuple[float, float, float]]
    thresholds: dict[Language, float]


@dataclass(frozen=True, slots=True)
class ClassifierLayer:
    """Scores every message; alerts above the language's threshold."""

    encoder: Encoder
    weights: Weights

    def look(self, text: str, history: Sequence[Line], language: Language) -> RiskReport:
        """What the words add up to; the score orders the queue also below the threshold."""
        read, earlier = normalise(text), folded(history)
        plain = read.text
        if not plain.strip():
            return RiskReport(RiskLevel.NONE, Category.NONE, 0.0, (), "none")
        answer = self.encoder.read(plain, earlier)
        form = self.weights.form.of(plain, earlier, language)
        score = stacked(self.weights.stack[language], float(answer.logits[0]), form)
        level = _level(answer.logits, score, score >= self.weights.thresholds[language])
        if not level.at_least(RiskLevel.MODERATE):
            return RiskReport(level, Category.NONE, score, (), "classifier")
        category = CATEGORIES[int(np.argmax(answer.logits[5 : 5 + len(CATEGORIES) - 1]))]
        # It points at no word: its evidence is the sentences that the answer is about.
        start, end = _sentences(text, _raw(answer, read, self.encoder.pieces))
        span = Evidence(start, end, category, "these words as a whole")
        return RiskReport(level, category, score, (span,), "classifier")


def _raw(answer: Answer, read: Normalised, pieces: Pieces) -> tuple[int, int]:
    """Where in the raw text the pieces stand that an answer is about, to within a word."""
    spans: list[tuple[int, int]] = []
    before = 0
    for word in _WORD.finditer(read.text):
        count = len(pieces.cut(word.group()))
        if before < answer.end and answer.start < before + count:
            length = len(word.group())
            first, last = max(answer.start - before, 0), min(answer.end - before, count)
            spans.append(
                (word.start() + first * length // count, word.start() - (-last * length // count))
            )
        before += count
    return read.span(spans[0][0], spans[-1][1]) if spans else (0, len(read.origin))


def _sentences(text: str, part: tuple[int, int]) -> tuple[int, int]:
    """The sentences that a part of the raw text lies in."""
    start, end = part
    spans = [found.span() for found in _SENTENCE.finditer(text)]
    touched = [span for span in spans if span[0] < end and start < span[1]] or spans
    return touched[0][0], touched[-1][1]


def _parts(text: str, language: Language) -> Iterator[tuple[int, int]]:
    """Runs of whole sentences, at most so many characters each, every one half in the next."""
    longest = _PART[language]
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
            form=Form(
                rarity=file["rarity"].astype(np.float32),
                weights=file["gram_weights"].astype(np.float32),
                bias=float(file["gram_bias"]),
            ),
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

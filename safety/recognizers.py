"""What finds personal data: Presidio's analyzer with a pinned list of our own recognizers.

The one file that meets Presidio. Its default recognizers stay out: they need a large pipeline, miss
chat language and one of them asks the network. Languages mix inside a message, so each recognizer
reads every message.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from presidio_analyzer import (
    AnalyzerEngine,
    EntityRecognizer,
    RecognizerRegistry,
    RecognizerResult,
)
from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine
from spacy.tokens import Doc
from spacy.vocab import Vocab

from safety.recognizers_forms import find_forms
from safety.recognizers_names import find_names
from safety.recognizers_numbers import hotlines
from safety.risk import Language
from safety.standins import Found
from safety.surrogates import NAMED, Kind
from safety.tagger import load_chinese_tagger, load_english_tagger

LANGUAGES: tuple[Language, ...] = ("en", "zh")
FORM_SCORE = 0.95


class NoPipeline(NlpEngine):
    """Gives Presidio an empty document: our recognizers read the text themselves.

    So no vocabulary grows with the messages, and memory stays flat.
    """

    def __init__(self) -> None:
        self._empty = Doc(Vocab())

    def load(self) -> None:
        """Nothing to load."""

    def is_loaded(self) -> bool:
        """Always."""
        return True

    def process_text(self, text: str, language: str) -> NlpArtifacts:
        """An empty document, whatever the text."""
        return NlpArtifacts([], self._empty, [], [], self, language)

    def process_batch(
        self, texts: Iterable[str], language: str, batch_size: int = 1, n_process: int = 1,
        **kwargs: object,
    ) -> Iterator[tuple[str, NlpArtifacts]]:  # fmt: skip
        """One empty document for each text."""
        return ((text, self.process_text(text, language)) for text in texts)

    def is_stopword(self, word: str, language: str) -> bool:
        """Never asked."""
        return False

    def is_punct(self, word: str, language: str) -> bool:
        """Never asked."""
        return False

    def get_supported_entities(self) -> list[str]:
        """None: names come from our own recognizer."""
        return []

    def get_supported_languages(self) -> list[str]:
        """English and Chinese."""
        return list(LANGUAGES)


class NoEnhancer(ContextAwareEnhancer):
    """Leaves scores alone: our recognizers look at the words around themselves."""

    def __init__(self) -> None:
        super().__init__(0, 0, 0, 0)

    def enhance_using_context(
        self,
        text: str,
        raw_results: list[RecognizerResult],
        nlp_artifacts: NlpArtifacts,
        recognizers: list[EntityRecognizer],
        context: list[str] | None = None,
    ) -> list[RecognizerResult]:
        """The results as they came."""
        return raw_results


class FormRecognizer(EntityRecognizer):
    """Structured personal data: numbers, addresses on the net, accounts, dates of birth."""

    def __init__(self, language: Language) -> None:
        entities = [str(kind) for kind in Kind if kind not in NAMED]
        super().__init__(entities, "FormRecognizer", language)

    def load(self) -> None:
        """Nothing to load."""

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts
    ) -> list[RecognizerResult]:
        """All structured personal data in the text."""
        return [
            RecognizerResult(str(form.kind), form.start, form.end, FORM_SCORE)
            for form in find_forms(text)
        ]


class NameRecognizer(EntityRecognizer):
    """People, places and organisations, and what else the taggers take for personal data."""

    def __init__(self, language: Language) -> None:
        self.language: Language = language
        super().__init__([str(kind) for kind in Kind], "NameRecognizer", language)

    def load(self) -> None:
        """Reads both taggers' files: clients mix languages."""
        load_english_tagger()
        load_chinese_tagger()

    def analyze(
        self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts
    ) -> list[RecognizerResult]:
        """All names in the text, but no hotline."""
        lines = hotlines(text)
        return [
            RecognizerResult(str(name.kind), name.start, name.end, min(name.score, 1.0))
            for name in find_names(text, self.language)
            if not any(start < name.end and name.start < end for start, end in lines)
        ]


@dataclass(frozen=True, slots=True)
class PresidioFinder:
    """Asks the analyzer for the entities we know, and for nothing else."""

    analyzer: AnalyzerEngine

    def find(self, text: str, language: Language) -> Sequence[Found]:
        """All personal data in the text; spans may overlap."""
        if not text.strip():
            return ()
        results = self.analyzer.analyze(text, language, entities=[str(kind) for kind in Kind])
        return [Found(one.start, one.end, Kind(one.entity_type)) for one in results]


def load_finder() -> PresidioFinder:
    """The analyzer, ready to use; nothing is fetched, all files are read here.

    Raises: OSError when the shipped tagger is missing.
    """
    recognizers = [
        make(language) for language in LANGUAGES for make in (FormRecognizer, NameRecognizer)
    ]
    registry = RecognizerRegistry(recognizers=recognizers, supported_languages=list(LANGUAGES))
    analyzer = AnalyzerEngine(
        registry,
        NoPipeline(),
        supported_languages=list(LANGUAGES),
        context_aware_enhancer=NoEnhancer(),
    )
    return PresidioFinder(analyzer)

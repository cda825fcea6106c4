"""The small multilingual encoder: reads meaning where no word gives the danger away.

An ONNX graph of int8 weights; loading it executes no code of the file's. It answers for the whole
message and for every stretch of it, and keeps the answer of whichever is most like danger: one
sentence in a long calm message counts as much as it would alone.
"""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, cast

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from safety.ngrams import Floats
from safety.pieces import START, STOP, Pieces, read_pieces
from safety.risk import Line

MESSAGE_PIECES = 160
"""Most word pieces read at once, about as many as in training; of more there are passes."""

PASSES = 6
"""How many at most: of a longer message the first three and the last three. The rules read all."""

STRETCH, STEP = 32, 16
"""Word pieces of a stretch, and from the start of one to the start of the next."""

EARLIER_PIECES = 48
_LINE_PIECES = 40
_EARLIER_LINES = 6
_LONG = 112
"""From so many pieces on a second core pays."""
_SEGMENT = {"client": 1, "counselor": 2}


class Answer(NamedTuple):
    """What the encoder says to a message, and of which part."""

    logits: Floats
    """Route, four level steps, ten categories, the number of the stretch (0 is the whole)."""
    start: int
    end: int
    """Which of the message's pieces they are about; the end is exclusive."""


class _Session(Protocol):
    def run(
        self, names: None, feeds: dict[str, NDArray[np.int64]]
    ) -> Sequence[NDArray[np.float32]]: ...


class Encoder:
    """The graph and its vocabulary; ``read`` is deterministic, and may be called from threads.

    A long message that comes alone has two cores and is soon done. Short ones, and whoever comes
    meanwhile, take one: two half-used cores would cost everybody more.
    """

    def __init__(self, graph: Path, vocabulary: Path) -> None:
        """Read the files; loading them executes no code of theirs."""
        content = graph.read_bytes()
        self.pieces = read_pieces(vocabulary)
        self._wide, self._narrow = _session(content, threads=2), _session(content, threads=1)
        self._alone = threading.Lock()

    def read(self, text: str, earlier: Sequence[Line]) -> Answer:
        """The answer most like danger; ``text`` and the lines before it are folded already."""
        words = self.pieces.cut(text)
        answers = [
            _placed(
                self._run(*arrange(self.pieces, part, () if first else earlier)), first, len(words)
            )
            for first, part in _passes(words)
        ]
        return max(answers, key=lambda answer: float(answer.logits[0]))

    def _run(self, ids: list[int], segments: list[int]) -> Floats:
        feeds = {
            "ids": np.array([ids], dtype=np.int64),
            "seg": np.array([segments], dtype=np.int64),
        }
        if len(ids) < _LONG or not self._alone.acquire(blocking=False):
            return self._narrow.run(None, feeds)[0][0]
        try:
            return self._wide.run(None, feeds)[0][0]
        finally:
            self._alone.release()


def arrange(
    pieces: Pieces, words: Sequence[int], earlier: Sequence[Line]
) -> tuple[list[int], list[int]]:
    """Ids and segments: the message (0), then as many lines before it as fit (1 client, 2 us).

    ``words`` are the message's pieces, or those of one pass; the lines are folded already.
    """
    ids = [START, *words, STOP]
    segments = [0] * len(ids)
    before: list[int] = []
    roles: list[int] = []
    for line in reversed(earlier[-_EARLIER_LINES:]):
        said = [*pieces.cut(line.text)[:_LINE_PIECES], STOP]
        if len(before) + len(said) > EARLIER_PIECES:
            break
        before = said + before
        roles = [_SEGMENT[line.role]] * len(said) + roles
    return ids + before, segments + roles


def _passes(words: Sequence[int]) -> Iterator[tuple[int, Sequence[int]]]:
    """Where each pass begins, and its pieces; each takes up the last stretch of the one before."""
    begun = range(0, max(len(words) - STRETCH, 1), MESSAGE_PIECES - STRETCH)
    for first in begun if len(begun) <= PASSES else (*begun[: PASSES // 2], *begun[-PASSES // 2 :]):
        yield first, words[first : first + MESSAGE_PIECES]


def _placed(logits: Floats, first: int, total: int) -> Answer:
    """The answer with where its pieces stand in a message of ``total`` pieces."""
    number = round(float(logits[-1]))
    if number == 0:
        return Answer(logits, first, min(first + MESSAGE_PIECES, total))
    # The first piece that is read is none of the message's.
    start = first + max((number - 1) * STEP - 1, 0)
    return Answer(logits, min(start, total), min(start + STRETCH, total))


def _session(graph: bytes, threads: int) -> _Session:
    options = onnxruntime.SessionOptions()  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - no types shipped
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # The second core waits busily within a run; going on with that afterwards, as it does unless
    # told, would cost three times the run itself.
    options.add_session_config_entry("session.force_spinning_stop", "1")  # pyright: ignore[reportUnknownMemberType] - as above
    session = onnxruntime.InferenceSession(
        graph,
        options,  # pyright: ignore[reportUnknownArgumentType] - as above
        providers=["CPUExecutionProvider"],
        # Joined, addition and norm run on one number at a time; apart, on sixteen.
        disabled_optimizers=["SkipLayerNormFusion"],
    )
    return cast(_Session, session)

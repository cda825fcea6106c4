"""The small multilingual encoder: reads meaning where no word gives the danger away.

An ONNX graph of int8 weights; loading it executes no code of the file's.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from safety.ngrams import Floats
from safety.pieces import START, STOP, Pieces, read_pieces
from safety.risk import Line

MESSAGE_PIECES = 96
"""Longer messages keep their first third and their last two thirds; the rules read all."""

EARLIER_PIECES = 48
_LINE_PIECES = 40
_EARLIER_LINES = 6
_LONG = 112
"""From so many pieces on a second core pays."""
_SEGMENT = {"client": 1, "counselor": 2}


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

    def read(self, text: str, earlier: Sequence[Line]) -> Floats:
        """16 numbers: route, four level steps, ten categories, one spare; all as logits.

        ``text`` and the lines before it are folded already.
        """
        ids, segments = arrange(self.pieces, text, earlier)
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


def arrange(pieces: Pieces, text: str, earlier: Sequence[Line]) -> tuple[list[int], list[int]]:
    """Ids and segments: the message (0), then as many lines before it as fit (1 client, 2 us).

    Everything is folded already.
    """
    words = list(pieces.cut(text))
    if len(words) > MESSAGE_PIECES:
        head = MESSAGE_PIECES // 3
        words = words[:head] + words[head - MESSAGE_PIECES :]
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

"""How a process starts, and how it is told to end.

Loading makes some 200,000 objects that stay. To search them for rubbish again and again while they
are made costs a third of the time of a start, and each later search stops every thread for a tenth
of a second. So they are made with the collector off, and then put where it does not look.
"""

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def load_for_good(load: Callable[[], T]) -> T:
    """What ``load`` gives; the collector never looks at it, nor at what else there is by then."""
    gc.disable()
    try:
        return load()
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def told_to_stop() -> Generator[asyncio.Event]:
    """Give what is set once the process is told to end; being told again ends it at once.

    A container's first process must ask to hear this: from it the kernel keeps every signal that it
    has no handler for, and the container would go on until it is killed.
    """
    loop, told = asyncio.get_running_loop(), asyncio.Event()

    def hear(number: int) -> None:
        if told.is_set():
            # Not by the signal's own way, which is closed to a first process.
            os._exit(128 + number)
        told.set()

    for one in _SIGNALS:
        loop.add_signal_handler(one, hear, one)
    try:
        yield told
    finally:
        for one in _SIGNALS:
            loop.remove_signal_handler(one)

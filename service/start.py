"""How a process loads what it keeps for its whole life.

Loading makes some 200,000 objects that stay. To search them for rubbish again and again while they
are made costs a third of the time of a start, and each later search stops every thread for a tenth
of a second. So they are made with the collector off, and then put where it does not look.
"""

import gc
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def load_for_good(load: Callable[[], T]) -> T:
    """What ``load`` gives; the collector never looks at it, nor at what else there is by then."""
    gc.disable()
    try:
        return load()
    finally:
        gc.freeze()
        gc.enable()

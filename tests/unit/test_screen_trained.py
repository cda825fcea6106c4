"""The trained layer as shipped: same answer in either gear, and every time."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from safety.classifier import folded, load_classifier
from safety.normalise import fold
from safety.risk import Line

SHORT = "I would like to talk about my presentation at work."
LONG = "The week was full, and I would like to talk about how to plan the next one. " * 8
EARLIER = folded((Line("client", SHORT), Line("counselor", "What would help you most?")))


@pytest.mark.parametrize("text", [SHORT, LONG])
def test_one_core_and_two_give_the_same_numbers(text: str):
    encoder, plain = load_classifier().encoder, fold(text)
    alone = encoder.read(plain, EARLIER)
    with ThreadPoolExecutor(8) as threads:
        crowded = list(threads.map(lambda _: encoder.read(plain, EARLIER), range(32)))
    assert all(np.allclose(one, alone, atol=1e-5) for one in crowded)


def test_said_again_it_counts_the_same():
    layer = load_classifier()
    looks = [layer.look(LONG, (Line("client", SHORT),), "en") for _ in range(2)]
    assert looks[0] == looks[1]

"""The trained layer as shipped: same answer in either gear, and calm where people only talk."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from safety.classifier import folded, load_classifier
from safety.normalise import fold
from safety.risk import Language, Line
from safety.screen import load_screen

FIXTURES = Path(__file__).parents[1] / "fixtures"
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


@pytest.mark.parametrize(("language", "most"), [("en", 0.06), ("zh", 0.12)])
def test_everyday_lines_kept_apart_seldom_alert(language: Language, most: float):
    screen, calm = load_screen(), list(everyday(language))
    alerts = sum(screen.judge(text, (), language).routes for text in calm)
    assert len(calm) > 100
    assert alerts <= most * len(calm)


def everyday(language: Language) -> Iterator[str]:
    """Lines of the two files kept apart from training that are no danger."""
    for name in ("screen_apart", "screen_calm"):
        for line in (FIXTURES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row["lang"] == language and not row["route"]:
                yield row["text"]

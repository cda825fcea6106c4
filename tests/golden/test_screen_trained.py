"""The trained layer as shipped: same answer in either gear, and every time."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest

from safety.classifier import _parts, folded, load_classifier
from safety.encoder import MESSAGE_PIECES, PASSES, STRETCH, _passes, _placed
from safety.normalise import fold
from safety.risk import Line

SHORT = "I would like to talk about my presentation at work."
LONG = "The week was full, and I would like to talk about how to plan the next one. " * 8
EARLIER = folded((Line("client", SHORT), Line("counselor", "What would help you most?")))


@pytest.mark.parametrize("text", [SHORT, LONG])
def test_one_core_and_two_give_the_same_numbers(text: str):
    encoder, plain = load_classifier().encoder, fold(text)
    alone = encoder.read(plain, EARLIER).logits
    with ThreadPoolExecutor(8) as threads:
        crowded = list(threads.map(lambda _: encoder.read(plain, EARLIER), range(32)))
    assert all(np.allclose(one.logits, alone, atol=1e-5) for one in crowded)


def test_said_again_it_counts_the_same():
    layer = load_classifier()
    looks = [layer.look(LONG, (Line("client", SHORT),), "en") for _ in range(2)]
    assert looks[0] == looks[1]


@pytest.mark.parametrize("text", [
    LONG, "a." * 2000, "\n" * 4000, "x" * 4000, "我" * 4000, "word " * 800, "Yes. " * 90 + "x" * 90,
])  # fmt: skip
def test_every_character_of_a_long_message_is_in_a_part(text: str):
    spans = list(_parts(text, "en"))
    assert spans[0][0] == 0
    assert spans[-1][1] == len(text)
    assert all(after[0] <= before[1] for before, after in pairwise(spans))
    assert len(spans) <= 2 + 2 * len(text) // 110


@pytest.mark.parametrize(
    "pieces", [0, 1, MESSAGE_PIECES, MESSAGE_PIECES + 1, 4 * MESSAGE_PIECES - 200]
)
def test_every_piece_of_a_message_is_read_and_no_stretch_is_cut_in_two(pieces: int):
    begun = list(_passes(range(pieces)))
    assert {one for _, part in begun for one in part} == set(range(pieces))
    assert all(len(part) <= MESSAGE_PIECES for _, part in begun)
    assert all(
        last - first == MESSAGE_PIECES - STRETCH for (first, _), (last, _) in pairwise(begun)
    )


def test_of_an_endless_message_the_beginning_and_the_end_are_read():
    begun = list(_passes(range(100_000)))
    assert len(begun) == PASSES
    assert begun[0][1][0] == 0
    assert begun[-1][1][-1] == 99_999


@pytest.mark.parametrize(("number", "first", "total"), [
    (0, 0, 10), (0, 352, 500), (1, 0, 60), (3, 0, 60), (2, 352, 400), (1, 0, 1), (0, 0, 0),
])  # fmt: skip
def test_where_an_answer_belongs_lies_within_the_message(number: int, first: int, total: int):
    logits = np.zeros(16, dtype=np.float32)
    logits[-1] = number
    placed = _placed(logits, first, total)
    assert 0 <= placed.start <= placed.end <= total


def test_what_a_part_raised_is_shown_in_its_place():
    text = LONG + "I do not want to wake up tomorrow, I want it to end. " + LONG
    report = load_classifier().look(text, (), "en")
    assert report.routes
    (found,) = report.evidence
    assert 0 < found.start < len(LONG) + 40 < found.end < len(text)


def test_what_is_shown_is_found_also_where_scripts_mix():
    said = "我真的不想活了，想结束这一切。"
    calm = "今天的天气很好，我们去公园散步，看了花，喝了茶，又聊了很久。" * 5
    text = LONG[:450] + said + calm
    report = load_classifier().look(text, (), "zh")
    assert report.routes
    (found,) = report.evidence
    place = text.index(said)
    assert found.start < place + len(said)
    assert place < found.end
    assert found.end - found.start < len(text) / 2

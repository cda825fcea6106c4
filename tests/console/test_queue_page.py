"""The queue's list and `take next` ask the same question, and its numbers add up."""

import re

import httpx
import pytest
from fastapi.testclient import TestClient
from streamlit.testing.v1 import AppTest

from service.schemas.review import Queue
from tests.console import canned_admin
from tests.console.test_pages import words
from tests.console.watched import Line, over
from ui import texts


class Waiting(Line):
    """A service that remembers what was asked of its queue, and which sessions were claimed."""

    def __init__(self, http: TestClient) -> None:
        super().__init__(http)
        self.asked: list[dict[str, str]] = []
        self.claimed: list[str] = []
        self.queue: Queue | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/claim"):
            self.claimed.append(path.split("/")[3])
        if path.endswith("/queue"):
            self.asked.append(dict(request.url.params))
            if self.queue is not None:
                return httpx.Response(200, text=self.queue.model_dump_json())
        return super().handle_request(request)


@pytest.fixture
def line(http: TestClient) -> Waiting:
    return Waiting(http)


def summary(script: AppTest) -> str:
    return "".join(re.findall(r'class="summary"[^>]*>([^<]*)<', words(script)))


def assigned(to: str, *sessions: str) -> Queue:
    """The queue of the scene, some of it handed over."""
    whole = canned_admin.queue()
    items = tuple(
        one.model_copy(update={"assigned_to": to if one.session_id in sessions else None})
        for one in whole.items
        if one.kind == "draft" and one.claimed_by is None
    )
    return whole.model_copy(update={"items": items, "total": len(items)})


def test_take_next_asks_what_the_list_asks(line: Waiting) -> None:
    script = over(line, "queue")
    script.selectbox(key="queue_language").set_value("zh")
    script.selectbox(key="queue_risk").set_value("high")
    script.toggle(key="queue_mine").set_value(True).run()
    listed = line.asked[-1]
    assert {"language": "zh", "risk": "high", "mine": "true"}.items() <= listed.items()
    line.asked.clear()
    script.button(key="next").click().run()
    assert line.asked[0] == listed


def test_who_fits_no_filter_is_not_said_not_to_wait(line: Waiting) -> None:
    script = over(line, "queue", "therapist-empty")
    script.selectbox(key="queue_language").set_value("zh").run()
    script.button(key="next").click().run()
    assert script.session_state["desk"].notice == ("info", texts.say("en", "queue.none_fits"))


def test_what_was_handed_to_a_colleague_is_taken_last(line: Waiting) -> None:
    line.queue = assigned("B. Colleague", "ses_2", "ses_3")
    over(line, "queue").button(key="next").click().run()
    assert line.claimed == ["ses_1"]


def test_what_was_handed_to_me_keeps_its_place(line: Waiting) -> None:
    line.queue = assigned("R. Therapist", "ses_2")
    over(line, "queue").button(key="next").click().run()
    assert line.claimed == ["ses_2"]


def test_rows_beyond_the_first_hundred_can_be_reached_and_the_parts_add_up(line: Waiting) -> None:
    script = over(line, "queue", "therapist-held")
    assert summary(script) == "130 waiting · the first 100 are shown"
    script.button(key="queue_more").click().run()
    assert summary(script) == f"130 waiting · 130 × {texts.say('en', 'kind.draft')}"
    assert "queue_more" not in {one.key for one in script.button}

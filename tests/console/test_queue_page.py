"""The queue's list and `take next` ask the same question, and its numbers add up."""

import re

import httpx
import pytest
from fastapi.testclient import TestClient
from streamlit.testing.v1 import AppTest

from service.schemas.review import Queue
from tests.console import canned_admin
from tests.console.canned import DRAFTED, workspace_of
from tests.console.test_pages import words
from tests.console.watched import Line, over
from ui import claims, texts


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


def hands_over(script: AppTest, to: str) -> AppTest:
    script.button(key="hand_over").click().run()
    script.selectbox(key=f"hand_to_{DRAFTED}").set_value(to)
    return script.button(key="question_go").click().run()


def test_a_session_is_handed_to_a_colleague_who_was_seen(line: Waiting) -> None:
    script = over(line, "workspace")
    hands_over(script, "S. Supervisor")
    assert [body["to"] for path, body in line.written if path.endswith("/assign")] == [
        "S. Supervisor"
    ]


def test_a_name_that_nobody_was_seen_under_is_asked_for_twice(
    line: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, whole = over(line, "workspace").session_state["desk"], workspace_of(DRAFTED)
    monkeypatch.setattr("ui.claims.desk", lambda: desk)
    assert [claims.sure_of(name, whole) for name in ("Bob", "Rob", "Rob")] == [False, False, True]
    assert claims.sure_of("S. Supervisor", whole) is True


@pytest.mark.parametrize(
    ("to", "who"), [("B. Colleague", "for B. Colleague"), ("R. Therapist", "for you")]
)
def test_a_row_says_to_whom_it_was_handed_over(
    line: Waiting, monkeypatch: pytest.MonkeyPatch, to: str, who: str
) -> None:
    drawn: list[dict[str, object]] = []
    monkeypatch.setattr("ui.parts.queue_list", lambda key, rows, *_: drawn.extend(rows))
    line.queue = assigned(to, "ses_2")
    over(line, "queue")
    assert {row["id"]: row["who"] for row in drawn if row["who"]} == {"ses_2": who}


def test_the_strip_says_whose_the_session_is_to_be_and_what_is_known_of_the_client(
    line: Waiting,
) -> None:
    line.shows = workspace_of(DRAFTED, assigned_to="B. Colleague", claimed_by=None)
    page = words(over(line, "workspace", "supervisor-taken"))
    assert "Handed over to B. Colleague" in page
    assert "US · age: 34 · occupation: engineer" in page


def test_a_session_that_is_over_says_so_before_anybody_writes(line: Waiting) -> None:
    line.shows = workspace_of(DRAFTED, status="closed", draft=None, no_draft_reason="closed")
    script = over(line, "workspace")
    assert texts.say("en", "workspace.over") in words(script)
    assert not {"send", "send_next", "redraft"} & {one.key for one in script.button}


def test_a_note_half_written_waits_while_another_session_is_open(line: Waiting) -> None:
    script = over(line, "workspace").button(key="note").click().run()
    script.text_area(key=f"note_{DRAFTED}").set_value("Half a thought").run()
    script.query_params["session"] = "ses_3"
    script.run()
    script.query_params["session"] = DRAFTED
    assert script.run().text_area(key=f"note_{DRAFTED}").value == "Half a thought"


def test_a_note_that_was_added_does_not_stand_in_the_next_one(line: Waiting) -> None:
    script = over(line, "workspace").button(key="note").click().run()
    script.text_area(key=f"note_{DRAFTED}").set_value("A whole thought").run()
    script.button(key="question_go").click().run()
    script.button(key="note").click().run()
    assert [area.value for area in script.text_area if "note" in str(area.key)] == [""]


def test_a_note_half_written_outlives_another_question_that_is_acted_on(line: Waiting) -> None:
    script = over(line, "workspace").button(key="note").click().run()
    script.text_area(key=f"note_{DRAFTED}").set_value("Half a thought").run()
    script.button(key="question_back").click().run()
    script.button(key="redraft").click().run()
    script.button(key="question_go").click().run()
    script.button(key="note").click().run()
    assert script.text_area(key=f"note_{DRAFTED}").value == "Half a thought"


def test_who_speaks_and_in_which_language_is_said_and_not_only_coloured(line: Line) -> None:
    line.shows = workspace_of(DRAFTED, language="zh")
    page = words(over(line, "workspace"))
    assert 'role="log" lang="zh"' in page
    said = re.findall(r'<article class="line (client|reply)"><b class="unseen">(\w+): <', page)
    assert len(said) == page.count("<article")
    assert set(said) == {("client", "Client"), ("reply", "Reply")}

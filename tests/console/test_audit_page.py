"""The audit page shows the session that was opened, from where its own reader left it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import httpx
import pytest
from fastapi.testclient import TestClient
from streamlit.testing.v1 import AppTest

from service.schemas.admin import EventView
from tests.console import canned_admin
from tests.console.canned import DRAFTED
from tests.console.test_pages import words
from tests.console.watched import Line, over
from ui import texts

OLD = "ses_older_than_the_list"


class Log(Line):
    """A service that remembers which entries were read; every log has a second page."""

    def __init__(self, http: TestClient) -> None:
        super().__init__(http)
        self.read: list[tuple[str, str | None, bool]] = []
        """Session, page token, and whether words were asked for."""
        self.tells: tuple[EventView, ...] = ()
        """Entries instead of those of the scene."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path, asked = request.url.path, request.url.params
        if not path.endswith("/events"):
            return super().handle_request(request)
        token = asked.get("page_token")
        self.read.append((path.split("/")[3], token, "payload" in asked))
        after = None if token else "200"
        whole = canned_admin.events()
        items = self.tells or whole.items
        page = whole.model_copy(update={"items": items, "next_page_token": after})
        return httpx.Response(200, text=page.model_dump_json())


@pytest.fixture
def line(http: TestClient) -> Log:
    return Log(http)


def audit(line: Log) -> AppTest:
    return over(line, "audit", "supervisor-full")


def picks(script: AppTest, session: str) -> AppTest:
    return script.selectbox(key="audit_session").set_value(session).run()


def test_a_session_older_than_the_list_is_shown_and_no_other(line: Log) -> None:
    script = audit(line)
    script.query_params["session"] = OLD
    script.run()
    assert script.selectbox(key="audit_session").value == OLD
    assert line.read[-1] == (OLD, None, False)
    assert len(script.exception) == 0


def test_a_chosen_session_stays_when_the_list_moves(line: Log) -> None:
    script = picks(audit(line), "ses_2")
    assert script.query_params["session"] in ("ses_2", ["ses_2"])
    assert script.run().selectbox(key="audit_session").value == "ses_2"
    assert line.read[-1][0] == "ses_2"


def test_each_session_has_its_own_place_in_its_log_and_a_way_back(line: Log) -> None:
    script = audit(line).button(key="audit_more").click().run()
    assert line.read[-1] == (DRAFTED, "200", False)
    assert "audit_more" not in {one.key for one in script.button}
    script = picks(script, "ses_2")
    assert line.read[-1] == ("ses_2", None, False)
    assert not {"audit_first", "audit_earlier"} & {one.key for one in script.button}
    script = picks(script, DRAFTED)
    assert line.read[-1] == (DRAFTED, "200", False)
    script.button(key="audit_earlier").click().run()
    assert line.read[-1] == (DRAFTED, None, False)


def test_words_are_opened_for_one_session_only(line: Log) -> None:
    script = audit(line).toggle(key=f"audit_words_{DRAFTED}").set_value(True).run()
    assert line.read[-1] == (DRAFTED, None, True)
    picks(script, "ses_2")
    assert line.read[-1] == ("ses_2", None, False)


def paged(**payload: object) -> EventView:
    at = datetime(2026, 3, 31, 20, 30, tzinfo=UTC)
    (one, *_) = canned_admin.events().items
    change = {"type": "alert_paged", "at": at, "payload": payload or None}
    return one.model_copy(update=change)


@pytest.mark.parametrize(
    ("payload", "key"),
    [
        ({}, "event.alert_paged"),
        ({"tier": 0, "delivered": True}, "event.page_delivered"),
        ({"tier": 0, "delivered": False}, "event.page_failed"),
    ],
    ids=["unopened", "delivered", "failed"],
)
def test_a_page_that_reached_nobody_does_not_read_like_one_that_did(
    line: Log, payload: dict[str, object], key: str
) -> None:
    line.tells = (paged(**payload),)
    table = words(audit(line))
    said = {one for one in ("alert_paged", "page_delivered", "page_failed")
            if f"<td>{texts.say('en', f'event.{one}')}<" in table}  # fmt: skip
    assert said == {key.removeprefix("event.")}
    assert all(f"{name}: {value}" in table for name, value in payload.items())


def test_a_day_is_the_readers_in_the_list_and_in_the_entries(
    line: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = datetime(2026, 3, 31, 20, 30, tzinfo=UTC)
    rows = canned_admin.rows(1)
    (row,) = rows.items
    whole = rows.model_copy(update={"items": (row.model_copy(update={"created_at": late}),)})
    monkeypatch.setattr("tests.console.canned_admin.rows", lambda _: whole)
    monkeypatch.setattr("ui.views.audit.zone", lambda: ZoneInfo("Asia/Shanghai"))
    line.tells = (paged(),)
    script = audit(line)
    label = script.selectbox(key="audit_session").options[-1]
    assert label.endswith("2026-04-01")
    assert "2026-04-01 04:30:00" in words(script)


def test_an_older_session_is_opened_by_its_id(line: Log) -> None:
    script = audit(line).text_input(key="audit_find").set_value(f" {OLD} ").run()
    assert script.query_params["session"] in (OLD, [OLD])
    assert line.read[-1] == (OLD, None, False)


def erases(script: AppTest, typed: str) -> AppTest:
    script.text_input(key=f"audit_sure_{DRAFTED}").set_value(typed)
    return script.button(key="audit_erase").click().run()


def test_a_copy_is_made_when_asked_for_and_offered_for_that_session_alone(line: Log) -> None:
    script = audit(line)
    assert not script.get("download_button")
    script.button(key="audit_export").click().run()
    [offered] = script.get("download_button")
    assert offered.proto.label == texts.say("en", "audit.save")
    assert not picks(script, "ses_2").get("download_button")


def test_a_session_is_erased_only_by_who_says_which(line: Log) -> None:
    script = erases(audit(line), "WRONG1")
    assert line.written == []
    assert texts.say("en", "audit.erase_unsure", end=DRAFTED[-6:].upper()) in words(script)
    script = erases(script, f" {DRAFTED[-6:].lower()} ")
    assert [path for path, _ in line.written] == [f"/v1/sessions/{DRAFTED}"]
    assert [one.value for one in script.toast] == [texts.say("en", "audit.erase_done")]


def test_what_was_typed_about_an_erased_session_is_forgotten(line: Log) -> None:
    script = audit(line)
    desk = script.session_state["desk"]
    desk.editor(DRAFTED).text, desk.editor("ses_2").text = "Of them.", "Of another."
    erases(script, DRAFTED[-6:])
    assert set(desk.editors) == {"ses_2"}


def test_an_erasure_that_is_refused_says_so(line: Log) -> None:
    line.refuses[f"/v1/sessions/{DRAFTED}"] = (503, "unavailable")
    script = erases(audit(line), DRAFTED[-6:])
    assert not script.toast
    assert texts.say("en", "refused.unavailable") in words(script)

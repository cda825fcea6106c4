"""Words that were decided on: whose they are, and where they are when they do not leave."""

from dataclasses import replace
from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from service.schemas.workspace import Held, Workspace
from service.schemas.workspace import Line as Said
from tests.console.canned import DRAFTED, PLANNED, ago, workspace_of
from tests.console.canned_crisis import alert, crisis_workspace
from tests.console.test_pages import PATIENCE_S, shows, words
from tests.console.watched import Line, errors, over, press
from ui import texts
from ui.desk import now

OWN = "Words that took me five minutes to find."
LATER = "And one thing more."
TOWN = """
import streamlit as st
from ui import account, views
st.session_state["pages"] = {
    page.path: st.Page(page.show, url_path=page.path, default=page.path == "workspace")
    for page in views.PAGES
}
chosen = st.navigation(list(st.session_state["pages"].values()), position="hidden")
account.bar(tuple(st.session_state["pages"]))
chosen.run()
account.told()
"""


def say(key: str) -> str:
    return texts.say("en", key)


def holding(line: Line, who: str = "full") -> AppTest:
    """The workspace just after own words were sent; every page can be reached from it."""
    script = AppTest.from_string(TOWN, default_timeout=PATIENCE_S)
    script.session_state["desk"] = over(line, "workspace", f"therapist-{who}").session_state["desk"]
    script.query_params["session"] = DRAFTED
    writes(script, OWN)
    script.run().button(key="send").click().run()
    assert errors(script) == []
    return script


def writes(script: AppTest, text: str) -> None:
    editor = script.session_state["desk"].editor(DRAFTED)
    editor.own, editor.text = True, text


def text_of(script: AppTest) -> str:
    return script.session_state["desk"].editor(DRAFTED).text


def undos(script: AppTest) -> list[str]:
    return [str(one.key) for one in script.button if str(one.key).startswith("undo_")]


def later(whole: Workspace) -> Workspace:
    return whole.model_copy(update={"seq": 60})


def test_a_reply_that_danger_withdrew_comes_back_and_says_why(line: Line) -> None:
    script = holding(line)
    line.shows = later(crisis_workspace(DRAFTED))
    script.run()
    assert errors(script) == [say("hold.withdrawn")]
    assert undos(script) == []
    assert (text_of(script) == OWN) is True
    # The notice goes with the next look; why the words are here stays.
    assert shows(script.run(), "hold.withdrawn", "en")


def test_an_approved_draft_that_danger_withdrew_stays_in_the_editor(line: Line) -> None:
    script = over(line, "workspace")
    approved = text_of(script)
    script.button(key="send").click().run()
    line.shows = later(crisis_workspace(DRAFTED))
    assert (text_of(script.run().run()) == approved) is True


def test_words_begun_since_stay_beside_those_that_came_back(line: Line) -> None:
    script = holding(line)
    writes(script, LATER)
    line.shows = later(crisis_workspace(DRAFTED))
    script.run()
    assert (text_of(script) == LATER) is True
    assert (OWN in words(script)) is True
    press(script, say("hold.put_back"))
    assert (text_of(script) == f"{LATER}\n\n{OWN}") is True


def test_a_reply_that_left_is_not_called_withdrawn(line: Line) -> None:
    script = holding(line)
    whole = crisis_workspace(DRAFTED)
    left = Said(kind="reply", id="dec_1", seq=50, at=ago(0), text=OWN, by="R. Therapist")
    line.shows = later(whole.model_copy(update={"transcript": (*whole.transcript, left)}))
    assert errors(script.run()) == []
    assert (text_of(script), undos(script.run())) == ("", [])


def test_a_reply_withdrawn_while_another_session_is_open_is_told_of(line: Line) -> None:
    script = holding(line)
    script.query_params["session"] = PLANNED
    script.session_state["session"] = PLANNED
    script.session_state["desk"].alerts = (alert(session=DRAFTED),)
    line.refuses["/alerts"] = (503, "unavailable")
    line.shows = later(crisis_workspace(DRAFTED))
    script.run()
    assert script.session_state["desk"].held == {}
    assert script.session_state["desk"].editor(DRAFTED).text == OWN
    assert texts.say("en", "hold.withdrawn") in [one.value for one in script.error]


def test_with_two_replies_held_each_has_its_own_way_back(line: Line) -> None:
    script = holding(line)
    desk = script.session_state["desk"]
    other = replace(desk.held[DRAFTED], session_id=PLANNED, decision_id="dec_other")
    desk.hold(other)
    assert undos(script.run()) == ["undo_dec_1", "undo_dec_other"]
    script.session_state["session"] = script.query_params["session"] = PLANNED
    assert undos(script.run()) == ["undo_dec_other", "undo_dec_1"]
    script.button(key="undo_dec_1").click().run()
    assert [path for path, _ in line.written][1:] == ["/v1/decisions/dec_1"]
    assert set(desk.held) == {PLANNED}


def test_a_second_hold_is_known_while_another_lives(line: Line) -> None:
    script = holding(line)
    held = Held(decision_id="dec_9", text=LATER, action="ask", release_at=ago(-1))
    line.shows = later(
        workspace_of(PLANNED, draft=None, no_draft_reason="reply_is_held", held=held)
    )
    script.query_params["session"] = PLANNED
    assert undos(script.run()) == ["undo_dec_9", "undo_dec_1"]


def test_news_that_draws_the_page_again_takes_no_notice_away(line: Line) -> None:
    script = over(line, "workspace")
    held = Held(decision_id="dec_9", text=LATER, action="ask", release_at=ago(-1))
    line.shows = workspace_of(DRAFTED, seq=60, draft=None, held=held)
    script.session_state["desk"].notice = ("error", say("refused.too_early"))
    assert (undos(script.run()), errors(script)) == (["undo_dec_9"], [say("refused.too_early")])
    assert errors(script.run()) == []


def test_undo_keeps_the_words_on_the_server_again(line: Line) -> None:
    script = holding(line)
    line.unsent.clear()
    script.button(key="undo_dec_1").click().run()
    assert errors(script) == []
    assert (text_of(script) == OWN) is True
    assert ([body["text"] for body in line.unsent] == [OWN]) is True


def test_undo_never_overwrites_what_was_begun_since(line: Line) -> None:
    script = holding(line)
    writes(script, LATER)
    script.run().button(key="undo_dec_1").click().run()
    assert (text_of(script) == f"{LATER}\n\n{OWN}") is True


def test_words_the_service_missed_are_kept_when_it_answers_again(line: Line) -> None:
    script = over(line, "workspace")
    line.refuses["/unsent"] = (503, "unavailable")
    writes(script, OWN)
    script.run()
    assert script.session_state["desk"].editor(DRAFTED).saved.text == ""
    line.refuses.clear()
    script.run()
    assert (script.session_state["desk"].editor(DRAFTED).saved.text == OWN) is True


@pytest.mark.parametrize(
    ("origin", "verdict"), [(None, "respond"), ("drf_0", "respond"), ("drf_1", "edit")]
)
def test_after_a_reload_own_words_are_own_words_and_an_edit_an_edit(
    line: Line, origin: str | None, verdict: str
) -> None:
    line.shows = workspace_of(DRAFTED, unsent_text=OWN, unsent_draft_id=origin)
    script = over(line, "workspace")
    assert (text_of(script) == OWN) is True
    script.button(key="send").click().run()
    assert [body["verdict"] for _, body in line.written] == [verdict]


def test_what_is_kept_tells_an_edit_from_own_words(line: Line) -> None:
    script = over(line, "workspace")
    editor = script.session_state["desk"].editor(DRAFTED)
    editor.text = f"{editor.text} {LATER}"
    script.run()
    script.button(key="own").click().run().run()
    assert [body.get("draft_id") for body in line.unsent] == ["drf_1", None]


def test_only_time_before_the_reader_counts_as_reading(line: Line) -> None:
    script = over(line, "workspace")
    editor = script.session_state["desk"].editor(DRAFTED)
    editor.read_s, editor.resumed = 4.0, False
    editor.seen_at = now() - timedelta(minutes=40)
    script.run().button(key="send").click().run()
    assert 4_000 <= int(str(line.written[-1][1]["dwell_ms"])) < 14_000


def test_reading_that_a_reload_cut_is_not_measured(line: Line) -> None:
    script = over(line, "workspace").button(key="send").click().run()
    assert errors(script) == []
    assert "dwell_ms" not in line.written[-1][1]

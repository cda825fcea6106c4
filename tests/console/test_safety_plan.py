"""A safety plan is kept whole, and keeps no alert open for longer than it takes to keep it."""

import httpx
import pytest
import streamlit as st
from fastapi.testclient import TestClient
from streamlit.testing.v1 import AppTest

from service.schemas.wire import LONGEST
from tests.console.canned import DRAFTED, IN_CRISIS, workspace_of
from tests.console.test_crisis_desk import SIGN_IN, resolves
from tests.console.test_pages import PATIENCE_S, shows
from tests.console.watched import Line, errors, over, press
from ui import texts
from ui.desk import SafetyPlan

PLAN = f"plan_{DRAFTED}_0"
SIGN_OUT = "from ui.sign_in import sign_out\nsign_out()"
EXPIRED = """
import streamlit as st
from ui.panels.states import expired
if "desk" in st.session_state:
    expired()
"""


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    """No plan waits in this process from before."""
    st.cache_resource.clear()


class Stumbling(Line):
    """Refuses the second note."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/notes") and written(self) == ["notes"]:
            self.refuses["/notes"] = (503, "unavailable")
        return super().handle_request(request)


def say(key: str) -> str:
    return texts.say("en", key)


def test_whoever_fills_in_a_safety_plan_can_keep_it(line: Line) -> None:
    line.refuses["/claim"] = (409, "claimed_by_other")
    script = over(line, "crisis", "supervisor-crisis.plan")
    assert errors(press(script, say("crisis.keep_plan"))) == [say("question.missing_text")]
    script.text_area(key=f"plan_{DRAFTED}_0").set_value("the evenings")
    assert errors(press(script, say("crisis.keep_plan"))) == []
    assert [path for path, _ in line.written] == [f"/v1/sessions/{DRAFTED}/notes"]


def planning(line: Line, who: str) -> AppTest:
    """The desk with words in the safety plan that no note holds."""
    script = over(line, "crisis", f"therapist-crisis.{who}")
    return script.text_area(key=PLAN).set_value("the evenings").run()


def ends(script: AppTest) -> AppTest:
    return resolves(script.button(key="resolve").click().run())


def written(line: Line) -> list[str]:
    return [path.rsplit("/", 1)[1] for path, _ in line.written]


def test_resolving_keeps_the_safety_plan_first(line: Line) -> None:
    script = ends(planning(line, "keeps_first"))
    assert errors(script) == []
    assert written(line) == ["notes", "resolve"]
    assert str(line.written[0][1]["text"]).endswith(": the evenings")
    assert PLAN not in {one.key for one in script.text_area}


def test_a_plan_that_is_kept_already_is_not_kept_twice(line: Line) -> None:
    script = press(planning(line, "once"), say("crisis.keep_plan"))
    assert (script.text_area(key=PLAN).value, written(line)) == ("the evenings", ["notes"])
    ends(script)
    assert written(line) == ["notes", "resolve"]


def test_an_alert_stays_open_while_its_safety_plan_cannot_be_kept(line: Line) -> None:
    line.refuses["/notes"] = (503, "unavailable")
    script = ends(planning(line, "stays"))
    assert errors(script) == [say("refused.unavailable")]
    assert written(line) == ["notes"]
    assert script.text_area(key=PLAN).value == "the evenings"


def test_a_safety_plan_outlives_the_alert_that_a_colleague_ended(line: Line) -> None:
    script = planning(line, "ended")
    line.shows = workspace_of(DRAFTED)
    script.run()
    assert shows(script, "crisis.plan_left", "en")
    assert script.text_area(key=PLAN).value == "the evenings"
    script = press(script, say("crisis.keep_plan"))
    assert (errors(script), written(line)) == ([], ["notes"])
    assert PLAN not in {one.key for one in script.text_area}


def test_a_safety_plan_waits_while_another_session_is_open(line: Line) -> None:
    script = planning(line, "other")
    script.query_params["session"] = IN_CRISIS
    script.run()
    assert script.text_area(key=f"plan_{IN_CRISIS}_0").value == ""
    script.query_params["session"] = DRAFTED
    assert script.run().text_area(key=PLAN).value == "the evenings"


def test_an_emptied_plan_of_an_ended_alert_is_gone(line: Line) -> None:
    script = planning(line, "emptied")
    line.shows = workspace_of(DRAFTED)
    script.run().text_area(key=PLAN).set_value("").run()
    assert PLAN not in {one.key for one in script.text_area}
    assert (errors(script), written(line)) == ([], [])


def long_planning(line: Line, who: str) -> AppTest:
    """The desk with a plan that no single note holds."""
    script = over(line, "crisis", f"therapist-crisis.{who}")
    for place in range(3):
        script.text_area(key=f"plan_{DRAFTED}_{place}").set_value(f"{place}" * 3000)
    return script.run()


def headings(line: Line) -> list[str]:
    """Which of the three headings each note holds."""
    notes = [str(body["text"]) for path, body in line.written if path.endswith("/notes")]
    assert all(len(note) <= LONGEST for note in notes)
    return [note[-1] for note in notes]


def test_a_plan_longer_than_a_note_is_kept_as_several(line: Line) -> None:
    script = ends(long_planning(line, "long"))
    assert errors(script) == []
    assert written(line) == ["notes", "notes", "notes", "resolve"]
    assert headings(line) == ["0", "1", "2"]


def test_keeping_goes_on_where_it_failed(http: TestClient) -> None:
    line = Stumbling(http)
    script = ends(long_planning(line, "resumed"))
    assert errors(script) == [say("refused.unavailable")]
    line.refuses.clear()
    assert errors(press(script, say("crisis.resolve_go"))) == []
    assert written(line) == ["notes", "notes", "notes", "notes", "resolve"]
    assert headings(line) == ["0", "1", "1", "2"]


def test_headings_share_a_note_and_none_is_parted() -> None:
    words = {"first": "a" * 1900, "second": "b" * 1900, "none": " ", "third": "c" * 1900}
    notes = SafetyPlan(words).notes
    assert [note.split(": ")[0] for note in notes] == ["first", "third"]
    assert notes[0] == f"first: {words['first']}\nsecond: {words['second']}"


def test_what_a_note_cannot_hold_cannot_be_typed_beyond(line: Line) -> None:
    script = planning(line, "limit")
    field = script.text_area(key=PLAN)
    assert field.proto.max_chars == LONGEST - len(f"{field.label}: ")


def test_a_pasted_line_break_keeps_no_alert_open(line: Line) -> None:
    script = over(line, "crisis", "therapist-crisis.pasted")
    script = ends(script.text_area(key=PLAN).set_value("the\x0bevenings").run())
    assert (errors(script), written(line)) == ([], ["notes", "resolve"])
    assert str(line.written[0][1]["text"]).endswith(": the evenings")


def test_words_that_come_back_are_kept_again(line: Line) -> None:
    script = planning(line, "again")
    for words in ("the evenings", "the mornings", "the evenings"):
        script = press(script.text_area(key=PLAN).set_value(words).run(), say("crisis.keep_plan"))
    assert written(line) == ["notes"] * 3


def expires(line: Line, who: str) -> AppTest:
    """A desk with words in the safety plan, whose reader the service knows no more."""
    script = planning(line, who)
    line.refuses[""] = (401, "unauthenticated")
    script.run()
    line.refuses.clear()
    assert shows(script, "state.expired_title", "en")
    return script


def signs_in(http: TestClient, token: str) -> dict[str, SafetyPlan]:
    """The plans somebody finds who comes in anew, as over an organisation's own page."""
    script = AppTest.from_string(SIGN_IN, default_timeout=PATIENCE_S)
    script.session_state["http"] = http
    script.run().text_input[0].set_value(token)
    script.button[0].click().run()
    assert len(script.exception) == 0
    return script.session_state["desk"].safety_plans


def test_a_safety_plan_outlives_the_sign_in_for_its_writer_only(
    line: Line, http: TestClient
) -> None:
    expires(line, "expires")
    assert signs_in(http, "supervisor-full") == {}
    plans = signs_in(http, "therapist-full")
    filled = [words for plan in plans.values() for words in plan.words.values() if words]
    assert filled == ["the evenings"]


def test_a_safety_plan_outlives_a_reload_and_the_next(line: Line, http: TestClient) -> None:
    script = planning(line, "reloads")
    for _ in range(2):
        assert [plan.unkept for plan in signs_in(http, "therapist-full").values()] == [
            script.session_state["desk"].safety_plan(DRAFTED).unkept
        ]
    press(script, say("crisis.keep_plan"))
    assert signs_in(http, "therapist-full") == {}


def test_signing_out_asks_where_words_would_be_lost(line: Line) -> None:
    script = planning(line, "asked").button(key="sign_out").click().run()
    assert "desk" in script.session_state
    assert [one.value for one in script.warning] == [say("account.unkept")]
    # The page below it has nobody to be drawn for; the console's entry draws the sign-in.
    script.button(key="sign_out").click().run()
    assert "desk" not in script.session_state


def test_a_safety_plan_that_colleagues_have_waits_for_nobody(line: Line, http: TestClient) -> None:
    script = press(planning(line, "noted"), say("crisis.keep_plan"))
    line.refuses[""] = (401, "unauthenticated")
    assert shows(script.run(), "state.expired_title", "en")
    assert signs_in(http, "therapist-full") == {}


def test_whoever_signs_out_leaves_no_safety_plan_behind(line: Line, http: TestClient) -> None:
    leaving = AppTest.from_string(SIGN_OUT, default_timeout=PATIENCE_S)
    leaving.session_state["desk"] = expires(line, "leaves").session_state["desk"]
    assert len(leaving.run().exception) == 0
    assert signs_in(http, "therapist-full") == {}


def test_a_safety_plan_waits_so_long_and_no_longer(
    line: Line, http: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    expires(line, "late")
    monkeypatch.setattr("ui.sign_in.KEPT_S", -1.0)
    assert signs_in(http, "supervisor-full") == {}
    monkeypatch.undo()
    assert signs_in(http, "therapist-full") == {}


def test_signing_in_again_keeps_the_safety_plan(line: Line, http: TestClient) -> None:
    again = AppTest.from_string(EXPIRED, default_timeout=PATIENCE_S)
    again.session_state["desk"] = planning(line, "again_in").session_state["desk"]
    assert errors(press(again.run(), say("state.sign_in_again"))) == []
    assert len(signs_in(http, "therapist-full")) == 1

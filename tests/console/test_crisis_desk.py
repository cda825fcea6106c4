"""The crisis desk: nothing is chosen for the therapist, and what is told is what is true."""

import time

import httpx
from fastapi.testclient import TestClient
from streamlit.testing.v1 import AppTest

from service.schemas.alerts import Alerts
from tests.console.canned import DRAFTED
from tests.console.canned_crisis import alert, crisis_workspace
from tests.console.canned_talk import HIGH, MODERATE
from tests.console.test_pages import PATIENCE_S, opened, shows, words
from tests.console.watched import Line, over
from ui import texts
from ui.client import Api, connect

SIGN_IN = "import streamlit as st\nfrom ui import sign_in\nsign_in.ask(st.session_state['http'])"


def resolving(http: TestClient, token: str) -> AppTest:
    """The desk with the form open."""
    script = opened(http, "crisis", token)
    return script.button(key="resolve").click().run()


def resolves(script: AppTest, which: int | None = None, outcome: str = "safe") -> AppTest:
    """Choose, write a note, send."""
    if which is not None:
        script.radio[0].set_value(which)
    script.radio(key=f"outcome_{DRAFTED}").set_value(outcome)
    script.text_area(key=f"agreed_{DRAFTED}").set_value("met a colleague")
    return submit(script)


def submit(script: AppTest) -> AppTest:
    wanted = texts.say("en", "crisis.resolve_go")
    return next(one for one in script.button if one.label == wanted).click().run()


def told(script: AppTest) -> list[str]:
    return [toast.value for toast in script.toast]


def test_nothing_is_chosen_beforehand_and_each_choice_is_asked_for(http: TestClient) -> None:
    script = resolving(http, "therapist-crisis.nothing")
    assert [radio.value for radio in script.radio] == [None]
    script = submit(script)
    assert [error.value for error in script.error] == [texts.say("en", "question.missing_outcome")]
    script.radio[0].set_value("false_alarm")
    script = submit(script)
    assert [error.value for error in script.error] == [texts.say("en", "question.missing_text")]


def test_the_form_names_the_alert_it_ends(http: TestClient) -> None:
    script = resolving(http, "therapist-crisis.named")
    named = next(
        one.proto.body for one in script.get("html") if "“Since the review" in one.proto.body
    )
    assert "High · suicide · " in named
    assert HIGH.text not in named


def test_of_two_alerts_each_can_be_ended_and_the_answer_tells_what_is_left(
    http: TestClient,
) -> None:
    script = resolving(http, "therapist-twice.lesser_first")
    assert [radio.value for radio in script.radio] == [None, None]
    assert [MODERATE.text[:20] in name for name in script.radio[0].options] == [False, True]
    script.radio(key=f"outcome_{DRAFTED}").set_value("safe")
    script = submit(script)
    assert [error.value for error in script.error] == [texts.say("en", "question.missing_alert")]
    script = resolves(script, which=1)
    assert told(script) == [texts.say("en", "crisis.still", n=1)]
    script = resolves(script.button(key="resolve").click().run())
    assert told(script) == [texts.say("en", "crisis.resumed")]


def test_drafting_resumes_when_only_a_lesser_alert_is_left(http: TestClient) -> None:
    script = resolves(resolving(http, "therapist-twice.graver_first"), which=0)
    assert told(script) == [texts.say("en", "crisis.resumed_left", n=1)]


def test_a_lesser_alert_alone_never_stopped_drafting_and_does_not_resume_it(
    http: TestClient,
) -> None:
    script = resolving(http, "therapist-seen.ends")
    (end,) = [one for one in script.button if one.label == texts.say("en", "crisis.resolve_go")]
    assert not end.disabled, "an alert outlives its session"
    script = resolves(script)
    assert told(script) == [texts.say("en", "crisis.resolved")]


def test_a_crisis_offers_no_new_draft_and_no_way_on_to_the_next(http: TestClient) -> None:
    for page in ("crisis", "workspace"):
        script = opened(http, page, "therapist-crisis.drafts")
        keys = {button.key for button in script.button}
        assert {"own", "send"} <= keys
        assert not {"redraft", "send_next"} & keys
    assert "redraft" in {
        button.key for button in opened(http, "workspace", "therapist-full").button
    }


def test_the_desk_keeps_the_old_list_and_says_that_it_is_old(http: TestClient) -> None:
    script = opened(http, "crisis", "therapist-full")
    assert shows(script, "crisis.old_list", "en") is False
    script.session_state["desk"].api = type(script.session_state["desk"].api)(
        connect("http://127.0.0.1:1"), "therapist-full"
    )
    script.run()
    assert shows(script, "crisis.old_list", "en") is True
    assert "suicide" in words(script)


def test_every_page_of_open_alerts_is_read() -> None:
    pages = [[f"alr_{page}_{place}" for place in range(100)] for page in range(2)] + [["alr_last"]]

    def answer(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("page_token", "0"))
        items = tuple(alert().model_copy(update={"alert_id": one}) for one in pages[page])
        after = str(page + 1) if page + 1 < len(pages) else None
        found = Alerts(items=items, next_page_token=after)
        return httpx.Response(200, text=found.model_dump_json())

    with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://service") as http:
        found = Api(http, "therapist").alerts()
    assert [one.alert_id for one in found] == [one for page in pages for one in page]


def signing_in(http: httpx.Client, token: str) -> list[str]:
    script = AppTest.from_string(SIGN_IN, default_timeout=PATIENCE_S)
    script.session_state["http"] = http
    script.run()
    script.text_input[0].set_value(token)
    script.button[0].click().run()
    assert len(script.exception) == 0
    return [error.value for error in script.error]


def test_signing_in_blames_the_token_only_where_the_token_is_to_blame(http: TestClient) -> None:
    known = texts.say("en", "signin.unknown")
    assert signing_in(http, "nobody") == [known]
    assert signing_in(http, "密码") == [known]
    assert signing_in(http, "therapist-shut") == [
        texts.say("en", "signin.failing", code="unavailable")
    ]
    begun = time.monotonic()
    assert signing_in(connect("http://127.0.0.1:1"), "x") == [texts.say("en", "signin.offline")]
    assert time.monotonic() - begun < PATIENCE_S
    assert signing_in(http, " ") == [texts.say("en", "signin.empty")]


def test_an_alert_is_acknowledged_and_ended_without_a_claim(http: TestClient) -> None:
    sent: dict[str, bool] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        sent[request.url.path.rsplit("/", 1)[1]] = "x-claim" in request.headers
        given = http.request(
            request.method, str(request.url), content=request.content, headers=request.headers
        )
        return httpx.Response(given.status_code, content=given.content)

    api = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://service")
    script = opened(api, "crisis", "therapist-crisis.unclaimed")
    script = script.button(key="ack_alr_1").click().run()
    resolves(script.button(key="resolve").click().run())
    assert script.session_state["desk"].claims == {DRAFTED: "1"}
    assert (sent["acknowledge"], sent["resolve"]) == (False, False)


def test_what_the_client_answers_stands_on_the_desk_that_asks(line: Line) -> None:
    before = crisis_workspace(DRAFTED)
    answer = "I am at the kitchen table and my sister is on her way."
    last = before.transcript[-1].model_copy(
        update={"kind": "client", "id": "msg_9", "text": answer, "seq": 60}
    )
    line.shows = before.model_copy(update={"transcript": (*before.transcript, last), "seq": 60})
    script = over(line, "crisis", "therapist-crisis.answers")
    assert (answer in words(script)) is True

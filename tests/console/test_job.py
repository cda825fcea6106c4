"""The therapist's whole job in a real browser, against the whole product."""

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.console import stack as stacks
from tests.console.conftest import Open
from tests.console.reader import Reader
from tests.console.stack import ClientApp, Stack

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

WORDS = "I keep thinking my team sees me as the weak link since the Tuesday review."
MORE = "Later they moved the meeting and I felt left out again."
DANGER = "I want to end my life tonight."
Therapist = Callable[..., Reader]


def arrives(app: ClientApp, session: str, count: int) -> list[str]:
    """Wait until the client has so many replies."""
    deadline = time.monotonic() + stacks.PATIENCE_S
    while time.monotonic() < deadline:
        replies = app.replies(session)
        if len(replies) >= count:
            return replies
        time.sleep(0.1)
    raise TimeoutError("no reply arrived")


def written(app: ClientApp, text: str = WORDS) -> str:
    session = app.open("client")
    app.write(session, text)
    return session


def at(session: str, page: str = "workspace") -> str:
    return f"{page}?session={session}"


def test_taking_the_next_and_approving_takes_two_keys(
    therapist: Therapist, client_app: ClientApp
) -> None:
    session = written(client_app)
    reader = therapist("")
    reader.sees(".st-key-queue_list li")
    reader.waits("n", ".transcript")
    words = reader.draft()
    reader.waits("a", ".st-key-hold:has-text('Leaves in')")
    assert (arrives(client_app, session, 1) == [words]) is True


def test_signing_in_needs_a_known_token(reading: Open, console: str, stack: Stack) -> None:
    reader = reading(console, "nobody")
    field = reader.page.get_by_label("Access token", exact=True)
    field.fill("sc_wrong")
    field.press("Enter")
    reader.reads(".st-key-signin_card", "not known")
    field.fill(stack.keys["demo-therapist"])
    field.press("Enter")
    reader.sees(".st-key-filters")


def test_an_edit_shows_its_difference_and_leaves_as_edited(
    therapist: Therapist, client_app: ClientApp
) -> None:
    session = written(client_app)
    reader = therapist(at(session))
    reader.holds()
    words = reader.draft()
    reader.edits(" Take your time.")
    reader.sees(".st-key-decide p.diff ins")
    reader.waits("Control+Enter", ".st-key-hold")
    sent = arrives(client_app, session, 1)[0]
    assert (sent == f"{words} Take your time.") is True


def lying(stack: Stack, session: str) -> str:
    """Which draft lies on the desk."""
    with stacks.caller(stack, "demo-therapist") as api:
        return api.get(f"/v1/sessions/{session}/workspace").json()["draft"]["draft_id"]


def test_a_rejection_needs_a_reason_and_brings_a_new_draft(
    therapist: Therapist, client_app: ClientApp, stack: Stack
) -> None:
    session = written(client_app)
    reader = therapist(at(session))
    reader.holds()
    reader.draft()
    before = lying(stack, session)
    reader.waits("x", ".st-key-question")
    reader.waits("Control+Enter", ".st-key-notice:has-text('at least one reason')")
    reader.page.locator("[class*=st-key-reasons_]").get_by_role("button", name="clarity").click()
    reader.loses("Control+Enter", ".st-key-question")
    reader.draft()
    assert lying(stack, session) != before
    assert client_app.replies(session) == []


def test_undo_takes_the_words_back_and_nothing_is_sent(
    therapist: Therapist, client_app: ClientApp
) -> None:
    session = written(client_app)
    reader = therapist(at(session))
    reader.holds()
    words = reader.draft()
    reader.waits("a", "[class*=st-key-undo_] button")
    reader.loses("z", "[class*=st-key-undo_]")
    expect(reader.editor).to_have_value(words)
    reader.sees(".st-key-send_row")
    assert client_app.replies(session) == []


def test_keys_are_silent_while_typing_and_the_map_is_one_key_away(
    therapist: Therapist, client_app: ClientApp
) -> None:
    session = written(client_app)
    reader = therapist(at(session))
    reader.holds()
    reader.draft()
    reader.waits("w", "button:has-text('Send my words')")
    expect(reader.editor).to_have_value("")
    reader.edits("a? xnz")
    expect(reader.editor).to_have_value("a? xnz")
    reader.misses(".st-key-hold")
    reader.key("Escape")
    reader.waits("?", ".keymap")
    assert client_app.replies(session) == []


def test_a_refresh_in_mid_sentence_loses_no_character(
    therapist: Therapist, client_app: ClientApp, reading: Open, console: str, stack: Stack
) -> None:
    session = written(client_app)
    reader = therapist(at(session))
    reader.holds()
    words = reader.draft()
    reader.edits(" I hear how heavy")
    reader.page.reload()
    expect(reader.editor).to_have_value(f"{words} I hear how heavy")
    reader.sees(".st-key-decide p.diff ins")
    elsewhere = reading(console, stack.keys["demo-therapist"], at(session))
    expect(elsewhere.editor).to_have_value(f"{words} I hear how heavy")


def test_a_session_that_moves_on_greys_the_draft_and_keeps_typed_words(
    therapist: Therapist, client_app: ClientApp
) -> None:
    session = written(client_app)
    reader = therapist(at(session))
    reader.holds()
    reader.draft()
    reader.edits(" More.")
    typed = reader.editor.input_value()
    client_app.write(session, MORE)
    expect(reader.page.locator(".line.client")).to_have_count(2)
    expect(reader.editor).to_have_value(typed)
    reader.sees(".st-key-use_draft button")
    reader.key("Escape")
    reader.loses("u", ".st-key-use_draft")
    expect(reader.editor).not_to_have_value(typed)
    assert client_app.replies(session) == []


def test_two_reviewers_see_each_other_and_only_one_can_answer(
    therapist: Therapist, client_app: ClientApp, reading: Open, console: str, stack: Stack
) -> None:
    session = written(client_app)
    first = therapist(at(session))
    first.holds()
    first.draft()
    first.edits(" Mine.")
    typed = first.editor.input_value()
    second = reading(console, stack.keys["demo-colleague"], at(session))
    second.reads(".banner.taken", "demo-therapist")
    second.misses(".st-key-send_row")
    first.reads(".chip.viewer", "demo-colleague")
    second.waits("t", ".st-key-question")
    second.page.get_by_label(re.compile("colleague will read")).fill("shift change")
    second.waits("Control+Enter", ".st-key-send_row")
    first.reads(".banner.lost", "demo-colleague")
    expect(first.editor).to_have_value(typed)
    first.misses(".st-key-send_row")
    second.draft()
    second.waits("a", ".st-key-hold")
    assert len(arrives(client_app, session, 1)) == 1


def test_the_cursor_moves_with_a_reason_and_the_plan_waits_for_a_decision(
    therapist: Therapist, client_app: ClientApp
) -> None:
    session = written(client_app)
    reader = therapist(at(session))
    reader.holds()
    reader.waits("p", ".ladder")
    reader.waits("v", ".st-key-running form, .st-key-running [data-testid=stForm]")
    reader.page.get_by_role("radiogroup").locator("label").nth(3).click()
    reader.part("running").get_by_label(re.compile("^Why")).fill("the client told all of it")
    reader.page.get_by_role("button", name=re.compile("Move the cursor")).click()
    reader.reads(".ladder .here", ".+")
    reader.sees(".st-key-proposed")
    reader.loses("a", ".st-key-proposed")
    reader.reads(".st-key-running", "Intervention stage")
    reader.waits("b", ".chip.stage:has-text('Intervention')")


def test_an_alert_is_acknowledged_answered_and_resolved(
    therapist: Therapist, client_app: ClientApp, stack: Stack
) -> None:
    session = written(client_app, DANGER)
    reader = therapist(at(session))
    reader.reads(".banner.alert", "Alert")
    expect(reader.page).to_have_title(re.compile(r"^\(\d+\) ⚠"))
    reader.waits("o", ".alarm mark")
    reader.part("take").locator("button").click()
    reader.sees(".st-key-send_row")
    reader.waits("q", ":text('demo-therapist is looking')")
    reader.page.get_by_role("button", name="Insert").first.click()
    expect(reader.editor).not_to_have_value("")
    reader.waits("a", ".st-key-hold")
    asked = arrives(client_app, session, 1)
    reader.waits("s", "label:has-text('agreed')")
    reader.page.get_by_label(re.compile("agreed")).fill("met a colleague, safety plan made")
    reader.page.get_by_text("safety plan", exact=True).click()
    reader.page.get_by_role("button", name="Resolve this alert").click()
    reader.misses(".alarm")
    with stacks.caller(stack, "demo-therapist") as api:
        seen = api.get(f"/v1/sessions/{session}/workspace").json()
    assert (len(asked), seen["status"]) == (1, "open")


def test_the_service_may_go_down_and_come_back_without_a_lost_word(
    therapist: Therapist, client_app: ClientApp, stack: Stack
) -> None:
    session = written(client_app)
    reader = therapist(at(session))
    reader.holds()
    words = reader.draft()
    stack.stop("api")
    reader.sees(".banner.offline")
    reader.edits(" Still here.")
    stack.start_api()
    reader.misses(".banner.offline")
    expect(reader.editor).to_have_value(f"{words} Still here.")
    reader.sees(".st-key-send_row")
    reader.waits("Control+Enter", ".st-key-hold")
    assert len(arrives(client_app, session, 1)) == 1

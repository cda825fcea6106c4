"""The adapters page: a way back is followed to its end, and each step is told as it went."""

import httpx
import pytest
from fastapi.testclient import TestClient

from planner.vocabulary import Role
from service.schemas.admin import RolloutView
from tests.console import canned_admin
from tests.console.test_pages import shows, words
from tests.console.watched import Line, errors, over
from ui import texts
from ui.views.adapters import steps

NEW, OLD = "utterance-3f9a1c2b7d10", "utterance-77aa01bc9e42"
GATE = ("preflight", "loading", "warming", "gating")


def rollout(*steps: str, reason: str | None = None) -> RolloutView:
    change = {"steps": steps, "state": steps[-1], "reason": reason}
    return canned_admin.rollout().model_copy(update=change)


class Rolling(Line):
    """A service whose rollout stands where the test puts it."""

    view = rollout("preflight")
    serving = NEW
    rollbacks = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/rollback") and not self.refuses:
            self.rollbacks += 1
            return httpx.Response(202, text=self.view.model_dump_json())
        if path.startswith("/v1/rollouts/"):
            return httpx.Response(200, text=self.view.model_dump_json())
        if path == "/v1/adapters":
            whole = canned_admin.adapters()
            now = whole.model_copy(
                update={"aliases": {**whole.aliases, Role.UTTERANCE: self.serving}}
            )
            return httpx.Response(200, text=now.model_dump_json())
        return super().handle_request(request)


@pytest.fixture
def line(http: TestClient) -> Rolling:
    return Rolling(http)


def test_a_way_back_is_followed_until_the_previous_adapter_is_back(line: Rolling) -> None:
    script = over(line, "adapters", "supervisor-full").button(key="back_utterance").click().run()
    assert line.rollbacks == 1
    assert shows(script, "adapters.going_back", "en")
    assert not shows(script, "adapters.rolled_back", "en")
    assert script.button(key="back_utterance").disabled
    line.view, line.serving = rollout(*GATE, "flipping", "confirming", "draining", "done"), OLD
    script.run()
    assert shows(script, "adapters.rolled_back", "en")
    assert texts.say("en", "adapters.in_service", name=OLD) in words(script)
    assert not script.button(key="back_utterance").disabled


def test_a_way_back_that_fails_says_why(line: Rolling) -> None:
    script = over(line, "adapters", "supervisor-full").button(key="back_utterance").click().run()
    line.view = rollout(*GATE, "clearing", "rolled_back", reason="gate_failed: plans_obeying")
    script.run()
    assert not shows(script, "adapters.rolled_back", "en")
    assert shows(script, "rollout_reason.gate_failed", "en")
    assert "plans_obeying" in words(script)


def test_a_refused_way_back_is_said_and_not_followed(line: Rolling) -> None:
    line.refuses["/rollback"] = (409, "no_rollout")
    script = over(line, "adapters", "supervisor-full").button(key="back_utterance").click().run()
    assert errors(script) == [texts.say("en", "refused.no_rollout")]
    assert not shows(script, "adapters.going_back", "en")
    assert not script.button(key="back_utterance").disabled


@pytest.mark.parametrize(
    ("view", "kinds"),
    [
        (rollout("preflight"), ["here"]),
        (rollout(*GATE), ["done", "done", "done", "here"]),
        (rollout(*GATE, "clearing", reason="gate_failed: x"),
         ["done", "done", "done", "failed", "here"]),
        (rollout("preflight", "rolled_back", reason="unfit: x"), ["failed"]),
        (rollout("preflight", "loading", "clearing", reason="asked: "), ["done", "left", "here"]),
        (rollout("returning", "emptying", reason="asked: "), ["done", "here"]),
        (rollout("preflight", "loading", "done"), ["done", "done"]),
    ],
)  # fmt: skip
def test_each_step_is_shown_once_and_a_failed_one_is_not_done(
    view: RolloutView, kinds: list[str]
) -> None:
    assert [kind for _, kind in steps(view)] == kinds

"""Every page in every state: clear words, in both languages, and never a traceback."""

import logging
import re
from io import StringIO
from pathlib import Path
from typing import NoReturn

import pytest
from fastapi.testclient import TestClient
from streamlit.testing.v1 import AppTest

from service.schemas.admin import Me
from tests.console.canned import DRAFTED, PLANNED
from ui import texts
from ui.client import Api
from ui.desk import Desk
from ui.texts import Tongue
from ui.views import PAGES

PATIENCE_S = 60
SCRIPT = """
import streamlit as st
from ui import account, views
pages = {page.path: page.show for page in views.PAGES}
account.bar(tuple(pages))
pages["{PAGE}"]()
account.told()
"""
STATES = [
    ("queue", "therapist-full", "queue.waiting"),
    ("queue", "therapist-empty", "queue.empty_title"),
    ("queue", "therapist-away", "state.offline_title"),
    ("queue", "therapist-broken", "refused.unavailable"),
    ("queue", "therapist-expired", "state.expired_title"),
    ("queue", "therapist-forbidden", "refused.forbidden"),
    ("queue", "therapist-unplugged", "account.engine_down"),
    ("workspace", "therapist-full", "draft.why"),
    ("workspace", "therapist-stale", "draft.stale"),
    ("workspace", "therapist-fallback", "draft.template"),
    ("workspace", "therapist-nodraft", "no_draft.engine_unavailable"),
    ("workspace", "therapist-unplugged", "state.engine_down"),
    ("workspace", "therapist-paused", "no_draft.paused"),
    ("workspace", "therapist-taken", "workspace.taken"),
    ("workspace", "therapist-lost", "workspace.lost"),
    ("workspace", "therapist-gone", "refused.not_found"),
    ("workspace", "therapist-away", "state.offline_title"),
    ("workspace", "therapist-expired", "state.expired"),
    ("workspace", "therapist-crisis", "no_draft.crisis"),
    ("plan", "therapist-full", "plan.proposed"),
    ("plan", "therapist-taken", "workspace.taken"),
    ("plan", "therapist-away", "state.offline"),
    ("crisis", "therapist-crisis", "crisis.waiting"),
    ("crisis", "therapist-seen", "crisis.resolve"),
    ("crisis", "therapist-full", "page.crisis"),
    ("crisis", "therapist-empty", "crisis.none_title"),
    ("crisis", "therapist-broken", "state.refused_title"),
    ("insights", "supervisor-full", "insights.times_title"),
    ("insights", "supervisor-empty", "insights.empty_title"),
    ("insights", "supervisor-away", "state.offline_title"),
    ("audit", "supervisor-full", "audit.intact"),
    ("audit", "supervisor-empty", "audit.empty_title"),
    ("adapters", "supervisor-full", "adapters.serving"),
    ("adapters", "ops-full", "adapters.health"),
    ("adapters", "ops-away", "state.offline_title"),
]


def opened(http: TestClient, page: str, token: str, tongue: Tongue = "en") -> AppTest:
    """The page as a reader of that token meets it."""
    script = AppTest.from_string(SCRIPT.replace("{PAGE}", page), default_timeout=PATIENCE_S)
    role = token.split("-")[0]
    me = Me.model_validate({"name": "R. Therapist", "role": role, "team": "north"})
    desk = Desk(Api(http, token), me)
    if token.endswith("-lost"):
        desk.lost.add("ses_1")
    script.session_state["desk"] = desk
    script.session_state["tongue"] = tongue
    script.query_params["session"] = PLANNED if page == "plan" else DRAFTED
    return script.run()


def words(script: AppTest) -> str:
    """Everything to read on the page."""
    kinds = ("html", "markdown", "caption", "error", "button")
    found = [element for kind in kinds for element in script.get(kind)]
    return "\n".join(
        str(getattr(one.proto, name, ""))
        for one in found
        for name in ("body", "label")
    )  # fmt: skip


def shows(script: AppTest, key: str, tongue: Tongue) -> bool:
    """Whether the text stands on the page, whatever fills its places."""
    wanted = texts.catalogue()[key][tongue]
    pattern = ".*".join(re.escape(part) for part in re.split(r"\{[^}]*\}", wanted))
    return re.search(pattern, words(script).replace("&#x27;", "'"), re.DOTALL) is not None


@pytest.mark.parametrize("tongue", texts.TONGUES)
@pytest.mark.parametrize(("page", "token", "key"), STATES)
def test_a_page_says_where_the_reader_stands(
    http: TestClient, page: str, token: str, key: str, tongue: Tongue
) -> None:
    script = opened(http, page, token, tongue)
    assert len(script.exception) == 0
    assert shows(script, key, tongue) is True


def test_every_page_has_a_state_here() -> None:
    assert {page for page, _, _ in STATES} == {page.path for page in PAGES}


@pytest.mark.parametrize("page", ["workspace", "plan"])
def test_a_session_page_without_a_session_shows_the_way_back(http: TestClient, page: str) -> None:
    script = AppTest.from_string(SCRIPT.replace("{PAGE}", page), default_timeout=PATIENCE_S)
    me = Me.model_validate({"name": "R. Therapist", "role": "therapist", "team": "north"})
    script.session_state["desk"] = Desk(Api(http, "therapist-full"), me)
    script.run()
    assert shows(script, "state.no_session", "en") is True


def test_an_unknown_token_is_told_so_and_nothing_else(http: TestClient) -> None:
    script = AppTest.from_string(
        "import streamlit as st\nfrom ui import sign_in\nsign_in.ask(st.session_state['http'])",
        default_timeout=PATIENCE_S,
    )
    script.session_state["http"] = http
    script.run()
    script.text_input[0].set_value("nobody")
    script.button[0].click().run()
    assert len(script.exception) == 0
    assert [error.value for error in script.error] == [texts.say("en", "signin.unknown")]


def test_what_a_page_trips_over_is_printed_without_its_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = " ".join(("Quillonby", "called"))

    def trips() -> NoReturn:
        raise KeyError(words)

    printed = StringIO()
    monkeypatch.setattr("ui.sign_in.known", trips)
    monkeypatch.setattr(logging.getLogger("streamlit.error_util"), "handlers", [])
    logging.getLogger("streamlit.error_util").addHandler(logging.StreamHandler(printed))
    page = Path(__file__).parents[2] / "ui" / "app.py"
    script = AppTest.from_file(str(page), default_timeout=PATIENCE_S).run()
    assert len(script.exception) == 1
    assert "KeyError" in printed.getvalue()
    assert "in trips" in printed.getvalue()
    assert (words in printed.getvalue()) is False


def test_the_catalogue_speaks_both_languages_with_the_same_places() -> None:
    odd = [
        key
        for key, both in texts.catalogue().items()
        if set(both) != set(texts.TONGUES)
        or sorted(re.findall(r"\{(\w+)", both["en"])) != sorted(re.findall(r"\{(\w+)", both["zh"]))
    ]
    assert odd == []

"""The line between console and canned service: what went over it, and how it can fail."""

import json

import httpx
from fastapi.testclient import TestClient
from streamlit.testing.v1 import AppTest

from service.schemas.problem import Problem
from service.schemas.workspace import Workspace
from tests.console.test_pages import opened


class Line(httpx.BaseTransport):
    """Carries each request to the canned service and remembers it."""

    def __init__(self, http: TestClient) -> None:
        self.http = http
        self.shows: Workspace | None = None
        """The workspace of its session from now on, whatever the scene."""
        self.cut = False
        """Nothing reaches the service."""
        self.loses: str | None = None
        """Requests whose path holds this get through; their answers do not."""
        self.refuses: dict[str, tuple[int, str]] = {}
        """Status and code for paths that end so."""
        self.written: list[tuple[str, dict[str, object]]] = []
        """Path and body of every write but claims and what is kept unsent; one asked again once."""
        self._keys: set[str | None] = set()
        self.unsent: list[dict[str, object]] = []
        """What was asked to be kept unsent."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if self.cut:
            raise httpx.ConnectError("cut", request=request)
        key = request.headers.get("Idempotency-Key")
        again = key is not None and key in self._keys
        self._keys.add(key)
        if request.method != "GET" and not path.endswith(("/claim", "/unsent")) and not again:
            self.written.append((path, json.loads(request.content or b"{}")))
        if path.endswith("/unsent"):
            self.unsent.append(json.loads(request.content))
        if self.loses and self.loses in path:
            raise httpx.ReadTimeout("lost", request=request)
        for end, (status, code) in self.refuses.items():
            if path.endswith(end):
                body = Problem(type="about:blank", title=code, status=status, detail="", code=code)
                return httpx.Response(status, text=body.model_dump_json())
        if self.shows and path.endswith(f"/{self.shows.session_id}/workspace"):
            return httpx.Response(200, text=self.shows.model_dump_json())
        answer = self.http.request(
            request.method, str(request.url), content=request.content, headers=request.headers
        )
        return httpx.Response(answer.status_code, content=answer.content)


def over(line: Line, page: str, scene: str = "therapist-full") -> AppTest:
    """The page as its reader meets it at the end of this line."""
    return opened(httpx.Client(transport=line, base_url="http://service"), page, scene)


def errors(script: AppTest) -> list[str]:
    """What the page says went wrong; a traceback is never among it."""
    assert len(script.exception) == 0
    return [error.value for error in script.error]


def press(script: AppTest, label: str) -> AppTest:
    """Press the button with these words on it."""
    return next(one for one in script.button if one.label == label).click().run()

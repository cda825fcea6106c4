"""A press whose answer was lost is sent again under the same key; another press has its own."""

from collections.abc import Callable

import httpx
import pytest

from service.schemas.review import Decided, ReplyRequest
from ui.client import Api, Refused, Unanswered

DONE = Decided(decision_id="dec_1", release_at=None, seq=7)
Act = Callable[[httpx.Request], httpx.Response]


class Line:
    """A way to the service that fails so many times, and what was asked over it."""

    def __init__(self, failures: int, fail: Act) -> None:
        self.left, self.fail = failures, fail
        self.asked: list[httpx.Request] = []
        http = httpx.Client(transport=httpx.MockTransport(self._answer), base_url="http://town")
        self.api = Api(http, "token")

    @property
    def keys(self) -> list[str | None]:
        """The key of each request."""
        return [one.headers.get("Idempotency-Key") for one in self.asked]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        self.left -= 1
        return self.fail(request) if self.left >= 0 else httpx.Response(201, text=_JSON)


_JSON = DONE.model_dump_json()


def lost(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("gone", request=request)


def ailing(_: httpx.Request) -> httpx.Response:
    return httpx.Response(503, json={})


def press(line: Line) -> Decided:
    return line.api.reply("ses_1", ReplyRequest(text="I hear you.", basis=3), "clm_1")


@pytest.mark.parametrize("fail", [lost, ailing])
def test_what_was_perhaps_done_is_asked_for_once_more_under_its_key(fail: Act) -> None:
    line = Line(1, fail)
    assert press(line) == DONE
    first, again = line.asked
    assert line.keys[0] is not None
    assert line.keys[0] == line.keys[1]
    assert first.content == again.content
    press(line)
    assert line.keys[2] not in {None, line.keys[0]}


def test_an_answer_that_is_lost_twice_stays_unknown() -> None:
    line = Line(2, lost)
    with pytest.raises(Unanswered):
        press(line)
    assert len(line.asked) == 2


def down(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("down", request=request)


@pytest.mark.parametrize("then", [down, ailing])
def test_what_was_lost_is_not_called_unsent_by_a_service_that_is_away_since(then: Act) -> None:
    tries = iter((lost, then))
    line = Line(2, lambda request: next(tries)(request))
    with pytest.raises(Unanswered):
        press(line)


@pytest.mark.parametrize("status", [409, 422, 429])
def test_a_plain_no_is_not_asked_again(status: int) -> None:
    line = Line(1, lambda _: httpx.Response(status, json={}))
    with pytest.raises(Refused):
        press(line)
    assert len(line.asked) == 1


def test_a_way_back_is_never_asked_for_twice() -> None:
    line = Line(1, lost)
    with pytest.raises(Unanswered):
        line.api.roll_back("utterance")
    assert line.keys == [None]

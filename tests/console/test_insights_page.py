"""The insights page's figures are what their labels say, and no mixture of unlike things."""

import re

import httpx
import pytest
from fastapi.testclient import TestClient

from safety.risk import RiskLevel
from service.schemas.insights import AlertFigures, Insights, Times
from tests.console import canned_admin
from tests.console.test_pages import opened
from tests.console.watched import Line
from ui import texts
from ui.texts import Tongue


class Counted(Line):
    """A service that has counted these figures."""

    def __init__(self, http: TestClient, figures: Insights) -> None:
        super().__init__(http)
        self.figures = figures

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/insights"):
            return httpx.Response(200, text=self.figures.model_dump_json())
        return super().handle_request(request)


def shown(http: TestClient, tongue: Tongue = "en", **changes: object) -> dict[str, str]:
    """The figures on top of the page, by label."""
    figures = canned_admin.figures().model_copy(update=changes)
    api = httpx.Client(transport=Counted(http, figures), base_url="http://service")
    script = opened(api, "insights", "supervisor-full", tongue)
    assert len(script.exception) == 0
    numbers = next(one.proto.body for one in script.get("html") if "<dt>" in one.proto.body)
    return dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", numbers))


def alerts(level: RiskLevel, seconds: float | None) -> AlertFigures:
    return AlertFigures(
        level=level, raised=2, acknowledged=0 if seconds is None else 2, resolved=0, escalated=0,
        acknowledging=Times(p50_s=seconds, p90_s=seconds),
    )  # fmt: skip


@pytest.mark.parametrize("tongue", texts.TONGUES)
def test_acknowledging_is_told_of_the_gravest_level_that_was_looked_at(
    http: TestClient, tongue: Tongue
) -> None:
    found = (
        alerts(RiskLevel.MODERATE, 61.0),
        alerts(RiskLevel.HIGH, 22.0),
        alerts(RiskLevel.IMMINENT, None),
    )
    level = texts.say(tongue, "level.high")
    label = texts.say(tongue, "insights.acknowledging_level", level=level)
    assert shown(http, tongue, alerts=found)[label] == texts.say(tongue, "insights.seconds", n=22)


def test_no_level_is_named_where_nobody_has_looked(http: TestClient) -> None:
    found = shown(http, alerts=(alerts(RiskLevel.HIGH, None),))
    assert found[texts.say("en", "insights.acknowledging")] == "–"


def test_a_typical_day_is_the_middle_of_the_days_also_of_two(http: TestClient) -> None:
    days = canned_admin.figures().days[:2]
    assert [day.answering.p50_s for day in days] == [30.0, 34.0]
    found = shown(http, days=days)
    assert found[texts.say("en", "insights.answering")] == "32 s"

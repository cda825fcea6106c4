"""Nobody on call can be reached for long: each is still called as soon as somebody can be."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from safety.risk import Category
from service.ports import Page
from service.session.alarms import AlertPaged
from tests.driving import Town, town
from tests.fakes import FakePager
from tests.stories.test_numbers_tell import number


@dataclass
class CountingPager(FakePager):
    """Notes when it was asked to reach somebody, and whom about."""

    tried: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    now_ms: Callable[[], int] = int

    async def page(self, page: Page) -> bool:
        """Tell somebody, if anybody can be reached."""
        self.tried.append((self.now_ms(), page.alert_id))
        return await super().page(page)


@dataclass
class Beyond:
    """A service whose pager reaches nobody, long enough that its log tells no more of it."""

    here: Town
    pager: CountingPager
    session: str
    length: int

    def tries(self) -> list[int]:
        """Give how long after the one before each attempt came, in ms, and forget them."""
        times = [at_ms for at_ms, _ in self.pager.tried]
        self.pager.tried = self.pager.tried[-1:]
        return [after - before for before, after in pairwise(times)]


@pytest.fixture
async def beyond() -> AsyncGenerator[Beyond]:
    """An hour after everybody was to be called of an imminent alert."""
    pager = CountingPager(reaches=False)
    async with town(pager=pager) as here:
        pager.now_ms = here.clock.now_ms
        session, _ = await here.alarmed("imminent")
        await here.work()
        for _ in range(600):
            await here.work(1_000)
        found = Beyond(here, pager, session, await here.length(session))
        found.tries()
        yield found


async def test_a_pager_that_is_away_for_long_is_tried_as_often_and_fills_no_log(
    beyond: Beyond,
) -> None:
    here = beyond.here
    before = number("pages_total", outcome="failed")
    log = await here.house.ledger.events(beyond.session, 0)
    told = [one.event for one in log.values() if isinstance(one.event, AlertPaged)]
    assert [one.delivered for one in told] == [False] * len(here.policy.backoff_ms)
    for _ in range(600):
        await here.work(1_000)
    assert beyond.tries() == [30_000] * 20
    assert await here.length(beyond.session) == beyond.length
    assert number("pages_total", outcome="failed") == before + 20


@pytest.mark.parametrize("restarted", [False, True], ids=["same-process", "after-a-restart"])
async def test_whom_a_pager_could_not_reach_for_long_it_calls_as_soon_as_it_is_back(
    beyond: Beyond, restarted: bool
) -> None:
    here = beyond.here
    here.pager.reaches = True
    if restarted:
        here.restart()
    for _ in range(30):
        await here.work(1_000)
    # By now the second and the third person should have been called long ago.
    tiers = [page.tier for page in here.pager.pages]
    assert tiers[:3] == [0, 1, 2]
    assert (await here.desk("ada", beyond.session))["alerts"][0]["pages"] == len(tiers)


async def test_a_page_that_waits_unwritten_is_put_off_by_nothing_that_happens_in_its_session(
    beyond: Beyond,
) -> None:
    here = beyond.here
    for second in range(90):
        if not second % 7:
            await here.say(beyond.session, "Is anybody there?")
        await here.work(1_000)
    assert beyond.tries() == [30_000] * 3
    here.pager.reaches = True
    await here.work(30_000)
    assert here.pager.pages[0].tier == 0


async def test_each_alert_of_a_session_is_called_about_while_another_waits_unwritten(
    beyond: Beyond,
) -> None:
    here = beyond.here
    while here.clock.now_ms() < beyond.pager.tried[-1][0] + 10_000:
        await here.work(1_000)
    ((_, first),) = beyond.pager.tried
    here.screen.category = Category.HARM_TO_OTHERS
    await here.say(beyond.session, "[imminent]")
    await here.work()
    for _ in range(120):
        await here.work(1_000)
    times = [at_ms for at_ms, about in beyond.pager.tried if about != first]
    waits = [after - before for before, after in pairwise(times)]
    assert waits == [1_000, 2_000, 5_000, 15_000, 30_000, 30_000, 30_000]
    here.pager.reaches = True
    await here.work(30_000)
    called = {page.alert_id for page in here.pager.pages}
    assert called == {about for _, about in beyond.pager.tried}
    assert len(called) == 2

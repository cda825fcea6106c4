"""The adapter desk says how an adapter did when it was brought in."""

from pathlib import Path

from models.rollout import Phase
from planner.vocabulary import Role
from tests.driving import town
from tests.stories.test_adapters_change import opened


async def test_the_share_of_failed_answers_is_told_once_some_were_counted(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk, town() as here:
        here.refit(rolling=desk.rolling)
        name, other = desk.publish(), desk.publish()
        await desk.rolling.start(Role.UTTERANCE, name)
        await desk.until(Phase.DRAINING)
        for well in (True, True, True, False):
            await desk.rolling.answered(name, well)
        listed = (await here.call("oli", "GET", "/v1/adapters")).json()["items"]
        assert {one["name"]: one["error_rate"] for one in listed} == {name: 0.25, other: None}

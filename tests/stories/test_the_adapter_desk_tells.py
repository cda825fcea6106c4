"""The adapter desk says how an adapter did when it was brought in."""

from pathlib import Path
from types import SimpleNamespace

from models.rollout import Phase
from planner.vocabulary import Role
from service.adapter_desk import list_adapters
from tests.stories.test_adapters_change import opened


async def test_the_share_of_failed_answers_is_told_once_some_were_counted(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        name, other = desk.publish(), desk.publish()
        await desk.rolling.start(Role.UTTERANCE, name)
        await desk.until(Phase.DRAINING)
        for well in (True, True, True, False):
            await desk.rolling.answered(name, well)
        listed = await list_adapters(SimpleNamespace(rolling=desk.rolling), None)
        assert {one.name: one.error_rate for one in listed.items} == {name: 0.25, other: None}

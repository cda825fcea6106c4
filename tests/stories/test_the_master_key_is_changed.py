"""Operators change the master key while client apps talk: nothing fails, nothing is said twice."""

from collections.abc import Iterator

import pytest

from service.auth import mark_anew
from service.sealing import MasterKeys, rotate
from service.stores.memory import MemoryStore
from service.stores.port import Answer as Known
from tests.driving import MASTER, Town, town
from tests.stories.test_simulated_talks import ask, user

OLD, NEW = MASTER.keys[0], bytes(range(32, 64))
BEFORE, SECOND, FIRST, AFTER = (
    MasterKeys(keys) for keys in ((OLD,), (OLD, NEW), (NEW, OLD), (NEW,))
)
ROLLS = ((BEFORE, SECOND), (SECOND, FIRST), (FIRST, AFTER))
"""Which keys a pod may have that was restarted, beside one that was not, as operations.md says."""


class LateStore(MemoryStore):
    """A store that is asked before another pod's write and written to after it."""

    async def answer(self, key: str) -> Known | None:
        """Know of no answer yet."""
        return None


def pods(here: Town, *orders: MasterKeys) -> Iterator[None]:
    """Let one pod after another take the next request; only the store is shared."""
    for keys in orders:
        here.master = keys
        here.restart()
        yield


@pytest.mark.parametrize("roll", ROLLS)
@pytest.mark.parametrize("turned", [False, True])
async def test_a_retry_that_another_pod_takes_is_recorded_once(
    here: Town, roll: tuple[MasterKeys, MasterKeys], turned: bool
) -> None:
    here.master = roll[0]
    here.restart()
    session, heard = await here.open(), list[object]()
    if roll[0] is FIRST:
        await rotate(here.store, FIRST)
        await mark_anew(here.store, FIRST)
    for _ in pods(here, *(reversed(roll) if turned else roll)):
        answer = await here.say(session, "Hello.", Idempotency_Key="k")
        heard.append((answer.status_code, answer.json()))
    assert heard[0] == heard[1]
    assert await here.length(session) == 2


async def test_a_key_reused_with_other_words_is_still_refused(here: Town) -> None:
    session = await here.open()
    await here.say(session, "Hello.", Idempotency_Key="k")
    for _ in pods(here, SECOND, FIRST):
        answer = await here.say(session, "Goodbye.", Idempotency_Key="k")
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_reused")


async def test_two_pods_that_take_one_request_at_the_same_moment_do_it_once() -> None:
    async with town(LateStore()) as here:
        body = {"client_ref": "c-1", "language": "en", "region": "US"}
        opened, said = set[str](), set[int]()
        for _ in pods(here, SECOND, FIRST):
            answer = await here.call("app", "POST", "/v1/sessions", body, Idempotency_Key="o")
            opened.add(answer.json()["id"])
            said.add((await here.say(min(opened), "Hello.", Idempotency_Key="k")).json()["seq"])
        assert (len(opened), said) == (1, {2})


async def test_a_whole_rotation_forgets_neither_words_nor_answers(here: Town) -> None:
    session = await here.open()
    for step, _ in enumerate(pods(here, BEFORE, SECOND, FIRST)):
        assert (await here.say(session, f"Line {step}.")).status_code == 202
    assert (await rotate(here.store, FIRST)).rewrapped == 1
    assert (await mark_anew(here.store, FIRST)).anew == len(here.keys)
    await here.say(session, "The last.", Idempotency_Key="k")
    for _ in pods(here, AFTER):
        assert (await here.say(session, "The last.", Idempotency_Key="k")).json()["seq"] == 5
    assert await here.length(session) == 5


async def test_a_simulated_talk_goes_on_in_its_session(here: Town) -> None:
    sessions, lines = set[str](), ["[high] today"]
    for _ in pods(here, BEFORE, FIRST):
        here.refit(harness=True)
        told = (await ask(here, user(*lines))).json()
        sessions.add(told["second_chair"]["session_id"])
        lines += [told["choices"][0]["message"]["content"], "I am still here."]
    assert len(sessions) == 1

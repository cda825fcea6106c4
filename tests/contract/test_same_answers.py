"""The same random commands to every store give the same results and the same refusals."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from safety.risk import RiskLevel
from service.stores.memory import MemoryStore
from service.stores.port import (
    AlreadyAnswered,
    ClaimedByOther,
    ClaimLost,
    ClaimWish,
    Conflict,
    Document,
    Fence,
    Lease,
    RowQuery,
)
from service.stores.redis import RedisStore
from service.stores.sqlite import SqliteStore
from tests.contract.conftest import Store
from tests.contract.making import NOW, answer, append, row
from tests.contract.redis_server import RedisServer

_EXAMPLES = int(os.environ.get("STORE_EXAMPLES", "25"))
_REFUSALS = (AlreadyAnswered, ClaimLost, ClaimedByOther, Conflict, KeyError, ValueError)

sessions = st.sampled_from(["a", "ab", "b", "ses_ü"])
people = st.sampled_from(["anna", "berta"])
teams = st.sampled_from(["north", "south"])
kinds = st.sampled_from([None, "alert", "draft", "plan", "no_draft"])
statuses = st.sampled_from(["open", "crisis", "closed", "erased"])
times = st.integers(NOW - 3, NOW + 3)
numbers = st.integers(0, 4)


@st.composite
def made_rows(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(kinds)
    return {
        "team": draw(teams), "status": draw(statuses), "kind": kind,
        "risk": draw(st.sampled_from(RiskLevel)), "urgency": draw(st.integers(0, 12)),
        "waiting_since_ms": draw(times) if kind else None,
        "due_at_ms": draw(st.none() | times), "created_at_ms": draw(times),
        "assigned_to": draw(st.none() | people), "updated_at_ms": draw(times),
        "alert_id": draw(st.none() | st.just("alr_a")),
    }  # fmt: skip


class Stores(RuleBasedStateMachine):
    """Every store side by side; `redis_url` is set by the test that runs this."""

    redis_url = ""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        with redis.Redis.from_url(self.redis_url) as client:
            client.flushall()
        self.stores: list[Store] = [
            MemoryStore(),
            SqliteStore(self.folder / "secondchair.db"),
            RedisStore(self.redis_url),
        ]
        self.tokens: list[str] = []

    def same(self, ask: Callable[[Store], Awaitable[Any]]) -> Any:
        given = [self.runner.run(_told(ask, store)) for store in self.stores]
        assert given[0] == given[1], "memory and sqlite differ"
        assert given[0] == given[2], "memory and redis differ"
        return given[0]

    def teardown(self) -> None:
        for store in self.stores:
            self.runner.run(store.close())
        self.runner.close()
        shutil.rmtree(self.folder)

    @rule(
        session=sessions, off=st.sampled_from([0, 0, 0, 0, -1, 1]), count=st.integers(1, 3),
        made=made_rows(), fence=st.none() | st.tuples(people, numbers),
        key=st.none() | st.sampled_from(["k1", "k2", "k3"]), until=times,
        destroy=st.sampled_from([False] * 9 + [True]),
    )  # fmt: skip
    def write(
        self, session: str, off: int, count: int, made: dict[str, Any],
        fence: tuple[str, int] | None, key: str | None, until: int, destroy: bool,
    ) -> None:  # fmt: skip
        after = max(0, len(self.same(lambda store: store.read(session))) + off)
        said = append(
            session, after, count,
            row=row(session, after + count, **made),
            fence=Fence(*fence) if fence else None,
            answer=answer(key, until) if key else None,
            destroy_key=destroy,
        )  # fmt: skip
        self.same(lambda store: store.append(said))
        self.same(lambda store: store.read(session, max(0, after - 1)))
        self.same(lambda store: store.wrapped_key(session))

    @rule(
        session=sessions, holder=people, now=times, lasts=st.integers(0, 4),
        take_over=st.booleans(), renew=st.none() | numbers,
    )  # fmt: skip
    def claim(
        self, session: str, holder: str, now: int, lasts: int, take_over: bool, renew: int | None
    ) -> None:
        wish = ClaimWish(session, holder, now, now + lasts, take_over, renew)
        self.same(lambda store: store.claim(wish))
        self.same(lambda store: store.row(session))

    @rule(session=sessions, holder=people, number=numbers)
    def release(self, session: str, holder: str, number: int) -> None:
        self.same(lambda store: store.release_claim(session, Fence(holder, number)))
        self.same(lambda store: store.row(session))

    @rule(
        order=st.sampled_from(["queue", "alerts", "newest"]), team=st.none() | teams, kind=kinds,
        status=st.none() | statuses, risk=st.none() | st.sampled_from(RiskLevel),
        person=st.none() | people, now=times, limit=st.integers(1, 3),
        again=st.integers(0, 9),
    )  # fmt: skip
    def rows(
        self, order: Any, team: str | None, kind: Any, status: str | None, risk: RiskLevel | None,
        person: str | None, now: int, limit: int, again: int,
    ) -> None:  # fmt: skip
        after = self.tokens[again % len(self.tokens)] if again > 6 and self.tokens else None
        person = person if order == "queue" else None
        query = RowQuery(order, team, status, kind, risk, person, now, after, limit)
        page = self.same(lambda store: store.rows(query))
        if isinstance(page, tuple) and page[1]:
            self.tokens.append(page[1])

    @rule(now=times, lasts=st.integers(0, 4), limit=st.integers(1, 3))
    def lease(self, now: int, lasts: int, limit: int) -> None:
        self.same(lambda store: store.lease_due(now, now + lasts, limit))
        self.same(lambda store: store.next_due_ms())

    @rule(session=sessions, number=numbers, until=times)
    def keep(self, session: str, number: int, until: int) -> None:
        self.same(lambda store: store.keep_lease(Lease(session, number), until))
        self.same(lambda store: store.next_due_ms())

    @rule(session=sessions, number=numbers, since=times, look=times)
    def put_aside(self, session: str, number: int, since: int, look: int) -> None:
        lease = Lease(session, number)
        self.same(lambda store: store.keep_lease(lease, look, aside_since_ms=since))
        self.same(lambda store: store.next_due_ms())
        self.same(lambda store: store.next_due_ms(aside=False))

    @rule(until=times, limit=st.integers(1, 3))
    def lease_aside(self, until: int, limit: int) -> None:
        self.same(lambda store: store.lease_due(NOW, until, limit, aside=True))
        self.same(lambda store: store.next_due_ms())

    @rule(session=sessions, old=sessions)
    def rewrap(self, session: str, old: str) -> None:
        was = b"\0key of " + old.encode()
        self.same(lambda store: store.rewrap(session, was, b"\0key of " + session.encode()))
        self.same(lambda store: store.wrapped_key(session))

    @rule(key=st.sampled_from(["k1", "k2", "k3"]), now=times)
    def answers(self, key: str, now: int) -> None:
        self.same(lambda store: store.forget_answers(now))
        self.same(lambda store: store.answer(key))
        self.same(lambda store: store.answers())

    @rule(
        kind=st.sampled_from(["x", "y"]), key=st.sampled_from(["p", "q"]),
        version=st.integers(0, 3), body=st.binary(max_size=3), drop=st.booleans(),
    )  # fmt: skip
    def documents(self, kind: str, key: str, version: int, body: bytes, drop: bool) -> None:
        self.same(lambda store: store.put_document(kind, Document(key, version, body)))
        self.same(lambda store: store.documents(kind))
        if drop:
            self.same(lambda store: store.drop_document(kind, key))
        self.same(lambda store: store.document(kind, key))
        self.same(lambda store: store.kinds())


async def _told(ask: Callable[[Store], Awaitable[Any]], store: Store) -> Any:
    """What a store answers or refuses, in a form that can be compared."""
    try:
        said = await ask(store)
    except _REFUSALS as refusal:
        return (type(refusal), getattr(refusal, "answer", None))
    if isinstance(said, tuple) and said and isinstance(said[0], list | tuple):
        return (list(said[0]), *said[1:])
    return list(said) if isinstance(said, list | tuple) and not hasattr(said, "_fields") else said


@pytest.mark.redis
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_memory_sqlite_and_redis_answer_and_refuse_alike(redis_server: RedisServer) -> None:
    Stores.redis_url = redis_server.url
    run_state_machine_as_test(
        Stores,
        settings=settings(
            max_examples=_EXAMPLES, stateful_step_count=40, deadline=None,
            suppress_health_check=list(HealthCheck), print_blob=True,
        ),
    )  # fmt: skip

"""A bad world around the service, and what must hold in it whatever happens."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import structlog
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from safety.risk import RiskLevel
from service.session.duties import Policy
from tests.driving import Answer, Town, town
from tests.fakes import NameFinder
from tests.simulation.auditing import Auditor
from tests.simulation.mortal import Crash, Life, MortalEngine, MortalPager, MortalStore

LATE_MS = 3_600_000
_Given = TypeVar("_Given")


@dataclass
class Talk:
    """What the outside world remembers of one session."""

    id: str
    sent: dict[str, str] = field(default_factory=dict[str, str])
    """Idempotency key to text, answered or not."""
    accepted: dict[str, tuple[str, int]] = field(default_factory=dict[str, tuple[str, int]])
    """Idempotency key to what the 202 said."""
    unjudged: set[str] = field(default_factory=set[str])
    """Message ids of the 202s that were given while the screen was broken."""
    views: dict[str, Any] = field(default_factory=dict[str, Any])
    """What each reviewer saw last; they decide on that, however old."""
    decisions: list[str] = field(default_factory=list[str])


class World(RuleBasedStateMachine):
    """A service with a worker, and everything around it that can go wrong."""

    runs: ClassVar[int] = 0
    steps: ClassVar[int] = 0
    unjudged: ClassVar[int] = 0
    named: ClassVar[int] = 0
    """How many there really were, for the record: runs, steps, messages accepted while the screen
    was broken, prompts of sessions in which somebody was named."""

    def __init__(self) -> None:
        super().__init__()
        World.runs += 1
        self.bugs: list[str] = []
        structlog.configure(processors=[self._listen], cache_logger_on_first_use=False)
        self.runner = asyncio.Runner()
        self.closing = AsyncExitStack()
        self.life = Life()
        self.store = MortalStore(1, self.life)
        made = town(
            self.store, Policy(hold_ms=5_000), engine=MortalEngine(life=self.life),
            pager=MortalPager(life=self.life),
        )  # fmt: skip
        self.here: Town = self.runner.run(self.closing.enter_async_context(made))
        self.trouble = 0
        self.talks: list[Talk] = []
        self.auditors: dict[str, Auditor] = {}
        self.said = self.prompts = 0

    def _listen(self, _: Any, __: str, line: Any) -> Any:
        if line["event"] == "bug":
            self.bugs.append(f"{line['error']} {line['where']}")
        raise structlog.DropEvent

    def do(self, work: Coroutine[Any, Any, _Given]) -> _Given | None:
        """Run until done, or until the process dies; then a fresh one takes over."""
        found, self.life.taken = None, 0
        try:
            found = self.runner.run(work)
        except Crash:
            pass
        except BaseExceptionGroup as group:
            if group.split(Crash)[1] is not None:
                raise
        if self.life.dead:
            self.life.again()
            self.here.restart()
        self.trouble -= 1
        if self.trouble == 0:
            self._mend()
        return found

    def _mend(self) -> None:
        self.store.rate = 0.0
        self.here.engine.manner, self.here.pager.reaches = "ok", True
        self.here.screen.broken = self.here.scrubber.broken = False

    def ask(self, work: Coroutine[Any, Any, Answer]) -> Answer | None:
        """Send a request; only our own refusals and an unavailable world may come back."""
        answer = self.do(work)
        assert answer is None or answer.status_code < 500 or answer.status_code == 503
        return answer

    def talk(self, pick: int) -> Talk:
        """Give one of the sessions."""
        return self.talks[pick % len(self.talks)]

    @rule(ms=st.sampled_from([0, 0, 0, 1_000, 5_000, 20_000, 600_000]))
    def work(self, ms: int) -> None:
        self.here.clock.tick(ms)
        self.do(self.here.work())

    @rule(manner=st.sampled_from(["slow", "garbage", "down"]), uses=st.integers(1, 12))
    def engine_fails(self, manner: Any, uses: int) -> None:
        self.here.engine.manner, self.trouble = manner, uses

    @rule(uses=st.integers(1, 6))
    def nobody_can_be_reached(self, uses: int) -> None:
        self.here.pager.reaches, self.trouble = False, uses

    @rule(screen=st.integers(0, 7), uses=st.integers(1, 3))
    def safety_breaks(self, screen: int, uses: int) -> None:
        self.here.screen.broken, self.here.scrubber.broken = screen >= 6, screen < 6
        self.trouble = uses

    @rule(rate=st.sampled_from([0.1, 0.3, 1.0]), uses=st.integers(1, 12))
    def store_fails(self, rate: float, uses: int) -> None:
        self.store.rate, self.trouble = rate, uses

    @rule(step=st.booleans())
    def engine_steps(self, step: bool) -> None:
        self.here.engine.step = step

    @rule(after=st.integers(0, 40))
    def will_die(self, after: int) -> None:
        self.life.left = after

    # --- what must always be true

    @invariant()
    def no_bug_was_met(self) -> None:
        World.steps += 1
        assert self.bugs == []

    @invariant()
    def no_model_is_told_a_name(self) -> None:
        """Look at the prompts since the last step."""
        prompts = self.here.engine.prompts[self.prompts :]
        self.prompts += len(prompts)
        told = any(name in repr(one) for name in NameFinder().names for one in prompts)
        assert not told, "P4: no prompt holds a name"
        spoken = any("Gregor" in text for talk in self.talks for text in talk.sent.values())
        World.named += len(prompts) if spoken else 0

    @invariant()
    def every_promise_holds(self) -> None:
        rate, left = self.store.rate, self.life.left
        self.store.rate, self.life.left = 0.0, None
        self.runner.run(self._audit())
        self.store.rate, self.life.left = rate, left

    async def _audit(self) -> None:
        for talk in self.talks:
            auditor = self.auditors.setdefault(talk.id, Auditor(talk.id))
            await auditor.look(self.store, self.here.house.ledger)
            for message_id, seq in talk.accepted.values():
                assert auditor.texts.get(message_id, seq + 1) <= seq, "P2: accepted is recorded"
            self._judged(talk, auditor)
            shown = await self.here.replies(talk.id)
            kept = [auditor.decided[one].text for one in auditor.released]
            assert [one["text"] for one in shown] == kept, "P1: what the client sees"

    def _judged(self, talk: Talk, auditor: Auditor) -> None:
        for line in auditor.state.entries:
            named = [level for level in RiskLevel if f"[{level}]" in line.text]
            named += [RiskLevel.IMMINENT] if line.id in talk.unjudged else []
            if line.kind == "client":
                assert all(line.level.at_least(level) for level in named), "P3: danger is seen"

    def teardown(self) -> None:
        try:
            self._recover()
        finally:
            self.runner.run(self.closing.aclose())
            self.runner.close()
            structlog.reset_defaults()

    def _recover(self) -> None:
        """In a healthy world everything owed is paid in the end."""
        self.life.again()
        self._mend()
        for _ in range(3):
            self.life.taken = 0
            self.runner.run(self.here.work(LATE_MS))
        self.every_promise_holds()
        self.no_model_is_told_a_name()
        self.no_bug_was_met()
        for auditor in self.auditors.values():
            for alarm in auditor.state.alarms:
                urgent = alarm.level.at_least(RiskLevel.HIGH)
                seen = alarm.acknowledged_at_ms or alarm.resolved_at_ms
                assert not urgent or seen or alarm.pages, "every high alert is paged"
            state = auditor.state
            assert state.held is None, "what was held has left"
            if state.status == "open" and state.unanswered:
                assert state.draft is not None, "somebody who waits has a draft"
                assert state.draft_is_fresh

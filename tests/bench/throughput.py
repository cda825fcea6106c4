"""What the service costs an engine: the same prompts through the service, then straight to it.

    python -m tests.bench.throughput

The service side opens sessions, writes, waits for each draft and answers in a therapist's own
words, with real screen and scrub; every prompt it asks is kept, and asked again without it. Sides
take turns. A session's salt is another one there, so neither side finds the other's words in the
prefix cache.
"""

import asyncio
import time
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from models.base_model import DEFAULT_FOLDER
from models.completion import Ask, Completion
from models.train import pairs
from models.vllm_engine import VllmEngine, open_client
from planner.prompt import Prompt
from planner.vocabulary import ClientTurn
from safety.screen import load_screen
from safety.scrub import load_scrubber
from service.ports import Drafting
from tests.bench.alone import alone
from tests.bench.engine import CORPUS
from tests.bench.figures import Bench, Row
from tests.bench.in_process import bureau

AT_ONCE = 8
SESSIONS = 16
TURNS = 2
ROUNDS = 2
LEAST = 0.95
REPLY = "Thank you for telling me. What would you like to look at first?"
"""What the therapist says instead of each draft: some of the small base's do not pass the guard."""
_PATIENCE_S = 600.0


@dataclass
class Keeping:
    """An engine that remembers what it was asked and how many tokens it answered."""

    engine: VllmEngine
    asked: list[tuple[Prompt, Ask]] = field(default_factory=list[tuple[Prompt, Ask]])
    tokens: int = 0

    async def complete(self, prompt: Prompt, ask: Ask) -> tuple[Completion, ...]:
        """Ask, keep, count."""
        self.asked.append((prompt, ask))
        answers = await self.engine.complete(prompt, ask)
        self.tokens += answers[0].completion_tokens
        return answers


async def measure(bench: Bench, url: str, key: str, work: Path) -> None:
    """Let both sides answer in turns, and note answer tokens per second of each."""
    spent = {"service": 0.0, "engine": 0.0}
    tokens = {"service": 0, "engine": 0}
    async with open_client(url, key) as client:
        engine = VllmEngine(client, DEFAULT_FOLDER.name)
        for number in range(ROUNDS + 1):
            through, straight = Keeping(engine), Keeping(engine)
            (work / str(number)).mkdir()
            service_s = await _through_service(work / str(number), through)
            engine_s = await _straight(straight, through.asked)
            if number:  # the first round warms both up
                spent["service"] += service_s
                spent["engine"] += engine_s
                tokens["service"] += through.tokens
                tokens["engine"] += straight.tokens
    speed = {side: tokens[side] / spent[side] for side in spent}
    share = speed["service"] / speed["engine"]
    bench.note("throughput_tokens_per_s", speed)
    bench.rows += [
        Row(f"the engine alone, {AT_ONCE} at once", f"{speed['engine']:.1f} tokens/s"),
        Row(
            f"the service in front of it, {AT_ONCE} sessions at once",
            f"{speed['service']:.1f} tokens/s ({share:.0%})",
            aim=f"at least {LEAST:.0%}",
        ),
    ]


async def _through_service(folder: Path, engine: Keeping) -> float:
    asking = Drafting(temperature=0.0, timeout_s=_PATIENCE_S)
    safety = {"screen": load_screen(), "scrubber": load_scrubber()}
    async with bureau(folder, engine=engine, drafting=asking, **safety) as here:
        began = time.perf_counter()

        async def talk(lines: Iterable[str]) -> None:
            session = await here.open()
            for line in lines:
                await here.turn(session, line, REPLY)

        await _at_once(talk(lines) for lines in _lines())
        return time.perf_counter() - began


async def _straight(engine: Keeping, asked: list[tuple[Prompt, Ask]]) -> float:
    began = time.perf_counter()
    await _at_once(
        engine.complete(prompt, replace(ask, salt=f"again {ask.salt}")) for prompt, ask in asked
    )
    return time.perf_counter() - began


def _lines() -> list[list[str]]:
    """What the clients of the first sessions of the corpus say first."""
    sessions = pairs.read_sessions(CORPUS)[:SESSIONS]
    said = ([turn for turn in one.diagnostic if isinstance(turn, ClientTurn)] for one in sessions)
    return [[turn.utterance for turn in turns[:TURNS]] for turns in said]


async def _at_once(acts: Iterable[Coroutine[None, None, object]]) -> None:
    """Do everything, so many at a time, in order."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(act: Coroutine[None, None, object]) -> None:
        async with slots:
            await act

    async with asyncio.TaskGroup() as tasks:
        for act in acts:
            tasks.create_task(one(act))


if __name__ == "__main__":
    alone(measure)

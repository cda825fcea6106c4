"""LangGraph's human in the loop doing the same turns, with its own SQLite checkpointer.

Run by ``.venv-bench``'s Python and nothing else: it must import none of ours. A graph of the same
four steps: screen, draft, a human's interrupt, send. Screen and model are stubbed as in ours, and
say the same words. Prints one JSON object.
"""

import argparse
import json
import operator
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, TypedDict

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

AT_ONCE, LONG = 16, 20


class Talk(TypedDict, total=False):
    """What a session carries from turn to turn."""

    lines: Annotated[list[dict[str, str]], operator.add]
    """The transcript, as its reducer keeps it: one part for each line."""
    risk: str
    draft: dict[str, str]
    words: dict[str, str]


def screen(_: Talk) -> Talk:
    """Stubbed: calm."""
    return {"risk": "none"}


def draft(_: Talk) -> Talk:
    """Stubbed: answers at once."""
    return {"draft": WORDS}


def review(state: Talk) -> Talk:
    """Wait for a human's word on the draft."""
    verdict = interrupt(state["draft"])
    return {"draft": {**state["draft"], "verdict": verdict}}


def send(state: Talk) -> Talk:
    """Let the reply leave."""
    return {"lines": [{"by": "counselor", **state["draft"]}]}


WORDS: dict[str, str] = {}
"""What the stub engine says, given by the bench so that both sides carry the same bytes."""


class Peer:
    """One database and the graph that runs on it."""

    def __init__(self, folder: Path, durability: str) -> None:
        self.path = folder / "peer.db"
        self.durability = durability
        self.link = sqlite3.connect(self.path, check_same_thread=False)
        self.link.execute("PRAGMA journal_mode=WAL")
        self.link.execute("PRAGMA synchronous=FULL")
        self.saver = SqliteSaver(self.link, serde=JsonPlusSerializer())
        graph = StateGraph(Talk)
        steps: tuple[tuple[str, Callable[[Talk], Talk]], ...] = (
            ("screen", screen), ("compose", draft), ("review", review), ("send", send),
        )  # fmt: skip
        for (name, step), before in zip(steps, (START, *(n for n, _ in steps)), strict=False):
            graph.add_node(name, step)
            graph.add_edge(before, name)
        graph.add_edge("send", END)
        self.graph = graph.compile(checkpointer=self.saver)

    def ask(self, session: str, text: str) -> None:
        """A message arrives and is drafted for."""
        given: Any = {"lines": [{"by": "client", "text": text}]}
        self.graph.invoke(given, _thread(session), durability=self.durability)

    def turn(self, session: str, text: str) -> float:
        """Message, draft, decision, reply; give how long that took, s."""
        began = time.perf_counter()
        self.ask(session, text)
        done = self.graph.invoke(
            Command(resume="approve"), _thread(session), durability=self.durability
        )
        assert done["lines"][-1]["by"] == "counselor"
        return time.perf_counter() - began

    def bytes(self) -> int:
        """What the database takes on the disk."""
        self.link.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return self.path.stat().st_size


def _thread(session: str) -> Any:
    return {"configurable": {"thread_id": session}}


def turns(peer: Peer, text: str, count: int, at_once: int) -> dict[str, float]:
    """Give whole turns a second, and their times, in sessions of `LONG` turns."""

    def talk(number: int) -> list[float]:
        return [
            peer.turn(f"{number}-{turn // LONG}", text) for turn in range(1, count // at_once + 1)
        ]

    for number in range(at_once):
        peer.turn(f"{number}-0", text)
    began, before = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(at_once) as pool:
        waits = [wait for one in pool.map(talk, range(at_once)) for wait in one]
    spent = (time.process_time() - before) / len(waits) * 1000
    per_s = len(waits) / (time.perf_counter() - began)
    return {"per_s": per_s, "cpu_ms": spent, **_quantiles(waits)}


def messages(peer: Peer, text: str, count: int) -> dict[str, float]:
    """Give how fast a message is only recorded, not answered: one checkpoint each."""
    waits: list[float] = []
    for number in range(count):
        began = time.perf_counter()
        said = {"lines": [{"by": "client", "text": text}]}
        peer.graph.update_state(_thread(f"m{number % 50}"), said, as_node=START)
        waits.append(time.perf_counter() - began)
    return {"per_s": len(waits) / sum(waits), **_quantiles(waits)}


def sizes(peer: Peer, text: str) -> dict[str, float]:
    """Give bytes a turn around turn 20 and turn 100, and how long a session of 100 loads."""
    at: dict[int, int] = {0: peer.bytes()}
    for number in range(1, 101):
        peer.turn("long", text)
        if number in {10, 20, 90, 100}:
            at[number] = peer.bytes()
    waits: list[float] = []
    for _ in range(50):
        began = time.perf_counter()
        peer.graph.get_state(_thread("long"))
        waits.append(time.perf_counter() - began)
    return {
        "at_20": (at[20] - at[10]) / 10, "at_100": (at[100] - at[90]) / 10,
        "load_ms": statistics.median(waits) * 1000,
    }  # fmt: skip


def queue(peer: Peer, text: str, sessions: int, looks: int) -> dict[str, float]:
    """Give how long it takes to find who waits for a human: it has no list, so all are read.

    One real session is copied as often as wanted; checkpoints name their session in one column.
    """
    peer.ask("waits", text)
    for table in ("checkpoints", "writes"):
        columns = [row[1] for row in peer.link.execute(f"PRAGMA table_info({table})")]
        rest = ", ".join(columns[1:])
        peer.link.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) "  # noqa: S608
            f"INSERT INTO {table} SELECT 'waits-' || i, {rest} FROM {table}, n "
            "WHERE thread_id = 'waits'",
            (sessions - 1,),
        )
    peer.link.commit()
    waits: list[float] = []
    for _ in range(looks):
        began = time.perf_counter()
        seen: set[str] = set()
        waiting = 0
        for one in peer.saver.list(None):
            thread = one.config["configurable"]["thread_id"]
            if thread not in seen:
                seen.add(thread)
                waiting += any(channel == "__interrupt__" for _, channel, _ in one.pending_writes)
        assert waiting == sessions
        waits.append(time.perf_counter() - began)
    return {"looks": looks, **_quantiles(waits)}


def _quantiles(waits: list[float]) -> dict[str, float]:
    ordered = sorted(waits)
    last = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return {"p50_ms": statistics.median(ordered) * 1000, "p99_ms": last * 1000}


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """Measure what was asked for, each on a fresh database."""
    found: dict[str, Any] = {"version": version("langgraph")}
    parts: list[str] = asked.parts.split(",")
    if "turns" in parts:
        for how in ("exit", "sync"):
            for number in (1, AT_ONCE):
                found[f"turns_{number}_{how}"] = _fresh(
                    lambda p, n=number: turns(p, asked.text, asked.turns, n), how
                )
        found["messages"] = _fresh(lambda p: messages(p, asked.text, asked.turns * 2))
    if "sizes" in parts:
        for how in ("exit", "sync"):
            found[f"sizes_{how}"] = _fresh(lambda p: sizes(p, asked.text), how)
    for count in [int(part.removeprefix("queue")) for part in parts if part.startswith("queue")]:
        looks = 10 if count <= 1_000 else 1
        found[f"queue_{count}"] = _fresh(lambda p, n=count, k=looks: queue(p, asked.text, n, k))
    return found


def _fresh(measured: Callable[[Peer], Any], durability: str = "sync") -> Any:
    folder = Path(tempfile.mkdtemp(prefix="bench-peer-"))
    peer = Peer(folder, durability)
    with closing(peer.link):
        found = measured(peer)
    shutil.rmtree(folder)
    return found


def main() -> None:
    """Print what was measured as one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", required=True, help="JSON: the stub engine's answer")
    parser.add_argument("--text", required=True, help="what the client says each time")
    parser.add_argument("--turns", type=int, default=200)
    parser.add_argument("--parts", default="turns,sizes,queue1000")
    asked = parser.parse_args()
    WORDS.update(json.loads(asked.words))
    print(json.dumps(measure(asked)))


if __name__ == "__main__":
    main()

"""What was asked, what was acknowledged and when: the outside view that the log is held against."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

WINDOW_S = 6.0
"""What begins so soon after a kill is put down to it."""


@dataclass
class Witness:
    """Notes of everything an outsider can know."""

    sessions: set[str] = field(default_factory=set[str])
    said: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Every text a client tried to say, by session, in order."""
    accepted: dict[str, str] = field(default_factory=dict[str, str])
    """Text to the message id of its 202."""
    decided: dict[str, str] = field(default_factory=dict[str, str])
    """Decision id of each 201 to its session."""
    received: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    """Replies a client was given: session to reply id to text."""
    paged: set[str] = field(default_factory=set[str])
    """Alerts a person was reached about."""
    times: list[float] = field(default_factory=list[float])
    """When each 202 arrived, seconds."""
    waits: list[float] = field(default_factory=list[float])
    """How long each 202 took from the first attempt on, seconds."""
    began: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by the first decision: from then on every part is at work."""

    def accept(self, text: str, message_id: str, began: float) -> None:
        """Note a 202."""
        now = time.monotonic()
        self.accepted[text] = message_id
        self.times.append(now)
        self.waits.append(now - began)

    def decide(self, decision_id: str, session_id: str) -> None:
        """Note a 201."""
        self.decided[decision_id] = session_id
        self.began.set()

    def silence_after(self, moment: float) -> float:
        """Give the longest stretch without a 202 that began within ``WINDOW_S`` of a moment."""
        times = [moment, *(one for one in self.times if moment <= one <= moment + 30.0)]
        stretches = itertools.pairwise(times)
        return max((b - a for a, b in stretches if a < moment + WINDOW_S), default=0.0)


@asynccontextmanager
async def pager_receiver(witness: Witness) -> AsyncGenerator[int]:
    """Listen where pages go, note each alert, answer 200; gives the port."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
                page = json.loads(await reader.readexactly(length))
                witness.paged.add(page["alert_id"])
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()

"""What was asked, what was acknowledged and when: the outside view that the log is held against."""

import asyncio
import itertools
import json
import time
from collections.abc import Mapping
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

    def page(self, body: bytes, _: Mapping[str, str]) -> None:
        """Note that a page came."""
        self.paged.add(json.loads(body)["alert_id"])

    def silence_after(self, moment: float) -> float:
        """Give the longest stretch without a 202 that began within ``WINDOW_S`` of a moment."""
        times = [moment, *(one for one in self.times if moment <= one <= moment + 30.0)]
        stretches = itertools.pairwise(times)
        return max((b - a for a, b in stretches if a < moment + WINDOW_S), default=0.0)

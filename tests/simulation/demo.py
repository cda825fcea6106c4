"""A session played to its end over HTTP by people who never give up, whatever dies meanwhile."""

import asyncio
import time
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.chaos.people import Address

_PAUSE_S = 0.05
_PATIENCE_S = 900.0
"""Longest wait for one reply. Far more than anything takes that has not been lost."""
Json = Any


@dataclass
class Told:
    """What the people of one session know for certain."""

    session: str
    accepted: dict[str, str] = field(default_factory=dict[str, str])
    """Text to the message id of its 202, in order."""
    decided: set[str] = field(default_factory=set[str])
    """Decision ids of 201s."""
    heard: dict[str, str] = field(default_factory=dict[str, str])
    """Reply id to text, as the client was given them."""


class Stuck(Exception):
    """What was owed did not come."""


@dataclass
class Demo:
    """One client and one reviewer (``ada``) at one address."""

    address: Address
    app: str
    ada: str
    name: str

    async def play(self) -> Told:
        """Go from the first message to the decision that ends the session."""
        opened = {"client_ref": self.name, "language": "en", "region": "US"}
        told = Told((await self._accepted("/v1/sessions", opened, self.name))["id"])
        for number in count(1):
            text = f"This is what I say as number {number} of {self.name}."
            said = await self._accepted(
                f"/v1/sessions/{told.session}/messages", {"text": text}, f"{self.name}-{number}"
            )
            told.accepted[text] = said["message_id"]
            if await self._answered(told, number):
                return told
        raise AssertionError

    async def _accepted(self, path: str, body: Json, once: str) -> Json:
        """Post the same request until it is accepted."""
        headers = {"Idempotency-Key": once}
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            answer = await self.address.ask("POST", path, self.app, json=body, headers=headers)
            if answer is not None and answer.is_success:
                return answer.json()
            assert answer is None or answer.status_code == 503, answer.status_code
            await asyncio.sleep(_PAUSE_S)
        raise Stuck("a message was not accepted")

    async def _answered(self, told: Told, replies: int) -> bool:
        """Review until the client has so many replies; tell whether that ended the session."""
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            path = f"/v1/sessions/{told.session}/replies?page_size=200"
            answer = await self.address.ask("GET", path, self.app)
            if answer is not None and answer.is_success:
                told.heard = {one["reply_id"]: one["text"] for one in answer.json()["items"]}
            desk = await self.address.ask("GET", f"/v1/sessions/{told.session}/workspace", self.ada)
            if desk is not None and desk.is_success:
                seen = desk.json()
                if len(told.heard) >= replies and not seen["held"]:
                    return bool(seen["plan"]["position"]["finished"])
                await self._review(told, seen)
            await asyncio.sleep(_PAUSE_S)
        raise Stuck("no reply came")

    async def _review(self, told: Told, seen: Json) -> None:
        """Calm an alert, or decide on the plan or draft that lies there, one step on each time."""
        for alert in seen["alerts"]:
            if alert["resolved_at"] is None:
                await self._calm(f"/v1/alerts/{alert['alert_id']}")
        proposed, draft = seen["plan"]["proposed"], seen["draft"]
        if not (proposed or draft):
            return
        path = f"/v1/sessions/{told.session}/claim"
        claim = await self.address.ask("POST", path, self.ada, json={})
        if claim is None or not claim.is_success:
            return
        asked: Json = {"verdict": "approve", "basis": seen["seq"]}
        if proposed:
            path = f"/v1/plans/{proposed['plan_id']}/decisions"
        else:
            path = f"/v1/drafts/{draft['draft_id']}/decisions"
            step = seen["plan"]["position"]["candidates"][-1]
            asked |= {"verdict": "respond", "text": f"And then? ({seen['seq']})", "action": step}
        holding = {"X-Claim": claim.json()["claim"]}
        done = await self.address.ask("POST", path, self.ada, json=asked, headers=holding)
        if done is not None and done.status_code == 201 and draft and not proposed:
            told.decided.add(done.json()["decision_id"])

    async def _calm(self, path: str) -> None:
        """The screen may see danger where none was written; only a human lets drafting go on."""
        said = {"outcome": "safe", "note": "Talked it through."}
        await self.address.ask("POST", f"{path}/acknowledge", self.ada)
        await self.address.ask("POST", f"{path}/resolve", self.ada, json=said)

"""Clients who write and therapists who decide, until told to stop; nobody reads anybody's mind."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from tests.chaos.witness import Witness

_PAUSE_S = 0.1
_PATIENCE_S = 15.0
_RESTS, _REST_S = 0.35, (1.0, 5.0)
"""How often a client stops to think, and for how long: a draft must live to be decided on."""
_LONGEST = 25
"""Messages a client says before she opens another session."""
_CALM = (
    "It was a long day at work again.",
    "My sister called yesterday and we talked about the holidays.",
    "I tried the breathing before the meeting, and it helped a little.",
    "I keep thinking that my boss is disappointed in me.",
    "The kids are at their grandparents, so the house is quiet.",
    "I wrote down the thought, as we said, but I forgot to rate it.",
)
CRISIS = "I do not want to be alive any more, I want to end my life."
Json = dict[str, Any]


@dataclass
class Address:
    """One address in front of replicas: whoever does not answer is passed over."""

    bases: Sequence[str]
    client: httpx.AsyncClient
    turn: int = 0

    async def ask(self, method: str, path: str, key: str, **given: Any) -> httpx.Response | None:
        """Ask one replica; None when nobody knows what became of it."""
        self.turn += 1
        base = self.bases[self.turn % len(self.bases)]
        headers = {"Authorization": f"Bearer {key}", **given.pop("headers", {})}
        try:
            return await self.client.request(
                method, f"{base}{path}", headers=headers, timeout=_PATIENCE_S, **given
            )
        except httpx.HTTPError:
            return None


@dataclass
class Script:
    """What the people of one run share."""

    address: Address
    witness: Witness
    dice: random.Random
    stop: asyncio.Event


async def client(script: Script, key: str, name: str) -> None:
    """Open sessions and talk in them, one message after the other, each until it is accepted."""
    sessions = 0
    while not script.stop.is_set():
        sessions += 1
        opened = {"client_ref": f"{name}-{sessions}", "language": "en", "region": "US"}
        answer = await _until(script, "/v1/sessions", key, opened, f"{name}-{sessions}")
        if answer is None:
            return
        session_id = answer["id"]
        script.witness.sessions.add(session_id)
        for number in range(_LONGEST):
            if script.stop.is_set():
                return
            await _say(script, key, session_id, f"{name}-{sessions}-{number}")
            await asyncio.sleep(script.dice.uniform(0, 2 * _PAUSE_S))
            if script.dice.random() < _RESTS:
                await asyncio.sleep(script.dice.uniform(*_REST_S))


async def therapist(script: Script, key: str) -> None:
    """Take what waits and decide on it; whatever is refused is somebody else's or outdated."""
    while not script.stop.is_set():
        answer = await script.address.ask("GET", "/v1/queue?page_size=40", key)
        items = answer.json()["items"] if answer is not None and answer.is_success else []
        if items:
            await _review(script, key, script.dice.choice(items))
        await asyncio.sleep(script.dice.uniform(0, _PAUSE_S))


async def _say(script: Script, key: str, session_id: str, mark: str) -> None:
    danger = script.dice.random() < 0.04
    text = f"{CRISIS if danger else script.dice.choice(_CALM)} ({mark})"
    script.witness.said.setdefault(session_id, []).append(text)
    began = time.monotonic()
    path = f"/v1/sessions/{session_id}/messages"
    answer = await _until(script, path, key, {"text": text}, f"m-{mark}")
    if answer is not None:
        script.witness.accept(text, answer["message_id"], began)


async def _until(script: Script, path: str, key: str, body: Json, once: str) -> Json | None:
    """Post the same request until it is accepted; None only when the run ends first."""
    while True:
        headers = {"Idempotency-Key": once}
        answer = await script.address.ask("POST", path, key, json=body, headers=headers)
        if answer is not None and answer.is_success:
            return answer.json()
        if answer is not None and answer.status_code < 500:
            raise AssertionError(f"refused: {answer.status_code} {answer.json()['code']}")
        if script.stop.is_set():
            return None
        await asyncio.sleep(_PAUSE_S)


async def _review(script: Script, key: str, item: Json) -> None:
    session_id, ask = item["session_id"], script.address.ask
    claim = await ask("POST", f"/v1/sessions/{session_id}/claim", key, json={})
    if claim is None or not claim.is_success:
        return
    holding = {"X-Claim": claim.json()["claim"]}
    seen = await ask("GET", f"/v1/sessions/{session_id}/workspace", key)
    if seen is not None and seen.is_success:
        await _decide(script, key, seen.json(), holding)
    await ask("DELETE", f"/v1/sessions/{session_id}/claim", key, headers=holding)


async def _decide(script: Script, key: str, seen: Json, holding: dict[str, str]) -> None:
    ask, basis = script.address.ask, seen["seq"]
    proposed = seen["plan"]["proposed"]
    if seen["status"] == "crisis" or seen["alerts"]:
        for alert in seen["alerts"]:
            path = f"/v1/alerts/{alert['alert_id']}"
            await ask("POST", f"{path}/acknowledge", key, headers=holding)
            said = {"outcome": "safe", "note": "Talked it through."}
            await ask("POST", f"{path}/resolve", key, json=said, headers=holding)
        return
    if proposed:
        path = f"/v1/plans/{proposed['plan_id']}/decisions"
        await ask("POST", path, key, json={"verdict": "approve", "basis": basis}, headers=holding)
        return
    draft = seen["draft"]
    if draft is None:
        return
    path = f"/v1/drafts/{draft['draft_id']}/decisions"
    asked = {"verdict": "approve", "basis": basis}
    if script.dice.random() < 0.3:
        step = draft["candidates"][0]["action"]
        text = "Thank you for telling me. What was hardest?"
        asked |= {"verdict": "respond", "text": text, "action": step}
    done = await ask("POST", path, key, json=asked, headers=holding)
    if done is not None and done.is_success:
        script.witness.decide(done.json()["decision_id"], seen["session_id"])

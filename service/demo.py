"""A whole recorded session over HTTP, with a scripted reviewer; says no if a promise breaks.

Knows the service only through its API: a client app on one side, a therapist on the other.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import httpx

_PATIENCE_S = 300.0
"""How long to wait for a draft: a CPU engine shares its cores with everything else."""
_LOOK_S = 0.4
Json = dict[str, Any]


class PromiseBroken(Exception):
    """The service did what it promised never to do."""


class TooSlow(Exception):
    """Something that should have come by now has not."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The client's lines of a recorded session, and what its counselor answered to each."""

    ref: str
    profile: Json
    client: tuple[str, ...]
    counselor: tuple[str, ...]


@dataclass(slots=True)
class Demo:
    """One run: two callers, one session, and what was seen so far."""

    api: httpx.Client
    app: Mapping[str, str]
    therapist: Mapping[str, str]
    supervisor: Mapping[str, str]
    session_id: str = ""
    claim: str = ""
    sent: list[str] = field(default_factory=list[str])
    decided: list[str] = field(default_factory=list[str])

    def post(self, path: str, body: Json, who: Mapping[str, str], **headers: str) -> Json:
        """Post, and give the answer. Raises: httpx.HTTPStatusError."""
        answer = self.api.post(path, json=body, headers={**who, **headers})
        answer.raise_for_status()
        return answer.json()

    def get(self, path: str, who: Mapping[str, str]) -> Json:
        """Get. Raises: httpx.HTTPStatusError."""
        answer = self.api.get(path, headers=dict(who))
        answer.raise_for_status()
        return answer.json()

    def workspace(self) -> Json:
        """Give what the therapist sees."""
        return self.get(f"/v1/sessions/{self.session_id}/workspace", self.therapist)

    def replies(self) -> list[Json]:
        """Give what the client has received."""
        return self.get(f"/v1/sessions/{self.session_id}/replies?page_size=200", self.app)["items"]

    def hold_claim(self) -> Mapping[str, str]:
        """Take or renew the claim; give the headers of a reviewer's write."""
        renewing = {"X-Claim": self.claim} if self.claim else {}
        path = f"/v1/sessions/{self.session_id}/claim"
        self.claim = self.post(path, {}, self.therapist, **renewing)["claim"]
        return {**self.therapist, "X-Claim": self.claim}


def recorded(corpus: Path, number: int) -> Recorded:
    """Give the n-th session of the corpus."""
    line = corpus.read_text(encoding="utf-8").splitlines()[number]
    session = json.loads(line)
    turns = [*session["diagnosis"]["turns"], *session["intervention"]["turns"]]
    client = [turn["utterance"] for turn in turns if turn["role"] == "client"]
    counselor = [turn["utterance"] for turn in turns if turn["role"] == "counselor"]
    return Recorded(
        session["id"], {"name": session["profile"]["name"]}, tuple(client), tuple(counselor[1:])
    )


def play(demo: Demo, script: Recorded, run_id: str) -> None:
    """Play the session to its end. Raises: PromiseBroken, TooSlow, httpx.HTTPError."""
    opened = {"client_ref": script.ref, "language": "en", "region": "US", "profile": script.profile}
    key = {"Idempotency-Key": f"{run_id}-open"}
    demo.session_id = demo.post("/v1/sessions", opened, demo.app, **key)["id"]
    click.secho(f"session {demo.session_id}, recorded as {script.ref}\n", bold=True)
    for number, words in enumerate(script.client):
        _client_says(demo, words, f"{run_id}-{number}")
        left = len(script.client) - number - 1
        _therapist_decides(demo, script, number, left)
        if _settle_plan(demo):
            click.echo()
        if demo.workspace()["plan"]["position"]["finished"]:
            break
    _check_end(demo)


def _client_says(demo: Demo, words: str, key: str) -> None:
    path = f"/v1/sessions/{demo.session_id}/messages"
    first = demo.post(path, {"text": words}, demo.app, **{"Idempotency-Key": key})
    again = demo.post(path, {"text": words}, demo.app, **{"Idempotency-Key": key})
    if again != first:
        raise PromiseBroken("a repeated request was answered differently")
    demo.sent.append(words)
    click.secho(f"client     {words}", fg="cyan")


def _therapist_decides(demo: Demo, script: Recorded, number: int, left: int) -> None:
    before = len(demo.replies())
    started = time.monotonic()
    seen = _until(demo, lambda now: bool(now["draft"]) and now["draft"]["source"] == "model")
    if len(demo.replies()) != before:
        raise PromiseBroken("words left before anybody decided")
    if number == 1:
        seen = _reject(demo, seen)
    draft = seen["draft"]
    candidate = draft["candidates"][0]
    waited = time.monotonic() - started
    position = seen["plan"]["position"]
    click.echo(
        f"  draft    {position['stage']} | {candidate['action']} | {draft['adapter']} | "
        f"{draft['latency_ms']} ms, {waited:.1f} s until on the desk"
    )
    click.secho(f"  because  {candidate['reasoning']}", dim=True)
    click.secho(f"  says     {candidate['utterance']}", dim=True)
    _decide(demo, seen, script.counselor[min(number, len(script.counselor) - 1)], left)
    _released(demo, before)


def _decide(demo: Demo, seen: Json, recorded_reply: str, left: int) -> None:
    """Approve what passes its checks; else say what the recorded counselor said."""
    draft, position = seen["draft"], seen["plan"]["position"]
    candidate = draft["candidates"][0]
    body: Json = {"verdict": "approve", "basis": seen["seq"], "dwell_ms": 1500}
    if candidate["checks"] or len(demo.decided) % 3 == 2:
        body |= {"verdict": "edit", "text": recorded_reply, "reasons": ["relevance", "clarity"]}
    actions, index = position["plan"]["actions"], position["action_index"]
    to_come = len(actions) - 1 - (-1 if index is None else index)
    if position["stage"] == "diagnostic" or to_come >= left:
        body["action"] = position["candidates"][-1]
    answer = _try(demo, draft["draft_id"], body)
    if answer.status_code == 422:
        names = [check["check"] for check in answer.json()["checks"]]
        body |= {"verdict": "edit", "text": recorded_reply, "reasons": ["other"]}
        answer = _try(demo, draft["draft_id"], body | {"confirm_checks": names})
    answer.raise_for_status()
    twice = _try(demo, draft["draft_id"], body)
    if twice.status_code != 409:
        raise PromiseBroken("one draft was decided on twice")
    after = demo.workspace()["plan"]["position"]
    if after["stage"] == position["stage"]:
        step = (after["action_index"] or 0) - (index or 0)
        if step not in {0, 1}:
            raise PromiseBroken("the cursor skipped an action")
    demo.decided.append(body.get("text") or candidate["utterance"])
    click.secho(f"  verdict  {body['verdict']}", fg="yellow")


def _reject(demo: Demo, seen: Json) -> Json:
    """Refuse one draft with a reason and a hint, and wait for the next."""
    body = {
        "verdict": "reject", "reasons": ["empathy"], "hint": "name the feeling first",
        "basis": seen["seq"],
    }  # fmt: skip
    _try(demo, seen["draft"]["draft_id"], body).raise_for_status()
    click.secho("  verdict  reject: empathy; a new draft is prepared", fg="yellow")
    old = seen["draft"]["draft_id"]
    return _until(
        demo,
        lambda now: (
            bool(now["draft"])
            and now["draft"]["draft_id"] != old
            and now["draft"]["source"] == "model"
        ),
    )


def _settle_plan(demo: Demo) -> bool:
    """Approve the plan once the diagnostic stage is done; only that begins the intervention."""
    seen = demo.workspace()
    position = seen["plan"]["position"]
    at_end = position["action_index"] == len(position["plan"]["actions"]) - 1
    if position["stage"] != "diagnostic" or not at_end:
        return False
    seen = _until(demo, lambda now: bool(now["plan"]["proposed"]))
    proposed = seen["plan"]["proposed"]
    body = {"verdict": "approve", "basis": seen["seq"]}
    demo.post(f"/v1/plans/{proposed['plan_id']}/decisions", body, demo.hold_claim())
    click.secho(f"\nplan       {proposed['plan']['strategy']} ({proposed['source']})", fg="magenta")
    for action in proposed["plan"]["actions"]:
        click.echo(f"             - {action}")
    click.secho("  verdict  approve: the intervention begins", fg="yellow")
    return True


def _released(demo: Demo, before: int) -> None:
    deadline = time.monotonic() + 60
    while len(demo.replies()) == before:
        if time.monotonic() > deadline:
            raise TooSlow("a decided reply did not leave")
        time.sleep(_LOOK_S)
    reply = demo.replies()[-1]["text"]
    if reply != demo.decided[-1]:
        raise PromiseBroken("what left is not what was decided")
    click.secho(f"therapist  {reply}\n", fg="green")


def _check_end(demo: Demo) -> None:
    seen = demo.workspace()
    said = [line["text"] for line in seen["transcript"] if line["kind"] == "client"]
    if said != demo.sent:
        raise PromiseBroken("accepted messages are not in the log exactly once and in order")
    if [reply["text"] for reply in demo.replies()] != demo.decided:
        raise PromiseBroken("released replies are not exactly the decided ones")
    proof = demo.get(f"/v1/audit/verify?session_id={demo.session_id}", demo.supervisor)
    if not proof["intact"]:
        raise PromiseBroken("the log's chain does not hold")
    if not seen["plan"]["position"]["finished"]:
        raise PromiseBroken("the session did not reach its last action")
    click.secho(
        f"done: {len(demo.sent)} messages, {len(demo.decided)} decided replies, End session "
        f"reached, chain of {proof['events']} events intact", bold=True,
    )  # fmt: skip


def _try(demo: Demo, draft_id: str, body: Json) -> httpx.Response:
    headers = dict(demo.hold_claim())
    return demo.api.post(f"/v1/drafts/{draft_id}/decisions", json=body, headers=headers)


def _until(demo: Demo, ready: Callable[[Json], bool]) -> Json:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        seen = demo.workspace()
        if ready(seen):
            return seen
        if time.monotonic() > deadline:
            raise TooSlow(f"nothing on the desk: {seen['no_draft_reason']}")
        time.sleep(_LOOK_S)


def bearer(keys: Mapping[str, str], name: str) -> Mapping[str, str]:
    """Give the header of one demo caller."""
    return {"Authorization": f"Bearer {keys[name]}"}


def run(url: str, keys: Mapping[str, str], corpus: Path, numbers: Sequence[int]) -> None:
    """Play recorded sessions one after the other against the service at ``url``."""
    for number in numbers:
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as api:
            demo = Demo(
                api, bearer(keys, "demo-app"), bearer(keys, "demo-therapist"),
                bearer(keys, "demo-supervisor"),
            )  # fmt: skip
            play(demo, recorded(corpus, number), f"demo-{time.time_ns()}")

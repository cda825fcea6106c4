"""The canary: random tokens go through a whole session and are looked for where none may be.

One token is a name (client text, profile, reference, therapist's words), one is a word that nobody
would take for a name. Real stores on real disks, the shipped scrubber, everything else as usual.
"""

import random
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from safety.scrub import load_scrubber
from service.stores.redis import RedisStore
from service.stores.sqlite import SqliteStore
from service.telemetry import traces
from tests.contract.redis_server import RedisServer
from tests.driving import Town, town

CONSONANTS, VOWELS = "bdfgklmnprtv", "aeiou"
PLANS_AFTER = 12
"""Turns within which the diagnostic stage is through."""


def token() -> str:
    """A word that no language has, so that finding it anywhere is proof."""
    dice = random.Random(secrets.token_bytes(16))
    return "".join(dice.choice(CONSONANTS) + dice.choice(VOWELS) for _ in range(6)).title()


@pytest.fixture(params=["sqlite", pytest.param("redis", marks=pytest.mark.redis)])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Town, Path]]:
    """A town on a real store with the shipped scrubber, and the folder of its files."""
    if request.param == "sqlite":
        store, folder = SqliteStore(tmp_path / "secondchair.db"), tmp_path
    else:
        server: RedisServer = request.getfixturevalue("empty_redis")
        store, folder = RedisStore(server.url), server.folder
    async with town(store=store, safety_timeout_s=120.0) as made:
        made.ports = replace(made.ports, scrubber=load_scrubber())
        made.restart()
        yield made, folder


async def whole_session(here: Town, name: str, word: str) -> list[str]:
    """Plant both tokens wherever words go in; give every answer that must not repeat them."""
    profile = {"name": name, "research_consent": True}
    session = await here.open(client_ref=word, profile=profile)
    await here.say(session, f"My name is {name} and my sister is {name} too. {word.lower()}")
    await here.work()
    await here.claim("ada", session)
    heard = await refused(here, session, name, word)
    await here.decide("ada", session, "reject", reasons=["style"], hint=f"Ask {name} about it.")
    await here.work()
    await here.decide("ada", session, "edit", text=f"Tell me more, {name}?", reasons=["style"])
    for _ in range(PLANS_AFTER):
        await here.say(session, f"It is mostly at work, {name}.")
        await here.work()
        desk = await here.desk("ada", session)
        if desk["plan"]["proposed"]:
            await decided_plan(here, session, name)
            break
        await here.decide("ada", session, "approve")
    else:
        raise AssertionError("no plan was proposed")
    await here.say(session, f"I can not go on, {name} {word} [high]")
    await here.work()
    alert = (await here.call("ada", "GET", "/v1/alerts")).json()["items"][0]["alert_id"]
    done = {"outcome": "safe", "note": f"Talked to {name}, {word}."}
    answer = await here.call("ada", "POST", f"/v1/alerts/{alert}/resolve", done)
    assert answer.status_code < 300, answer.json()["code"]
    here.engine.manner = "garbage"
    await here.say(session, f"Still here, {name}.")
    await here.work()
    transcript = str((await here.desk("ada", session))["transcript"])
    assert (name in transcript, word in transcript) == (True, True), "nothing was planted"
    return [*heard, *await exported(here, session, name)]


async def refused(here: Town, session: str, name: str, word: str) -> list[str]:
    """Requests that fail; their problem documents must not quote them."""
    path = f"/v1/sessions/{session}"
    answers = [
        await here.say(session, "x" * 4_001 + name + word),
        await here.call("app", "POST", f"{path}/{word}", {name: word}),
        await here.call("app", "POST", f"{path}/messages", {"text": [name, word]}),
        await here.call("app", "GET", f"/v1/sessions/{word}"),
        await here.decide("ada", session, "edit", text=name, candidate=99),
        await here.write("ada", session, "POST", f"{path}/notes", {"words": f"{name} {word}"}),
    ]
    assert all(answer.status_code >= 400 for answer in answers)
    return [answer.text for answer in answers]


async def decided_plan(here: Town, session: str, name: str) -> None:
    """Edit the proposed plan so that it names the client."""
    desk = await here.desk("ada", session)
    proposed = desk["plan"]["proposed"]
    plan = {**proposed["plan"], "reason": f"Because {name} asked for it."}
    body = {"verdict": "edit", "basis": desk["seq"], "plan": plan}
    path = f"/v1/plans/{proposed['plan_id']}/decisions"
    answer = await here.write("ada", session, "POST", path, body)
    assert answer.status_code == 201, answer.json()["code"]


async def exported(here: Town, session: str, name: str) -> list[str]:
    """Both exports; the client's ordinary words belong there, the name does not."""
    found: list[str] = []
    for path in (f"/v1/sessions/{session}/export", "/v1/preferences/export"):
        answer = await here.call("sue", "GET", path)
        assert answer.status_code == 200, answer.json()["code"]
        found.append(str(name.casefold() in answer.text.casefold()))
    return found


def everything_in(folder: Path) -> bytes:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_socket())
    return b"".join(path.read_bytes() for path in files).lower()


async def test_a_planted_token_is_found_nowhere(
    kept: tuple[Town, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    here, folder = kept
    name, word = token(), token()
    spans = InMemorySpanExporter()
    with traces.collect(spans):
        heard = await whole_session(here, name, word)
    sent = encode_spans(spans.get_finished_spans()).SerializeToString().lower()
    metrics = (await here.http.get("/metrics")).text
    out, err = capfd.readouterr()
    assert (bool(here.engine.prompts), bool(sent)) == (True, True)
    # Booleans, so that a failure prints no words.
    seen = {
        "answers": any(name in text or word in text for text in heard),
        "exports": "True" in heard,
        "metrics": any(one.lower() in metrics.lower() for one in (name, word)),
        "output": any(one.lower() in (out + err).lower() for one in (name, word)),
        "prompts": name.lower() in here.engine.read.lower(),
        "store": any(one.lower().encode() in everything_in(folder) for one in (name, word)),
        "traces": any(one.lower().encode() in sent for one in (name, word)),
        "pages": any(one in repr(here.pager.pages) for one in (name, word)),
    }
    assert [place for place, found in seen.items() if found] == []

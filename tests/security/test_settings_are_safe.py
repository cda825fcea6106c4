"""Production starts with its own secrets or not at all; every answer carries its guards."""

import base64
from pathlib import Path

import pytest
from pydantic import ValidationError

from service.main import master_keys
from service.settings import Settings
from tests.driving import Town, town

SECRETS = ("MASTER_KEY", "ENGINE_KEY", "PAGER_SECRET", "METRICS_TOKEN")


@pytest.mark.parametrize("missing", SECRETS)
def test_production_refuses_to_start_without_a_secret(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setenv("SECONDCHAIR_ENVIRONMENT", "production")
    for name in SECRETS:
        if name != missing:
            monkeypatch.setenv(f"SECONDCHAIR_{name}", base64.b64encode(bytes(32)).decode())
    with pytest.raises(ValidationError, match=missing.lower()):
        Settings()


def test_a_secret_may_come_by_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(base64.b64encode(b"k" * 32).decode() + "\n", encoding="utf-8")
    monkeypatch.setenv("SECONDCHAIR_MASTER_KEY_FILE", str(file))
    assert master_keys(Settings()).keys == (b"k" * 32,)


def test_secrets_do_not_show_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDCHAIR_ENGINE_KEY", "very-secret")
    assert "very-secret" not in repr(Settings())


async def test_every_answer_carries_its_guards() -> None:
    async with town() as here:
        for path in ("/healthz", "/v1/me", "/nowhere"):
            answer = await here.call("ada", "GET", path)
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cache-control"] == "no-store"
            assert "server" not in answer.headers


async def test_a_caller_who_asks_too_fast_is_told_to_wait() -> None:
    async with town() as here:
        await _spend(here, 3)
        answer = await here.call("ada", "GET", "/v1/me")
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
        assert answer.headers["retry-after"] == "1"
        here.clock.tick(2_000)
        assert (await here.call("ada", "GET", "/v1/me")).status_code == 200


async def test_a_clock_that_was_set_back_locks_nobody_out() -> None:
    async with town() as here:
        session = await here.open()
        here.house.allowance.rate, here.house.allowance.burst = 1.0, 10.0
        assert (await here.say(session, "Hello.")).status_code == 202
        here.clock.tick(-600_000)
        for _ in range(9):
            assert (await here.say(session, "[imminent]")).status_code == 202
        assert (await here.say(session, "[imminent]")).status_code == 429
        here.clock.tick(1_000)
        assert (await here.say(session, "[imminent]")).status_code == 202


async def _spend(here: Town, allowed: int) -> None:
    here.house.allowance.rate = here.house.allowance.burst = allowed
    for _ in range(allowed):
        assert (await here.call("ada", "GET", "/v1/me")).status_code == 200

"""Production starts with its own secrets or not at all; every answer carries its guards."""

import base64
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from service.main import master_keys, pager
from service.pager import LogPager
from service.ports import Page
from service.settings import Settings
from tests.driving import Town, town

SECRETS = ("MASTER_KEY", "ENGINE_KEY", "PAGER_SECRET", "METRICS_TOKEN")
MASTER = base64.b64encode(bytes(range(32))).decode()
SAFE = {
    "ENVIRONMENT": "production", "MASTER_KEY": MASTER, "ENGINE_KEY": "e" * 16,
    "PAGER_SECRET": "p" * 16, "METRICS_TOKEN": "m" * 16,
    "PAGER_WEBHOOK_URL": "https://pager.example.com/in",
}  # fmt: skip


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Settings that are just enough for production."""
    for name, value in SAFE.items():
        monkeypatch.setenv(f"SECONDCHAIR_{name}", value)
    return monkeypatch


def test_production_starts_with_its_own_secrets_and_somebody_to_page(
    production: pytest.MonkeyPatch,
) -> None:
    assert Settings().environment == "production"
    production.delenv("SECONDCHAIR_PAGER_WEBHOOK_URL")
    production.setenv("SECONDCHAIR_PAGER_SMTP", "smtp://relay?from=a@example.org&to=b@example.org")
    assert Settings().pager_smtp


def test_the_claim_that_names_people_is_the_operators_choice_and_never_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Settings().oidc_name_claim == "sub"
    monkeypatch.setenv("SECONDCHAIR_OIDC_NAME_CLAIM", "email")
    assert Settings().oidc_name_claim == "email"
    monkeypatch.setenv("SECONDCHAIR_OIDC_NAME_CLAIM", "")
    with pytest.raises(ValidationError):
        Settings()


@pytest.mark.parametrize("missing", ["ISSUER", "AUDIENCE", "JWKS_URL"])
def test_a_sign_in_that_is_configured_by_halves_does_not_start(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    given = {"ISSUER": "https://idp.example.org", "AUDIENCE": "us", "JWKS_URL": "https://idp/keys"}
    for name, value in given.items():
        monkeypatch.setenv(f"SECONDCHAIR_OIDC_{name}", value)
    assert Settings().oidc_audience == "us"
    monkeypatch.delenv(f"SECONDCHAIR_OIDC_{missing}")
    with pytest.raises(ValidationError, match="oidc_jwks_url"):
        Settings()


@pytest.mark.parametrize("missing", SECRETS)
@pytest.mark.parametrize("empty", [None, "", "  "])
def test_production_refuses_to_start_without_a_secret(
    production: pytest.MonkeyPatch, missing: str, empty: str | None
) -> None:
    production.delenv(f"SECONDCHAIR_{missing}")
    if empty is not None:
        production.setenv(f"SECONDCHAIR_{missing}", empty)
    with pytest.raises(ValidationError, match=missing.lower()):
        Settings()


@pytest.mark.parametrize("empty", SECRETS)
def test_an_empty_file_is_no_secret_either(
    production: pytest.MonkeyPatch, tmp_path: Path, empty: str
) -> None:
    (tmp_path / "secret").write_text("\n", encoding="utf-8")
    production.delenv(f"SECONDCHAIR_{empty}")
    production.setenv(f"SECONDCHAIR_{empty}_FILE", str(tmp_path / "secret"))
    with pytest.raises(ValidationError, match=empty.lower()):
        Settings()


@pytest.mark.parametrize(
    ("name", "weak", "told"),
    [
        ("MASTER_KEY", base64.b64encode(bytes(32)).decode(), "random master_key"),
        ("MASTER_KEY", f"{MASTER},{base64.b64encode(b'k' * 32).decode()}", "random master_key"),
        ("ENGINE_KEY", "e" * 15, "16 characters or more: engine_key"),
        ("PAGER_SECRET", "p" * 15, "16 characters or more: pager_secret"),
        ("METRICS_TOKEN", "m" * 15, "16 characters or more: metrics_token"),
        ("PAGER_WEBHOOK_URL", "", "somebody to page"),
        ("STORE", "memory://", "outlives"),
    ],
)
def test_production_refuses_what_anybody_knows_and_what_reaches_or_keeps_nothing(
    production: pytest.MonkeyPatch, name: str, weak: str, told: str
) -> None:
    production.setenv(f"SECONDCHAIR_{name}", weak)
    with pytest.raises(ValidationError, match=told) as refused:
        Settings()
    assert MASTER not in str(refused.value)


async def test_a_page_that_only_the_log_has_counts_as_sent_in_development_only(
    production: pytest.MonkeyPatch,
) -> None:
    page = Page("alr_1", "ses_1", "north", "high", "suicide", 0)
    nobody = Settings().model_copy(update={"pager_webhook_url": None})
    async with httpx.AsyncClient() as client:
        assert not await pager(nobody, client).page(page)
        production.setenv("SECONDCHAIR_ENVIRONMENT", "development")
        production.delenv("SECONDCHAIR_PAGER_WEBHOOK_URL")
        assert await pager(Settings(), client).page(page)
    assert not await LogPager().page(page)


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

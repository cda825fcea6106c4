"""Signing in with the organisation's own account: real browser, console and API, OpenID Connect."""

import json
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.console import stack as stacks
from tests.console.conftest import Open
from tests.console.stack import Stack
from tests.ports import free_port

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

THERAPIST = {
    "sub": "staff-7", "secondchair_role": "therapist", "secondchair_team": "demo",
}  # fmt: skip
SKEW_S = 60
"""So much longer than it says the service takes a token."""

RUNS_OUT_S = 25
"""From the sign-in on; time enough for a slow machine to draw the first page."""

SECRETS = """
[auth]
redirect_uri = "{console}/oauth2callback"
cookie_secret = "{cookie}"
client_id = "secondchair"
client_secret = "{client}"
server_metadata_url = "{provider}/.well-known/openid-configuration"
expose_tokens = ["id"]
"""


@dataclass
class Organisation:
    """A console that trusts an identity provider, and whom that provider signs in."""

    console: str
    person: Path

    def employs(self, **changes: str | int) -> None:
        """Say who signs in next."""
        self.person.write_text(json.dumps(THERAPIST | changes), "utf-8")


@pytest.fixture(scope="module")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Organisation]:
    folder = tmp_path_factory.mktemp("organisation")
    provider, console = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    config = folder / "secrets.toml"
    config.write_text(
        SECRETS.format(
            console=console, provider=provider,
            cookie=secrets.token_hex(32), client=secrets.token_hex(16),
        ),
        "utf-8",
    )  # fmt: skip
    env = stacks.settings(folder, 1, free_port(), 5_000) | {
        "SECONDCHAIR_OIDC_ISSUER": provider,
        "SECONDCHAIR_OIDC_AUDIENCE": "secondchair",
        "SECONDCHAIR_OIDC_JWKS_URL": f"{provider}/keys",
        "IDENTITY_CLAIMS": str(folder / "person.json"),
        "STREAMLIT_SECRETS_FILES": str(config),
    }
    whole, made = Stack(folder, env), Organisation(console, folder / "person.json")
    made.employs()
    try:
        port = provider.rsplit(":", 1)[1]
        whole.start("identity", "-m", "tests.console.identity", port, "secondchair")
        stacks.until_up(f"{provider}/keys")
        whole.start_api()
        stacks.start_console(whole, console)
        yield made
    finally:
        whole.stop_all()


def test_staff_come_in_by_their_own_account_and_leave_again(
    reading: Open, organisation: Organisation
) -> None:
    organisation.employs()
    reader = reading(organisation.console, "")
    reader.part("signin_card").get_by_role("button").click()
    reader.sees(".st-key-filters")
    reader.go("")
    reader.sees(".st-key-filters")
    reader.page.get_by_role("button", name="staff-7").click()
    reader.page.get_by_role("button", name="Sign out").click()
    reader.part("signin_card").get_by_role("button").wait_for()
    reader.misses(".st-key-filters")


def test_an_account_without_a_role_here_is_told_so_and_sees_nothing(
    reading: Open, organisation: Organisation
) -> None:
    organisation.employs(secondchair_role="porter")
    reader = reading(organisation.console, "")
    reader.part("signin_card").get_by_role("button").click()
    reader.reads(".st-key-signin_card", "has no role here")
    reader.misses(".st-key-filters")


def test_a_sign_in_that_runs_out_says_so_and_a_new_one_comes_back(
    reading: Open, organisation: Organisation
) -> None:
    organisation.employs(exp=int(time.time()) - SKEW_S + RUNS_OUT_S)
    reader = reading(organisation.console, "")
    reader.part("signin_card").get_by_role("button").click()
    reader.sees(".st-key-filters")
    reader.sees(".blank.expired")
    organisation.employs()
    reader.part("sign_in_again").get_by_role("button").click()
    reader.part("signin_card").get_by_role("button").click()
    reader.sees(".st-key-queue_list, .blank.none")

"""Pages by e-mail: encrypted wherever the server can, and never a password over an open line."""

import asyncio
import ssl

import httpx
import pytest

from service.pager import EveryPager, LogPager, SmtpPager, WebhookPager
from service.ports import Page
from tests.contract.certificate import OwnCertificate
from tests.mail_server import Letterbox, mail_server

PEOPLE = "from=alerts%40clinic.example&to=first%40clinic.example&to=second%40clinic.example"
PAGE = Page("alr_1", "ses_1", "north", "imminent", "suicide", 1)


@pytest.fixture
def trusted(own_certificate: OwnCertificate, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for this machine, which the pager trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(own_certificate.file))
    return own_certificate.server


def of(box: Letterbox, scheme: str = "smtp", user: str = "") -> SmtpPager:
    who = f"{user}@" if user else ""
    return SmtpPager(
        f"{scheme}://{who}127.0.0.1:{box.port}?{PEOPLE}", "open sesame" if user else ""
    )


async def test_a_relay_that_asks_for_nothing_takes_the_page_for_everybody() -> None:
    with mail_server() as box:
        assert await of(box).page(PAGE)
    (mail,) = box.mails
    assert "To: first@clinic.example, second@clinic.example" in mail
    assert "Subject: [Second Chair] imminent alert alr_1" in mail
    assert "session_id: ses_1" in mail
    assert box.logins == []


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_who_has_a_name_signs_in_over_an_encrypted_line(
    scheme: str, trusted: ssl.SSLContext
) -> None:
    with mail_server(trusted, from_the_start=scheme == "smtps") as box:
        assert await of(box, scheme, "on%20call").page(PAGE)
    assert box.logins == [("on call", "open sesame")]
    assert box.encrypted == [True]


async def test_a_password_is_not_told_over_an_open_line() -> None:
    with mail_server() as box:
        assert not await of(box, user="oncall").page(PAGE)
    assert (box.logins, box.mails) == ([], [])


async def test_a_server_that_cannot_prove_itself_gets_nothing(
    trusted: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with mail_server(trusted) as box:
        assert not await of(box, user="oncall").page(PAGE)
    assert (box.logins, box.mails) == ([], [])


async def test_a_server_that_an_authority_of_ones_own_proves_gets_the_password(
    own_certificate: OwnCertificate,
) -> None:
    with mail_server(own_certificate.server) as box:
        address = f"smtp://oncall@127.0.0.1:{box.port}?{PEOPLE}"
        assert await SmtpPager(address, "open sesame", own_certificate.file).page(PAGE)
    assert (box.logins, box.encrypted) == ([("oncall", "open sesame")], [True])


async def test_nobody_there_is_a_page_that_was_not_taken() -> None:
    with mail_server() as box:
        pass
    assert not await of(box).page(PAGE)


async def test_a_server_that_never_comes_to_an_end_keeps_no_page_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.pager._MAIL_S", 0.2)
    with mail_server(drips=True) as box:
        pager = of(box)
        # More of them than there are threads: those that wait for one are given up as well.
        tries = asyncio.gather(*(pager.page(PAGE) for _ in range(6)))
        async with asyncio.timeout(10):
            assert await tries == [False] * 6


async def test_a_relay_that_signed_for_itself_is_good_enough_without_a_password(
    trusted: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with mail_server(trusted) as box:
        assert await of(box).page(PAGE)
    assert box.encrypted == [True]


async def test_a_channel_that_breaks_takes_no_other_with_it() -> None:
    class Broken(LogPager):
        async def page(self, page: Page) -> bool:
            raise RuntimeError("nobody thought of this")

    with mail_server() as box:
        assert await EveryPager(Broken(), of(box)).page(PAGE)
    assert not await EveryPager(Broken()).page(PAGE)


async def test_a_channel_that_is_dead_is_named_though_another_one_carried_the_page(
    capsys: pytest.CaptureFixture[str],
) -> None:
    dead = httpx.MockTransport(lambda _: httpx.Response(401))
    with mail_server() as box:
        async with httpx.AsyncClient(transport=dead) as client:
            webhook = WebhookPager(
                client, "https://pager.example.org", "a shared secret of the tests"
            )
            assert await EveryPager(webhook, of(box)).page(PAGE)
    told = capsys.readouterr().out
    assert "page_failed" in told
    assert "webhook" in told


@pytest.mark.parametrize(
    ("address", "password"),
    [
        ("smtps://oncall@mail.example", ""),
        ("smtps://oncall:open@mail.example", "open"),
        ("smtps://oncall@mail.example", "schlüssel"),
    ],
)
def test_a_password_has_one_place_and_plain_letters(address: str, password: str) -> None:
    with pytest.raises(ValueError, match="mail server"):
        SmtpPager(f"{address}?{PEOPLE}", password)


@pytest.mark.parametrize(
    "address",
    [
        "mail.example",
        "smtp://mail.example",
        "smtp://?from=a&to=b",
        "http://mail.example?from=a&to=b",
    ],
)
def test_an_address_that_says_too_little_is_refused_at_the_start(address: str) -> None:
    with pytest.raises(ValueError, match="pages by e-mail need"):
        SmtpPager(address)

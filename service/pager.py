"""A crisis reaches a person: signed webhook, e-mail, or at the very least the log. No words."""

import asyncio
import hashlib
import hmac
import json
import smtplib
import ssl
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import httpx

from service.ports import Page
from service.telemetry.log import LogEvent, log_line

_PATIENCE_S = 5.0
_MAIL_S = 15.0
"""For a whole mail; a socket's own patience begins anew with every byte that comes."""
_MAILS_AT_ONCE = 4
_PORTS = {"smtp": 25, "smtps": 465}


class LogPager:
    """Writes pages to the log: for development, where nobody is on call.

    Nobody is reached by that. Only where ``enough`` is it counted as a page that arrived.
    """

    def __init__(self, enough: bool = False) -> None:
        self._enough = enough

    async def page(self, page: Page) -> bool:
        """Write the page down; True where that is all there is to do."""
        log_line(
            LogEvent.ALERT_RAISED, "warning", alert_id=page.alert_id, level=page.level,
            category=page.category, attempt=page.tier,
        )  # fmt: skip
        return self._enough


class WebhookPager:
    """Posts pages as JSON, signed so that the receiver can trust them.

    Header ``X-SecondChair-Signature: sha256=<hex>`` is the HMAC-SHA256 of the body.
    Retries are the worker's: a page that was not taken stays a duty.
    """

    def __init__(self, client: httpx.AsyncClient, url: str, secret: str) -> None:
        self._client = client
        self._url = url
        self._secret = secret.encode()

    async def page(self, page: Page) -> bool:
        """Post one page; True only for a 2xx answer."""
        body = json.dumps({"type": "alert", **asdict(page)}, sort_keys=True).encode()
        signature = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "X-SecondChair-Signature": f"sha256={signature}",
            "Idempotency-Key": f"{page.alert_id}.{page.tier}",
        }
        try:
            async with asyncio.timeout(_PATIENCE_S):
                answer = await self._client.post(self._url, content=body, headers=headers)
        except (httpx.HTTPError, TimeoutError) as error:
            _failed(page, "webhook", type(error).__name__)
            return False
        if not answer.is_success:
            _failed(page, "webhook", f"status_{answer.status_code}")
        return answer.is_success


class SmtpPager:
    """Sends pages by e-mail: ``smtps://name@host?from=a@example.org&to=b@example.org``.

    ``smtps`` is encrypted from its first byte (port 465), ``smtp`` as soon as the server offers it
    (port 25, or 587 for who has a name). A password goes only to a server that proves who it is.
    """

    def __init__(self, address: str, password: str = "", authorities: Path | None = None) -> None:
        """Read the address; ``authorities`` may prove the server as well as the public ones.

        Raises: ValueError where it does not say from whom or to whom, for a name without a
        password, for a password in the address, and for letters that mail servers cannot read.
        """
        parts = urlsplit(address)
        people = parse_qs(parts.query)
        if parts.scheme not in _PORTS or not parts.hostname or not people.keys() >= {"from", "to"}:
            raise ValueError("pages by e-mail need smtp://host?from=...&to=...")
        self._user, self._password = unquote(parts.username or ""), password
        if parts.password or bool(self._user) > bool(password):
            raise ValueError("the mail server's password belongs in its own setting")
        if not (self._user + password).isascii():
            raise ValueError("mail servers read names and passwords in ASCII only")
        self._host, self._encrypted = parts.hostname, parts.scheme == "smtps"
        self._port = parts.port or (
            587 if self._user and not self._encrypted else _PORTS[parts.scheme]
        )
        self._authorities = authorities
        self._from, self._to = people["from"][0], people["to"]
        # Threads of its own: a server that keeps them must not keep those that screen and scrub.
        self._threads = ThreadPoolExecutor(_MAILS_AT_ONCE, "mail")

    async def page(self, page: Page) -> bool:
        """Send one mail; False when the server did not take it in time.

        It may have taken it all the same: rather a page twice than one that nobody waits for.
        """
        mail = EmailMessage()
        mail["From"], mail["To"] = self._from, ", ".join(self._to)
        mail["Subject"] = f"[Second Chair] {page.level} alert {page.alert_id}"
        mail.set_content("\n".join(f"{key}: {value}" for key, value in asdict(page).items()))
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_MAIL_S):
                await loop.run_in_executor(self._threads, self._send, mail)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            _failed(page, "mail", type(error).__name__)
            return False
        return True

    def _send(self, mail: EmailMessage) -> None:
        with self._connected() as server:
            if self._user:
                server.login(self._user, self._password)
            server.send_message(mail)

    def _connected(self) -> smtplib.SMTP:
        trusted = ssl.create_default_context()
        if self._authorities:
            trusted.load_verify_locations(self._authorities)
        if not (self._user or self._encrypted):
            # A relay inside has, as a rule, signed for itself. There is no password to lose, and
            # whoever could pass for it could as well have kept it from offering any encryption.
            trusted.check_hostname, trusted.verify_mode = False, ssl.CERT_NONE
        if self._encrypted:
            return smtplib.SMTP_SSL(self._host, self._port, timeout=_PATIENCE_S, context=trusted)
        with ExitStack() as closing:
            server = smtplib.SMTP(self._host, self._port, timeout=_PATIENCE_S)
            closing.callback(server.close)
            server.ehlo_or_helo_if_needed()
            if server.has_extn("starttls"):
                server.starttls(context=trusted)
            elif self._user:
                raise smtplib.SMTPNotSupportedError("no encryption, so no password")
            closing.pop_all()
        return server


def _failed(page: Page, channel: str, error: str) -> None:
    """Say which channel a page did not get through, also where another one carried it."""
    log_line(
        LogEvent.PAGE_FAILED, "error", alert_id=page.alert_id, attempt=page.tier, kind=channel,
        error=error,
    )  # fmt: skip


class EveryPager:
    """Uses all channels at once; one that got through is enough."""

    def __init__(self, *pagers: LogPager | WebhookPager | SmtpPager) -> None:
        self._pagers = pagers

    async def page(self, page: Page) -> bool:
        """Page on every channel; False only when all of them failed."""
        # Whatever befalls one channel, the others go on.
        tries = (pager.page(page) for pager in self._pagers)
        found = await asyncio.gather(*tries, return_exceptions=True)
        for error in found:
            if isinstance(error, BaseException):
                log_line(LogEvent.BUG, "error", alert_id=page.alert_id, error=type(error).__name__)
        return True in found

"""Pages leave by the operator's proxy and trust the operator's authorities, and nothing else."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import ValidationError

from service.main import outside, pager
from service.ports import Page
from service.settings import Settings
from tests.contract.certificate import OwnCertificate

PAGE = Page("alr_1", "ses_1", "north", "imminent", "suicide", 1)
TAKEN = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"


@asynccontextmanager
async def receiver(certificate: OwnCertificate | None = None) -> AsyncIterator[int]:
    """Take every page, over TLS where there is a certificate; give the port."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(TAKEN)
            await writer.drain()
        writer.close()

    context = certificate and certificate.server
    async with await asyncio.start_server(take, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def proxy(asked: list[str]) -> AsyncIterator[int]:
    """Connect whoever asks to where they ask, and note it; give the port."""

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while some := await reader.read(4_096):
                writer.write(some)
                await writer.drain()
        writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(head.partition(" HTTP")[0])
        host, _, port = head.split()[1].partition(":")
        far, near = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        await asyncio.gather(pass_on(reader, near), pass_on(far, writer))

    async with await asyncio.start_server(connect, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def paged(url: str, **given: object) -> bool:
    """Whether a page arrives there under these settings."""
    settings = Settings.model_validate({"pager_webhook_url": url, "pager_secret": "s", **given})
    async with outside(settings) as client:
        return await pager(settings, client).page(PAGE)


async def test_a_receiver_that_nobody_vouches_for_is_told_nothing(
    own_certificate: OwnCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(own_certificate.file))
    async with receiver(own_certificate) as port:
        url = f"https://127.0.0.1:{port}/in"
        assert not await paged(url)
        assert await paged(url, authorities_file=own_certificate.file)


async def test_pages_go_through_the_operators_proxy_and_what_is_inside_goes_straight(
    own_certificate: OwnCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    async with proxy(asked) as way, receiver(own_certificate) as far, receiver() as near:
        given = {"proxy": f"http://127.0.0.1:{way}", "authorities_file": own_certificate.file}
        assert await paged(f"https://127.0.0.1:{far}/in", **given)
        assert asked == [f"CONNECT 127.0.0.1:{far}"]
        assert not await paged(f"https://127.0.0.1:{far}/in", proxy=given["proxy"])
        asked.clear()
        assert await paged(f"http://127.0.0.1:{near}/in", **given)
        assert asked == []


@pytest.mark.parametrize("words", [None, "no certificate"])
def test_a_file_without_certificates_keeps_the_service_from_starting(
    tmp_path: Path, words: str | None
) -> None:
    file = tmp_path / "authorities.pem"
    if words is not None:
        file.write_text(words)
    with pytest.raises(ValidationError, match="certificates in PEM"):
        Settings.model_validate({"authorities_file": file})

"""A small HTTP door on a free port: whoever posts to it is answered, and what came is handed on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, closing, suppress

Take = Callable[[bytes, Mapping[str, str]], None]
"""What is done with a request's body and its headers, whose names are in small letters."""


@asynccontextmanager
async def receiving(take: Take) -> AsyncIterator[str]:
    """Answer 200 to every post while the block runs; gives the door's address."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Who posts may be killed in the middle of it.
        with suppress(asyncio.IncompleteReadError, ConnectionError), closing(writer):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            headers = dict(line.split(": ", 1) for line in head.strip().split("\r\n")[1:])
            take(await reader.readexactly(int(headers["content-length"])), headers)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

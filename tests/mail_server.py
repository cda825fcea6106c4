"""A small mail server on a free port: what it was handed, from whom, and whether in secret."""

import base64
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Letterbox:
    """What came."""

    port: int = 0
    mails: list[str] = field(default_factory=list[str])
    logins: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    encrypted: list[bool] = field(default_factory=list[bool])
    """For each mail."""
    over: threading.Event = field(default_factory=threading.Event)
    """Set when nobody looks any more."""


class _Talk(socketserver.StreamRequestHandler):
    """One client's commands, one line each."""

    box: Letterbox
    trusted: ssl.SSLContext | None
    from_the_start: bool
    drips: bool

    def setup(self) -> None:
        if self.trusted and self.from_the_start:
            self.request = self.trusted.wrap_socket(self.request, server_side=True)
        super().setup()

    def handle(self) -> None:
        if self.drips:
            while not self.box.over.wait(0.02):
                self.wfile.write(b"2")
            return
        self._say("220 here")
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            if verb == "EHLO":
                more = "250-STARTTLS\r\n" if self.trusted and not self._sealed() else ""
                self._say(f"250-here\r\n{more}250 AUTH PLAIN")
            elif verb == "STARTTLS" and self.trusted:
                self._say("220 go on")
                self.request = self.trusted.wrap_socket(self.request, server_side=True)
                super().setup()
            elif verb == "AUTH":
                _, name, word = base64.b64decode(line.split()[2]).decode().split("\0")
                self.box.logins.append((name, word))
                self._say("235 welcome")
            elif verb == "DATA":
                self._say("354 go on")
                self.box.mails.append(self._body())
                self.box.encrypted.append(self._sealed())
                self._say("250 taken")
            else:
                self._say("221 bye" if verb == "QUIT" else "250 good")

    def finish(self) -> None:
        super().finish()
        self.request.close()

    def _sealed(self) -> bool:
        return isinstance(self.request, ssl.SSLSocket)

    def _body(self) -> str:
        lines: list[str] = []
        while (line := self.rfile.readline().decode()) not in {".\r\n", ""}:
            lines.append(line)
        return "".join(lines)

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


@contextmanager
def mail_server(
    trusted: ssl.SSLContext | None = None, *, from_the_start: bool = False, drips: bool = False
) -> Iterator[Letterbox]:
    """Take mail while the block runs; offers encryption, or begins with it, where it can.

    One that drips takes none: its first line never ends, and a byte of it comes all the time.
    """
    box = Letterbox()
    own = {"box": box, "trusted": trusted, "from_the_start": from_the_start, "drips": drips}
    talk = type("Talk", (_Talk,), own)
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), talk) as server:
        server.daemon_threads = True
        box.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield box
        finally:
            box.over.set()
            server.shutdown()

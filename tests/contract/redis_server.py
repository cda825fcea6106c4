"""A real redis-server of a test's own: random port, every write on the disk before its answer."""

import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from tests.ports import free_port

_START_S = 20.0


class RedisServer:
    """One server in one folder; killing it and starting it again finds the same data."""

    def __init__(
        self, binary: str, folder: Path, host: str = "127.0.0.1", before: tuple[str, ...] = (),
        more: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.folder = folder
        self.host = host
        self._words, self._more = (*before, binary), dict(more or {})
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"redis://{self.host}:{self.port}/0"

    def start(self) -> None:
        """Start and wait until it answers, its files loaded."""
        self.folder.mkdir(parents=True, exist_ok=True)
        options = {
            "--port": str(self.port), "--bind": self.host, "--dir": str(self.folder),
            "--appendonly": "yes", "--appendfsync": "always", "--save": "",
            "--maxmemory-policy": "noeviction", "--protected-mode": "no",
            "--logfile": str(self.folder / "redis.log"), **self._more,
        }  # fmt: skip
        words = [part for pair in options.items() for part in pair]
        self.process = subprocess.Popen([*self._words, *words])
        deadline = time.monotonic() + _START_S
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("redis-server did not start")
            time.sleep(0.02)

    def kill(self) -> None:
        """End it without a warning."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), timeout=1) as link:
                link.sendall(b"PING\r\n")
                return link.recv(16).startswith(b"+PONG")
        except OSError:
            return False

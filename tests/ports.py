"""Ports for servers that tests start."""

import random
import socket

# Below 32768, where Linux begins to lend ports to outgoing connections: one of those could be
# taken between the look and the server's start. A Redis cluster also wants `port + 10000`.
_FIRST, _LAST = 12_000, 30_000
_choice = random.SystemRandom()  # apart from the seeds that tests set


def free_port() -> int:
    """Give a port nobody listens on right now.

    Raises:
        RuntimeError: after a hundred taken ones.
    """
    for _ in range(100):
        port = _choice.randint(_FIRST, _LAST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise RuntimeError("no free port among a hundred tried")

"""A network cable that can be pulled: one process in a network namespace of its own.

Nothing is refused while it is out, packets just go nowhere: what a broken switch looks like.
Needs root and Linux; without them the run does without cut-offs and says so.
"""

import asyncio
import itertools
import os
import shutil
import subprocess

_NUMBERS = itertools.count(1)


class Cable:
    """A namespace, and the pair of interfaces that joins it to this machine."""

    def __init__(self) -> None:
        """Lay the cable. Raises: CalledProcessError where that is not allowed."""
        number = next(_NUMBERS)
        self._name = f"sc{os.getpid() % 100_000}n{number}"
        self._outer, self._inner = f"{self._name}a", f"{self._name}b"
        net = f"10.231.{os.getpid() % 60 * 4 + number % 4}"
        self.address = f"{net}.2"
        """Where the process inside is reached."""
        _ip("netns", "add", self._name)
        try:
            _ip("link", "add", self._outer, "type", "veth", "peer", self._inner)
            _ip("link", "set", self._inner, "netns", self._name)
            _ip("addr", "add", f"{net}.1/24", "dev", self._outer)
            _ip("link", "set", self._outer, "up")
            self._within("addr", "add", f"{self.address}/24", "dev", self._inner)
            self._within("link", "set", "lo", "up")
            self._within("link", "set", self._inner, "up")
        except subprocess.CalledProcessError:
            self.remove()
            raise

    @property
    def words(self) -> tuple[str, ...]:
        """What goes in front of a command that shall run at the cable's far end."""
        return ("ip", "netns", "exec", self._name)

    async def cut(self, seconds: float) -> None:
        """Pull the cable for a while."""
        self._within("link", "set", self._inner, "down")
        try:
            await asyncio.sleep(seconds)
        finally:
            self._within("link", "set", self._inner, "up")

    def remove(self) -> None:
        """Take the cable away; the interfaces go with their namespace."""
        _ip("netns", "del", self._name)

    def _within(self, *words: str) -> None:
        _ip("-n", self._name, *words)


def cables_can_be_laid() -> bool:
    """Whether this machine lets us: Linux, root, and a kernel that plays along."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    try:
        Cable().remove()
    except subprocess.CalledProcessError:
        return False
    return True


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)

"""Who makes the load, for locust: client apps that write, and a therapist who reads the queue.

Run by ``.venv-bench``'s locust; imports none of ours. Keys and rate come by environment.
"""

import os
import random
import time
from itertools import count

from locust import FastHttpUser, constant_throughput, task

_RATE = float(os.environ["LOAD_RATE"])
"""Messages a second of all client apps together."""
_CLIENTS = int(os.environ["LOAD_CLIENTS"])
_LONGEST = 20
"""Messages of a session; then the client opens another one."""
_LINES = (
    "I am a bit nervous about the exam next week, and I would like to talk about how to prepare.",
    "The meeting at work was moved to Thursday, and I would like to talk about my presentation.",
    "I would like to talk about my presentation at work.",
    "I am a bit nervous about the talk on Monday.",
)
_numbers = count()
_chance = random.Random(1)


class ClientApp(FastHttpUser):
    """Opens sessions and writes in them at a steady pace."""

    fixed_count = _CLIENTS
    due = 0.0
    said = _LONGEST
    session = ""

    def on_start(self) -> None:
        """Take a name of its own."""
        self.number, self.due = next(_numbers), time.monotonic()

    def wait_time(self) -> float:
        """Seconds to the next message: exponential gaps, as clients know nothing of each other.

        At equal gaps all of them, started together, would write in the same instant for ever.
        """
        self.due += _chance.expovariate(_RATE / _CLIENTS)
        return max(0.0, self.due - time.monotonic())

    @task
    def write(self) -> None:
        """Post the next message; the first of a session opens it."""
        if self.said == _LONGEST:
            opened = {"client_ref": f"c{self.number}", "language": "en", "region": "US"}
            self.session, self.said = self._post("/v1/sessions", opened, "open")["id"], 0
        text = _LINES[(self.number + self.said) % len(_LINES)]
        self._post(f"/v1/sessions/{self.session}/messages", {"text": text}, "message")
        self.said += 1

    def _post(self, path: str, body: dict[str, str], name: str) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {os.environ['LOAD_APP_KEY']}",
            "Idempotency-Key": f"load-{next(_numbers)}-{self.number}",
        }
        return self.client.post(path, json=body, headers=headers, name=name).json()


class Therapist(FastHttpUser):
    """Reads the queue as a console does."""

    wait_time = constant_throughput(4)
    fixed_count = 1

    @task
    def look(self) -> None:
        """Read the first page."""
        headers = {"Authorization": f"Bearer {os.environ['LOAD_ADA_KEY']}"}
        self.client.get("/v1/queue", headers=headers, name="queue")

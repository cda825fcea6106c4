"""PURE. The caller's fault: a rule of the domain says no, and nothing happened."""


class Refused(Exception):
    """A request that a rule forbids; ``code`` is stable and has one HTTP status in `problems`."""

    def __init__(self, code: str, detail: str, seq: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail
        """For people; never holds a client's words."""
        self.seq = seq
        """Where the session stands now, with conflicts."""


def erased(seq: int | None = None) -> Refused:
    """What every request for an erased session comes to."""
    return Refused("session_erased", "The session was erased.", seq)


def unknown_caller() -> Refused:
    """What a caller hears whose key or token is not good; never why."""
    return Refused("unauthenticated", "A valid bearer token is needed.")

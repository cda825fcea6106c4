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

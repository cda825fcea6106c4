"""What a store promises. Every implementation passes tests/contract/test_store.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from safety.risk import RiskLevel
from service.session.row import QueueKind, Row


@dataclass(frozen=True, slots=True)
class Envelope:
    """One event as stored: who, when and where in the clear, the payload sealed."""

    session_id: str
    seq: int
    type: str
    at_ms: int
    actor: str
    prev_hash: bytes
    hash: bytes
    """SHA-256 over ``prev_hash``, the fields above and ``sealed``; 32 bytes."""
    schema_version: int
    sealed: bytes


class Fence(NamedTuple):
    """Proof of a claim, checked in the transaction that writes."""

    holder: str
    number: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered to a request, so that its repetition is answered the same."""

    key: str
    """A keyed hash; neither the client's key nor its words can be read from it."""
    body_hash: bytes
    status: int
    body: bytes
    """The JSON answered: ids and positions, no words."""
    until_ms: int


@dataclass(frozen=True, slots=True)
class Append:
    """One transaction: events, the new row, and whatever must be true with them."""

    session_id: str
    expected_seq: int
    envelopes: Sequence[Envelope]
    row: Row
    fence: Fence | None = None
    wrapped_key: bytes | None = None
    """With the first append: the session's data key under the master key."""
    answer: Answer | None = None
    destroy_key: bool = False
    """With the last append: the key is overwritten, the words are gone, side documents too."""
    answered_as: Sequence[str] = ()
    """Further keys under which this request may have been answered: by a process that still has
    an older master key first, or has a newer one first already."""

    @property
    def request_keys(self) -> tuple[str, ...]:
        """Every key under which this request may have been answered, the one to write first."""
        return (self.answer.key, *self.answered_as) if self.answer else ()


class Claim(NamedTuple):
    """Who reviews a session, until when. ``number`` grows with every new holder."""

    holder: str
    number: int
    until_ms: int


class StoredRow(NamedTuple):
    """A row with the claim beside it."""

    row: Row
    claim: Claim | None

    def held(self, now_ms: int) -> Claim | None:
        """Give the claim unless it has ended."""
        return self.claim if self.claim and self.claim.until_ms > now_ms else None


class Lease(NamedTuple):
    """The right to do a session's duties for a while."""

    session_id: str
    number: int


class Document(NamedTuple):
    """A small versioned value: API keys, aliases, rollouts, autosaved text."""

    key: str
    version: int
    body: bytes


SIDE_KINDS = ("viewer", "unsent")
"""Kinds whose documents belong to a session: who looks at it, under its id, and what somebody has
typed, under its id, a colon and a name. They go with its data key; writing one wakes nobody in the
same process, and elsewhere only where a store cannot tell what was written."""
ALERTS = "!"
"""What to wait for to hear of any session whose row asks for a person at an alert."""


@dataclass(frozen=True, slots=True)
class ClaimWish:
    """Somebody wants to review a session."""

    session_id: str
    holder: str
    now_ms: int
    until_ms: int
    take_over: bool = False
    renew: int | None = None
    """The number held so far; renewing a lost claim is refused."""


Order = Literal["queue", "alerts", "newest"]
"""What waits for a human, what has an unresolved alert, every session. See `paging`."""


@dataclass(frozen=True, slots=True)
class RowQuery:
    """Which rows, in which order; a filter that is None lets everything through."""

    order: Order
    team: str | None = None
    """None reads all teams; only ops and the worker may."""
    status: str | None = None
    kind: QueueKind | None = None
    risk: RiskLevel | None = None
    """At least this level."""
    person: str | None = None
    """Assigned to or claimed by this reviewer; only the queue is asked for by person."""
    now_ms: int = 0
    """Claims that ended before count as none."""
    after: str | None = None
    limit: int = 50
    counted: bool = True
    """False saves counting what matches: ``total`` is 0 then."""
    language: str | None = None

    def __post_init__(self) -> None:
        """Refuse a person in any other list: not every store has those at hand."""
        if self.person is not None and self.order != "queue":
            raise ValueError("only the queue is asked for by person")


class RowPage(NamedTuple):
    """A page of rows, the token of the next one, and how many match in all."""

    items: Sequence[StoredRow]
    next_after: str | None
    total: int


class Conflict(Exception):
    """Somebody else appended first; read again and decide again."""


class ClaimLost(Exception):
    """The claim was superseded; nothing was written."""


class ClaimedByOther(Exception):
    """Somebody else holds the claim; nothing was written."""


class AlreadyAnswered(Exception):
    """The same request was answered before; nothing was written."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class StoreUnavailable(Exception):
    """The store cannot be reached or cannot write; nothing is known to be written."""


class Store(Protocol):
    """Logs, rows, claims, leases, keys, answers and small documents, durable when it returns.

    Every method raises `StoreUnavailable` when the world is at fault.
    """

    async def append(self, write: Append) -> None:
        """Write all or nothing. Raises: AlreadyAnswered, ClaimLost, Conflict, in this order."""
        ...

    async def read(self, session_id: str, after: int = 0) -> Sequence[Envelope]:
        """Give the envelopes with ``seq > after``, in order; empty for an unknown session."""
        ...

    async def row(self, session_id: str) -> StoredRow | None:
        """Give one row."""
        ...

    async def rows(self, query: RowQuery) -> RowPage:
        """Give a page of rows. Raises: paging.NotAToken."""
        ...

    async def lease_due(
        self, now_ms: int, until_ms: int, limit: int, *, aside: bool = False
    ) -> Sequence[Lease]:
        """Take due sessions, most urgent first: their due time moves to ``until_ms``.

        With ``aside`` those that were put aside are taken, longest waiting first among equals.
        """
        ...

    async def keep_lease(
        self, lease: Lease, until_ms: int, *, aside_since_ms: int | None = None
    ) -> bool:
        """Move a lease's end; False once anything was appended or somebody else took it.

        With ``aside_since_ms`` the lease is given back instead: the session is put aside, having
        waited since then, and is due at ``until_ms``. An append or a lease ends that.
        """
        ...

    async def next_due_ms(self, *, aside: bool = True) -> int | None:
        """Give the earliest due time of all sessions; None when nobody is owed anything.

        With ``aside`` it is that of sessions put aside too, which are due since they wait.
        """
        ...

    async def claim(self, wish: ClaimWish) -> Claim:
        """Take or renew a claim. Raises: ClaimedByOther, ClaimLost, KeyError (no session)."""
        ...

    async def release_claim(self, session_id: str, fence: Fence) -> None:
        """End a claim; a lost one is left alone."""
        ...

    async def wrapped_key(self, session_id: str) -> bytes | None:
        """Give the session's wrapped data key; None once destroyed."""
        ...

    async def rewrap(self, session_id: str, old: bytes, new: bytes) -> bool:
        """Replace a wrapped key, for master-key rotation; False when it was not ``old``."""
        ...

    async def answer(self, key: str) -> Answer | None:
        """Give what was answered to a request with this key."""
        ...

    async def forget_answers(self, now_ms: int) -> int:
        """Drop answers whose time is over; give how many. In small steps: nobody waits for it."""
        ...

    async def document(self, kind: str, key: str) -> Document | None:
        """Give one document."""
        ...

    async def documents(self, kind: str) -> Sequence[Document]:
        """Give all documents of a kind, by key."""
        ...

    async def put_document(self, kind: str, document: Document) -> None:
        """Write if the stored version is ``document.version - 1``. Raises: Conflict."""
        ...

    async def drop_document(self, kind: str, key: str) -> None:
        """Forget a document, if there is one."""
        ...

    async def changed(self, seen: int, timeout_s: float, about: str = "") -> int:
        """Wait until something changed since ``seen``; give the new mark.

        With ``about``, a session's id or `ALERTS`, other changes need not end it, and may: not
        every store learns what another process wrote. A mark only means something to the process
        that got it. Returns after ``timeout_s`` at the latest, changed or not.
        """
        ...

    async def used_ratio(self) -> float | None:
        """Give how much of its room is taken, 0 to 1; None where it has no bound, or tells none."""
        ...

    async def ping(self) -> None:
        """Prove that the store answers."""
        ...

    async def close(self) -> None:
        """Let go of files and connections."""
        ...

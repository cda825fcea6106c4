"""Whatever somebody with the whole database does to a log, an auditor sees it."""

import hashlib
import random
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from service.checkpoints import Checkpoint, NotACheckpoint, digest, opened, sign, take, verify
from service.ids import SystemClock
from service.ledger import Ledger, Under
from service.sealing import GENESIS, header_of
from service.session import events
from service.session.duties import Policy
from service.stores.port import Envelope, Store
from service.stores.sqlite import SqliteStore
from tests.contract.test_erasure import KEYS, WORDS

_TAMPERINGS = 1_000
_SESSIONS, _EVENTS = 4, 7
_COLUMNS = "session_id, seq, type, at_ms, actor, prev_hash, hash, schema_version, sealed"
Log = list[Envelope]


async def fill(store: Store) -> None:
    """Give a store a few sessions with a few events each; the first one is erased."""
    ledger = Ledger(store, KEYS, SystemClock(), Policy())
    begun = events.SessionOpened(client_ref="ref", team="north", language="en", region="US")
    for number in range(_SESSIONS):
        session_id = f"ses_{number}"
        await ledger.open(session_id, begun, "app", Under())
        for place in range(_EVENTS - 2):
            note = events.NoteAdded(note_id=f"not_{place}", text=WORDS)
            await ledger.append(session_id, lambda _, note=note: (note,), "anna")
    await ledger.erase("ses_0", "superior")


def changed(one: Envelope, **changes: object) -> Envelope:
    fields = {name: getattr(one, name) for name in _COLUMNS.split(", ")}
    return Envelope(**{**fields, **changes})  # type: ignore[arg-type]


def chained(log: Log) -> Log:
    """Number and chain a log anew, as somebody would who knows how it is done."""
    made: Log = []
    prev = GENESIS
    for place, one in enumerate(log, start=1):
        one = changed(one, seq=place, prev_hash=prev)
        prev = hashlib.sha256(prev + header_of(one) + one.sealed).digest()
        made.append(changed(one, hash=prev))
    return made


def _payload(log: Log, dice: random.Random) -> Log:
    place = dice.randrange(len(log))
    sealed = bytearray(log[place].sealed)
    sealed[dice.randrange(len(sealed))] ^= 1 << dice.randrange(8)
    log[place] = changed(log[place], sealed=bytes(sealed))
    return log


def _header(log: Log, dice: random.Random) -> Log:
    place = dice.randrange(len(log))
    change = dice.choice([
        {"actor": "somebody"}, {"at_ms": log[place].at_ms + dice.randint(1, 9_999)},
        {"type": "note_edited"}, {"schema_version": 2},
    ])  # fmt: skip
    log[place] = changed(log[place], **change)
    return log


def _order(log: Log, dice: random.Random) -> Log:
    one, other = sorted(dice.sample(range(len(log)), 2))
    first, second = changed(log[other], seq=one + 1), changed(log[one], seq=other + 1)
    log[one], log[other] = first, second
    return log


def _deletion(log: Log, dice: random.Random) -> Log:
    del log[dice.randrange(len(log) - 1)]
    return log


def _truncation(log: Log, dice: random.Random) -> Log:
    return log[: dice.randint(1, len(log) - 1)]


def _insertion(log: Log, dice: random.Random) -> Log:
    place = dice.randrange(len(log))
    log.insert(place, changed(log[place], actor="somebody"))
    return log


def _disappearance(log: Log, dice: random.Random) -> Log:
    return []


WAYS: tuple[Callable[[Log, random.Random], Log], ...] = (
    _payload, _header, _order, _deletion, _truncation, _insertion, _disappearance,
)  # fmt: skip


def write(path: Path, session_id: str, log: Log, seq: int | None) -> None:
    """Put a log in the place of a session's, past the service; ``seq`` fits the row to it."""
    with sqlite3.connect(path) as link:
        link.execute("DELETE FROM events WHERE session_id = ?", (session_id,))
        link.executemany(
            f"INSERT INTO events ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
            [tuple(getattr(one, name) for name in _COLUMNS.split(", ")) for one in log],
        )
        if seq is not None:
            link.execute("UPDATE rows SET seq = ? WHERE session_id = ?", (seq, session_id))
    link.close()


async def tamper(path: Path, store: Store, checkpoint: Checkpoint, seed: int) -> tuple[str, bool]:
    """Change one log in one way, look whether that is seen, and change it back."""
    dice = random.Random(seed)
    session_id = f"ses_{dice.randrange(_SESSIONS)}"
    before = list(await store.read(session_id))
    way = dice.choice(WAYS)
    after = way(list(before), dice)
    cover = dice.random() < 0.5
    after = chained(after) if cover else after
    if len({one.seq for one in after}) < len(after):
        after = [changed(one, seq=place) for place, one in enumerate(after, start=1)]
    write(path, session_id, after, len(after))
    found = await verify(store, checkpoint)
    write(path, session_id, before, len(before))
    return way.__name__, {one.session_id for one in found} == {session_id}


@pytest.mark.slow
async def test_every_one_of_a_thousand_random_tamperings_is_found(tmp_path: Path) -> None:
    path = tmp_path / "secondchair.db"
    store = SqliteStore(path)
    await fill(store)
    checkpoint = await take(store, at_ms=1)
    assert await verify(store, checkpoint, KEYS) == ()
    tried: Counter[str] = Counter()
    missed: list[int] = []
    for seed in range(_TAMPERINGS):
        way, seen = await tamper(path, store, checkpoint, seed)
        tried[way] += 1
        missed += [] if seen else [seed]
    assert missed == []
    assert len(tried) == len(WAYS)
    assert await verify(store, checkpoint, KEYS) == ()
    await store.close()


async def test_without_a_checkpoint_a_changed_payload_chained_anew_does_not_open(
    tmp_path: Path,
) -> None:
    path = tmp_path / "secondchair.db"
    store = SqliteStore(path)
    await fill(store)
    log = chained(_payload(list(await store.read("ses_1")), random.Random(1)))
    write(path, "ses_1", log, len(log))
    assert await verify(store) == ()
    assert [one.fault for one in await verify(store, keys=KEYS)] == ["unreadable"]
    await store.close()


async def test_what_happened_after_a_checkpoint_is_no_tampering(store: Store) -> None:
    await fill(store)
    checkpoint = await take(store, at_ms=1)
    ledger = Ledger(store, KEYS, SystemClock(), Policy())
    note = events.NoteAdded(note_id="not_9", text=WORDS)
    await ledger.append("ses_1", lambda _: (note,), "anna")
    await ledger.erase("ses_2", "superior")
    assert await verify(store, checkpoint, KEYS) == ()


async def test_a_session_that_was_taken_away_is_missed(store: Store) -> None:
    await fill(store)
    whole = await take(store, at_ms=1)
    more = Checkpoint(1, {**whole.heads, "ses_x": whole.heads["ses_1"]})
    found = await verify(store, more)
    assert [(one.session_id, one.fault) for one in found] == [("ses_x", "missing")]


async def test_only_the_signers_unchanged_file_is_a_checkpoint(store: Store) -> None:
    await fill(store)
    key = Ed25519PrivateKey.generate()
    checkpoint = await take(store, at_ms=1)
    signed = sign(checkpoint, key)
    again = opened(signed, key.public_key())
    assert again == checkpoint
    assert digest(again) == digest(checkpoint)
    assert WORDS.encode() not in signed
    dice = random.Random(3)
    for _ in range(200):
        forged = bytearray(signed)
        forged[dice.randrange(len(forged))] ^= 1 << dice.randrange(8)
        with pytest.raises(NotACheckpoint):
            opened(bytes(forged), key.public_key())
    with pytest.raises(NotACheckpoint):
        opened(signed, Ed25519PrivateKey.generate().public_key())
    with pytest.raises(NotACheckpoint):
        opened(b"", key.public_key())

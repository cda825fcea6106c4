"""A copy of a store is the same store: every log, row, key, document and remembered answer."""

import sqlite3
from pathlib import Path

import pytest

from service.checkpoints import rebuild
from service.ids import SystemClock
from service.ledger import Ledger, Under
from service.session import events
from service.session.duties import Policy
from service.stores.copying import Copied, Copyable, NotACopy, copy, differences
from service.stores.memory import MemoryStore
from service.stores.port import Document
from service.stores.sqlite import SqliteStore
from tests.contract.making import answer, append
from tests.contract.test_erasure import KEYS, WORDS

_SESSIONS = 700
"""More than one page of rows."""


def ledger_of(store: Copyable) -> Ledger:
    return Ledger(store, KEYS, SystemClock(), Policy())


async def furnish(store: Copyable) -> None:
    """Sessions that go on, one erased, documents of two kinds, answers."""
    ledger = ledger_of(store)
    begun = events.SessionOpened(client_ref="ref", team="north", language="en", region="US")
    for number in range(4):
        await ledger.open(f"ses_{number}", begun, "app", Under())
        note = events.NoteAdded(note_id="not_1", text=WORDS)
        await ledger.append(f"ses_{number}", lambda _, note=note: (note,), "anna")
    await ledger.erase("ses_3", "superior")
    await store.append(append("ses_x", answer=answer("a1", SystemClock().now_ms() + 3_600_000)))
    for version in (1, 2, 3):
        await store.put_document("api_key", Document("k1", version, b"v%d" % version))
    await store.put_document("autosave", Document("ses_1", 1, b"\0\xff"))


@pytest.fixture
async def other(tmp_path: Path):
    """An empty store of another kind to copy to."""
    store = SqliteStore(tmp_path / "other.db")
    yield store
    await store.close()


async def test_a_copy_is_the_same(store: Copyable, other: SqliteStore) -> None:
    await furnish(store)
    assert await differences(store, other) != ()
    done = await copy(store, other)
    assert (done.sessions, done.documents, done.answers) == (5, 2, 1)
    assert await differences(store, other) == ()
    assert (await ledger_of(other).load("ses_2")).seq == 2
    assert await other.document("api_key", "k1") == Document("k1", 3, b"v3")


async def test_there_and_back_is_the_same(store: Copyable, other: SqliteStore) -> None:
    await furnish(other)
    assert (await copy(other, store)).events == 10
    assert await differences(other, store) == ()
    known = await store.answer("a1")
    assert known is not None
    assert known.body == b"{}"


async def test_a_second_copy_brings_what_happened_since(
    store: Copyable, other: SqliteStore
) -> None:
    await furnish(store)
    await copy(store, other)
    ledger = ledger_of(store)
    note = events.NoteAdded(note_id="not_2", text=WORDS)
    await ledger.append("ses_0", lambda _: (note,), "anna")
    await ledger.erase("ses_1", "superior")
    await store.drop_document("autosave", "ses_1")
    await store.put_document("api_key", Document("k1", 4, b"revoked"))
    assert await copy(store, other) == Copied(2, 2, 1, 0)
    assert await differences(store, other) == ()
    assert await other.wrapped_key("ses_1") is None
    assert await copy(store, other) == Copied(0, 0, 0, 0)


async def test_an_answer_whose_time_is_over_is_neither_carried_nor_missed(
    store: Copyable, other: SqliteStore
) -> None:
    now_ms = SystemClock().now_ms()
    await other.append(append("ses_0", answer=answer("over", now_ms - 1)))
    await other.append(append("ses_1", answer=answer("lasting", now_ms + 3_600_000)))
    assert (await copy(other, store)).answers == 1
    assert [one.key for one in await store.answers()] == ["lasting"]
    assert await differences(other, store) == ()
    await store.keep_answers(await other.answers())
    assert await differences(other, store) == ()


async def test_a_store_that_holds_something_else_is_left_alone(
    store: Copyable, other: SqliteStore
) -> None:
    await furnish(store)
    await other.append(append("ses_elsewhere"))
    with pytest.raises(NotACopy):
        await copy(store, other)
    assert await other.row("ses_0") is None


async def test_a_log_that_went_its_own_way_is_left_alone(
    store: Copyable, other: SqliteStore
) -> None:
    await furnish(store)
    await copy(store, other)
    for one in (store, other):
        note = events.NoteAdded(note_id="not_3", text=WORDS)
        await ledger_of(one).append("ses_0", lambda _, note=note: (note,), "anna")
    with pytest.raises(NotACopy):
        await copy(store, other)


async def test_whatever_is_changed_in_a_copy_is_seen(tmp_path: Path) -> None:
    source, path = MemoryStore(), tmp_path / "copy.db"
    await furnish(source)
    for change in (
        "UPDATE events SET actor = 'somebody' WHERE session_id = 'ses_0' AND seq = 2",
        "DELETE FROM events WHERE session_id = 'ses_1' AND seq = 2",
        "UPDATE rows SET team = 'south' WHERE session_id = 'ses_0'",
        "UPDATE keys SET wrapped = x'00' WHERE session_id = 'ses_2'",
        "DELETE FROM keys WHERE session_id = 'ses_2'",
        "UPDATE documents SET body = x'00' WHERE key = 'k1'",
        "DELETE FROM documents WHERE key = 'ses_1'",
        "DELETE FROM answers",
    ):
        path.unlink(missing_ok=True)
        target = SqliteStore(path)
        await copy(source, target)
        assert await differences(source, target) == ()
        with sqlite3.connect(path) as link:
            link.execute(change)
        link.close()
        assert len(await differences(source, target)) == 1, change
        await target.close()


async def test_more_than_one_page_is_copied_and_told(other: SqliteStore) -> None:
    source = MemoryStore()
    for number in range(_SESSIONS):
        await source.append(append(f"ses_{number:04d}"))
    told: list[tuple[int, int]] = []
    done = await copy(source, other, lambda one, of: told.append((one, of)))
    assert done.sessions == _SESSIONS
    assert told == [(500, _SESSIONS), (_SESSIONS, _SESSIONS)]
    assert await differences(source, other) == ()


async def type_words(store: Copyable, versions: int, words: bytes) -> None:
    for version in range(1, versions + 1):
        await store.put_document("unsent", Document("ses_1:ann", version, words))


async def test_words_typed_anew_since_the_first_copy_are_carried(
    store: Copyable, other: SqliteStore
) -> None:
    await furnish(store)
    await type_words(store, 7, b"sent since")
    await copy(store, other)
    await store.drop_document("unsent", "ses_1:ann")
    await type_words(store, 3, b"typed anew")
    assert "unsent ses_1" in await differences(store, other)
    assert await copy(store, other) == Copied(0, 0, 1, 0)
    assert await differences(store, other) == ()
    assert await other.document("unsent", "ses_1:ann") == Document("ses_1:ann", 3, b"typed anew")
    # The same version of other words.
    await store.drop_document("unsent", "ses_1:ann")
    await type_words(store, 3, b"once more")
    await copy(store, other)
    assert await differences(store, other) == ()


async def test_a_document_that_went_its_own_way_is_left_alone(
    store: Copyable, other: SqliteStore
) -> None:
    await furnish(store)
    await copy(store, other)
    await other.put_document("api_key", Document("k1", 4, b"changed there"))
    with pytest.raises(NotACopy):
        await copy(store, other)


async def test_who_looks_at_a_session_is_neither_carried_nor_missed(
    store: Copyable, other: SqliteStore
) -> None:
    await furnish(store)
    for version in (1, 2):
        await store.put_document("viewer", Document("ses_1", version, b"{}"))
    assert (await copy(store, other)).documents == 2
    assert "viewer" not in await other.kinds()
    assert await differences(store, other) == ()
    await other.put_document("viewer", Document("ses_1", 1, b"{}"))
    assert await copy(store, other) == Copied(0, 0, 0, 0)
    assert await differences(store, other) == ()


async def test_a_log_that_is_in_no_list_is_named_until_it_is_listed_again(
    tmp_path: Path, other: SqliteStore
) -> None:
    source = SqliteStore(tmp_path / "source.db")
    await furnish(source)
    await source.drop_document("autosave", "ses_1")
    await source._writer.run(lambda link: link.execute("DELETE FROM rows WHERE session_id='ses_2'"))
    assert (await copy(source, other)).sessions == 4
    assert await differences(source, other) == ("ses_2 (in no list: store rebuild)",)
    assert await other.read("ses_2") == []
    await rebuild(source, KEYS)
    assert (await copy(source, other)).sessions == 1
    assert await differences(source, other) == ()
    await source.close()

"""An API key opens only as issued: whoever can write to the store can make or change none."""

import hashlib

import pytest

from service.auth import KIND, Caller, KeyRecord, mark_anew, revoke
from service.sealing import MasterKeys
from service.stores.port import Document
from tests.driving import Town

NEW = bytes(range(32, 64))


async def record_of(here: Town, who: str) -> tuple[Document, KeyRecord]:
    """Give what is stored of somebody's key."""
    found = await here.store.document(KIND, here.prefix(who))
    assert found is not None
    return found, KeyRecord.model_validate_json(found.body)


async def put(here: Town, before: Document, record: KeyRecord) -> None:
    """Write to the store what its owner could write."""
    body = record.model_dump_json().encode()
    await here.store.put_document(KIND, Document(before.key, before.version + 1, body))


async def status(here: Town, key: str) -> int:
    """Give how a key is answered."""
    return (await here.http.get("/v1/me", headers={"Authorization": f"Bearer {key}"})).status_code


@pytest.mark.parametrize("mark", ["", "0" * 64])
async def test_a_key_that_only_the_store_knows_opens_nothing_and_is_told_of(
    here: Town, mark: str, capsys: pytest.CaptureFixture[str]
) -> None:
    digest = hashlib.sha256(b"guessed").hexdigest()
    made_up = KeyRecord(hash=digest, name="eve", role="supervisor", team="north", mark=mark)
    await put(here, Document("abcdef012345", 0, b""), made_up)
    assert await status(here, "sc_abcdef012345_wrong") == 401
    assert "key_refused" not in capsys.readouterr().out
    assert await status(here, "sc_abcdef012345_guessed") == 401
    told = capsys.readouterr().out
    assert "key_refused" in told
    assert "sc_abcdef012345" in told
    assert "guessed" not in told


@pytest.mark.parametrize(
    "change",
    [{"role": "supervisor"}, {"team": "south"}, {"name": "sue"}, {"expires_at_ms": 2 * 10**12},
     {"expires_at_ms": None}, {"hash": hashlib.sha256(b"guessed").hexdigest()}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
async def test_a_key_that_was_changed_in_the_store_opens_nothing(
    here: Town, change: dict[str, object]
) -> None:
    until_ms = here.clock.now_ms() + 60_000
    key = await here.admit("ida", Caller("ida", "therapist", "north"), until_ms)
    assert await status(here, key) == 200
    found, record = await record_of(here, "ida")
    await put(here, found, record.model_copy(update=change))
    assert await status(here, key) == 401
    assert await status(here, f"sc_{found.key}_guessed") == 401


async def test_a_revoked_key_cannot_be_taken_back_by_its_record(here: Town) -> None:
    assert await revoke(here.store, here.master, here.prefix("sue"))
    found, record = await record_of(here, "sue")
    assert record.revoked
    await put(here, found, record.model_copy(update={"revoked": False}))
    assert await status(here, here.keys["sue"]) == 401


async def test_a_record_under_another_prefix_opens_nothing(here: Town) -> None:
    found, record = await record_of(here, "sue")
    secret = here.keys["sue"].removeprefix(f"sc_{found.key}_")
    await put(here, Document("abcdef012345", 0, b""), record)
    assert await status(here, f"sc_abcdef012345_{secret}") == 401


async def test_keys_outlive_the_master_key_that_they_were_issued_under(here: Town) -> None:
    old, key = here.master.keys[0], here.keys["ada"]
    both = MasterKeys((NEW, old))
    here.master = both
    here.restart()
    assert await status(here, key) == 200
    found, record = await record_of(here, "tom")
    await put(here, found, record.model_copy(update={"role": "supervisor"}))
    marked = await mark_anew(here.store, both)
    assert (marked.anew, marked.unknown) == (len(here.keys) - 1, (found.key,))
    assert (await mark_anew(here.store, both)).anew == 0
    here.master = MasterKeys((NEW,))
    here.restart()
    assert await status(here, key) == 200
    assert await status(here, here.keys["tom"]) == 401

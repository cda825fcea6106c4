"""Documents that belong to a session are gone with its data key, in every store."""

from service.stores.port import Document
from tests.contract.conftest import Store
from tests.contract.making import append


async def test_an_erasure_drops_what_stood_beside_the_session_and_nothing_else(
    store: Store,
) -> None:
    for one in ("ses_a", "ses_ab"):
        await store.append(append(one))
        await store.put_document("viewer", Document(one, 1, b"{}"))
        await store.put_document("unsent", Document(f"{one}:anna", 1, b"sealed"))
    await store.put_document("unsent", Document("ses_a:berta", 1, b"sealed"))
    await store.put_document("rollout", Document("ses_a", 1, b"{}"))
    await store.append(append("ses_a", 1, destroy_key=True))
    left = {kind: [one.key for one in await store.documents(kind)] for kind in await store.kinds()}
    assert left == {"rollout": ["ses_a"], "unsent": ["ses_ab:anna"], "viewer": ["ses_ab"]}
    await store.append(append("ses_ab", 1, destroy_key=True))
    assert list(await store.kinds()) == ["rollout"]

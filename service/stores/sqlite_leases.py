"""Leases and claims in SQL: who works on a session, who is next. `sqlite` runs them."""

import sqlite3
from typing import Any

from service.stores.port import Claim, ClaimedByOther, ClaimLost, ClaimWish, Fence, Lease

_DUE = (
    "SELECT session_id, lease + 1 FROM rows WHERE due_at_ms <= ? "
    "ORDER BY urgency DESC, due_at_ms, session_id LIMIT ?"
)
_ASIDE = (
    "SELECT session_id, lease + 1 FROM aside JOIN rows USING (session_id) "
    "ORDER BY aside.urgency DESC, since_ms, session_id LIMIT ?"
)


def any_due(link: sqlite3.Connection, now_ms: int, aside: bool) -> bool:
    """Say whether `take` would find somebody; takes no lock."""
    if aside:
        return link.execute("SELECT 1 FROM aside LIMIT 1").fetchone() is not None
    sql = "SELECT 1 FROM rows WHERE due_at_ms <= ? LIMIT 1"
    return link.execute(sql, (now_ms,)).fetchone() is not None


def take(link: sqlite3.Connection, until_ms: int, limit: int, due_ms: int | None) -> list[Lease]:
    """See `Store.lease_due`: what is due by ``due_ms``, or with None what was put aside."""
    found = (
        link.execute(_ASIDE, (limit,)) if due_ms is None else link.execute(_DUE, (due_ms, limit))
    )
    leases = [Lease(*one) for one in found.fetchall()]
    sql = "UPDATE rows SET due_at_ms = ?, lease = ? WHERE session_id = ?"
    link.executemany(sql, [(until_ms, number, session_id) for session_id, number in leases])
    sql = "DELETE FROM aside WHERE session_id = ?"
    link.executemany(sql, [(session_id,) for session_id, _ in leases])
    return leases


def keep(link: sqlite3.Connection, lease: Lease, until_ms: int) -> bool:
    """See `Store.keep_lease`."""
    sql = "UPDATE rows SET due_at_ms = ? WHERE session_id = ? AND lease = ?"
    return link.execute(sql, (until_ms, *lease)).rowcount == 1


def put_aside(link: sqlite3.Connection, lease: Lease, until_ms: int, since_ms: int) -> bool:
    """See `Store.keep_lease`: give the lease back, and let the session wait for a slot."""
    sql = "UPDATE rows SET due_at_ms = ?, lease = lease + 1 WHERE session_id = ? AND lease = ?"
    if link.execute(sql, (until_ms, *lease)).rowcount != 1:
        return False
    sql = (
        "INSERT OR REPLACE INTO aside SELECT session_id, urgency, ? FROM rows WHERE session_id = ?"
    )
    link.execute(sql, (since_ms, lease.session_id))
    return True


def next_due_ms(link: sqlite3.Connection, aside: bool) -> int | None:
    """See `Store.next_due_ms`."""
    sql = "SELECT MIN(due_at_ms) FROM rows WHERE due_at_ms IS NOT NULL"
    found = [link.execute(sql).fetchone()[0]]
    if aside:
        found.append(link.execute("SELECT MIN(since_ms) FROM aside").fetchone()[0])
    return min((due for due in found if due is not None), default=None)


def claim(link: sqlite3.Connection, wish: ClaimWish) -> Claim:
    """See `Store.claim`."""
    sql = "SELECT claim_holder, claim_number, claim_until_ms FROM rows WHERE session_id = ?"
    found = link.execute(sql, (wish.session_id,)).fetchone()
    if found is None:
        raise KeyError(wish.session_id)
    holder, number, until_ms = found
    ours, live = holder == wish.holder, until_ms > wish.now_ms
    if wish.renew is not None and not (ours and number == wish.renew):
        raise ClaimLost
    if live and not ours and not wish.take_over:
        raise ClaimedByOther
    if not ours:
        number += 1
    given: tuple[Any, ...] = (wish.holder, number, wish.until_ms, wish.session_id)
    sql = (
        "UPDATE rows SET claim_holder = ?, claim_number = ?, claim_until_ms = ? "
        "WHERE session_id = ?"
    )
    link.execute(sql, given)
    return Claim(wish.holder, number, wish.until_ms)


def release(link: sqlite3.Connection, session_id: str, fence: Fence) -> None:
    """See `Store.release_claim`."""
    sql = (
        "UPDATE rows SET claim_until_ms = 0, claim_holder = '' "
        "WHERE session_id = ? AND claim_holder = ? AND claim_number = ?"
    )
    link.execute(sql, (session_id, *fence))

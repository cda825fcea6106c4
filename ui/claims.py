"""Holding a session: one reviewer at a time, a lease that is renewed while the page is open."""

from typing import Final

from service.schemas.review import ClaimRequest
from ui.client import Offline, Refused
from ui.desk import attempt, desk

_GONE: Final = {404, 409, 410}
"""Refusals of a claim that are about the one session: a colleague has it, or it is no more."""


def take(session: str) -> bool:
    """Claim the session if nobody else holds it; quiet where somebody does."""
    try:
        return take_free(session)
    except (Refused, Offline):
        return False


def take_free(session: str) -> bool:
    """Claim the session; false where somebody else was faster.

    Raises: Offline; Refused where it is not about this session, so that the next would fail too.
    """
    try:
        claim = desk().api.claim(session)
    except Refused as refusal:
        if refusal.problem.status not in _GONE:
            raise
        return False
    _hold(session, claim.claim)
    return True


def take_over(session: str, note: str) -> bool:
    """Take the session from whoever holds it; the note tells them why."""
    claim = attempt(
        lambda: desk().api.claim(session, request=ClaimRequest(take_over=True, note=note))
    )
    if claim is None:
        return False
    _hold(session, claim.claim)
    return True


def renew(session: str) -> None:
    """Keep the lease; when a colleague has it now, say so at once."""
    held = desk().claims.get(session)
    if held is None:
        return
    try:
        _hold(session, desk().api.claim(session, held).claim)
    except Refused as refusal:
        # A service that is busy or ailing says nothing about who has the session.
        if refusal.problem.status in _GONE:
            lose(session)
    except Offline:
        return


def lose(session: str) -> None:
    """A colleague has the session now; what was typed here stays."""
    desk().claims.pop(session, None)
    desk().lost.add(session)


def let_go(session: str) -> None:
    """Give the session back to the queue."""
    held = desk().claims.pop(session, None)
    if held is not None:
        attempt(lambda: desk().api.release(session, held))


def _hold(session: str, claim: str) -> None:
    desk().claims[session] = claim
    desk().lost.discard(session)

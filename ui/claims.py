"""Holding a session: one reviewer at a time, a lease that is renewed while the page is open."""

from typing import Final, NamedTuple

from service.schemas.review import ClaimRequest
from service.schemas.workspace import Workspace
from ui.client import Offline, Params, Refused
from ui.desk import attempt, desk, t

PAGE: Final = 100
"""Sessions of the queue that are asked for at once."""
_GONE: Final = {404, 409, 410}
"""Refusals of a claim that are about the one session: a colleague has it, or it is no more."""


class First(NamedTuple):
    """The session that was free; where none was, how many wait besides the one that is open."""

    session: str | None
    others: int = 0
    among: bool = False
    """Whether the open one waits itself."""


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


def take_first(asked: Params, after: str | None = None) -> First:
    """Claim the most urgent session of the queue, as ``asked`` for, that nobody holds.

    Page by page, all but ``after``; those handed to a colleague come last, alerts excepted.
    Raises: Offline, Refused.
    """
    token, among, me = None, False, desk().me.name
    handed: list[str] = []
    while True:
        page = desk().api.queue({**asked, "page_size": PAGE, "page_token": token})
        for item in page.items:
            if item.session_id == after:
                among = True
            elif item.claimed_by not in {None, me}:
                continue
            elif item.assigned_to not in {None, me} and item.kind != "alert":
                handed.append(item.session_id)
            elif take_free(item.session_id):
                return First(item.session_id)
        token = page.next_page_token
        if token is None:
            break
    taken = next((session for session in handed if take_free(session)), None)
    return First(taken, page.total - among, among)


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


def colleagues(workspace: Workspace) -> list[str]:
    """Names that are surely a reviewer's: seen in the queue, or answering and looking here."""
    told = {line.by for line in workspace.transcript if line.kind in {"reply", "note"} and line.by}
    return sorted((desk().colleagues | told | set(workspace.viewers)) - {desk().me.name})


def sure_of(to: str, workspace: Workspace) -> bool:
    """Whether a session may be handed to this name: one that nobody was seen under is asked twice.

    A name that is nearly right would be nobody's, and the session would wait for nobody.
    """
    if to in colleagues(workspace) or desk().doubted == (workspace.session_id, to):
        return True
    desk().doubted = (workspace.session_id, to)
    desk().notice = ("error", t("question.unknown_colleague", who=to))
    return False


def let_go(session: str) -> None:
    """Give the session back to the queue."""
    held = desk().claims.pop(session, None)
    if held is not None:
        attempt(lambda: desk().api.release(session, held))


def _hold(session: str, claim: str) -> None:
    desk().claims[session] = claim
    desk().lost.discard(session)

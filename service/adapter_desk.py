"""The adapter desk: which adapter serves which role, and changing that without a failed request."""

from collections.abc import Sequence

from fastapi import APIRouter

from models.adapters import shelved
from models.completion import EngineUnavailable
from planner.vocabulary import Role
from service.house import InHouse, Ops
from service.ids import moment
from service.rolling import Rolling, Running
from service.schemas.admin import Adapters, AdapterView, RolloutRequest, RolloutView
from service.schemas.wire import Ident
from service.session.refusals import Refused

router = APIRouter(prefix="/v1", tags=["adapter desk"])


@router.get("/adapters")
async def list_adapters(house: InHouse, caller: Ops) -> Adapters:
    """List what is on the shelf, what the engine has loaded, and what serves each role."""
    rolling = _rolling(house.rolling)
    aliases = {role: await rolling.aliases.serving(role) for role in Role}
    try:
        loaded = await rolling.engines[0].models() if rolling.engines else frozenset[str]()
    except EngineUnavailable:
        loaded = frozenset[str]()
    rollouts = await rolling.all()
    items = tuple(
        AdapterView(
            name=one.name, role=one.role, serving=aliases[one.role] == one.name,
            loaded=one.name in loaded, error_rate=_error_rate(one.name, rollouts),
        )
        for one in shelved(rolling.shelf.folder)
    )  # fmt: skip
    return Adapters(items=items, aliases=aliases)


@router.post("/adapters/{role}/rollouts", status_code=202)
async def begin_rollout(
    role: Role, asked: RolloutRequest, house: InHouse, caller: Ops
) -> RolloutView:
    """Bring an adapter into service: preflight, load, warm up, gate, flip, drain, unload.

    The base's name takes the role back to the base.
    """
    return _view(await _rolling(house.rolling).start(role, asked.name))


@router.post("/adapters/{role}/rollback", status_code=202)
async def roll_back(role: Role, house: InHouse, caller: Ops) -> RolloutView:
    """Take the running rollout back, or return to what served before, be it the base."""
    return _view(await _rolling(house.rolling).take_back(role))


@router.get("/rollouts/{rollout_id}")
async def read_rollout(rollout_id: Ident, house: InHouse, caller: Ops) -> RolloutView:
    """Say how far a rollout has come."""
    for running in await _rolling(house.rolling).all():
        if running.rollout_id == rollout_id:
            return _view(running)
    raise Refused("not_found", "No such rollout.")


def _error_rate(name: str, rollouts: Sequence[Running]) -> float | None:
    """Give the share that failed of the answers counted when ``name`` was brought in last."""
    mine = [one.rollout for one in rollouts if one.rollout.new == name]
    counted = [(one.errors, one.well + one.errors) for one in mine if one.well + one.errors]
    return counted[-1][0] / counted[-1][1] if counted else None


def _view(running: Running) -> RolloutView:
    rollout = running.rollout
    reason = f"{rollout.reason}: {rollout.detail}" if rollout.reason else None
    return RolloutView(
        rollout_id=running.rollout_id, role=rollout.role, name=rollout.new, previous=rollout.old,
        state=rollout.phase, steps=running.steps, reason=reason,
        started_at=moment(running.started_at_ms), updated_at=moment(running.updated_at_ms),
    )  # fmt: skip


def _rolling(rolling: Rolling | None) -> Rolling:
    if rolling is None:
        raise Refused("unavailable", "This process has no adapter desk.")
    return rolling

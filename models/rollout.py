"""How a role changes its adapter without failing a request: a pure state machine.

One phase asks for one step; the step's outcome is an event; an event moves the phase. Every step
may be repeated, so whoever finds a rollout half done does its current step again. Steps touch the
world in ``models/rollout_steps.py``; nothing here does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from planner.vocabulary import Role


class Phase(StrEnum):
    """What is being done right now; the value is what the adapter desk shows."""

    PREFLIGHT = "preflight"
    LOADING = "loading"
    WARMING = "warming"
    GATING = "gating"
    FLIPPING = "flipping"
    CONFIRMING = "confirming"
    """The flipped role is asked the fingerprint prompt again."""
    DRAINING = "draining"
    """Waiting until nobody asks the old adapter any more, and watching the new one."""
    UNLOADING = "unloading"
    DONE = "done"
    RETURNING = "returning"
    """Pointing the role back at the old adapter."""
    EMPTYING = "emptying"
    """Waiting until nobody asks the refused adapter any more."""
    CLEARING = "clearing"
    """Unloading the refused adapter."""
    ROLLED_BACK = "rolled_back"


class Reason(StrEnum):
    """Why a rollout was taken back."""

    UNFIT = "unfit"
    LOAD_FAILED = "load_failed"
    WARM_UP_FAILED = "warm_up_failed"
    GATE_FAILED = "gate_failed"
    FLIP_FAILED = "flip_failed"
    CONFIRM_FAILED = "confirm_failed"
    """It could not be asked again after the flip; a wrong answer is a mismatch."""
    FINGERPRINT_MISMATCH = "fingerprint_mismatch"
    ERROR_RATE = "error_rate"
    ASKED = "asked"
    """A person took it back."""


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The step of ``phase`` did what it should."""

    phase: Phase
    fingerprint: str | None = None
    """Of warming and confirming: sha256 of the answer to the fingerprint prompt."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The step of ``phase`` did not."""

    phase: Phase
    detail: str = ""
    """Codes only."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A real request to the new adapter ended, well or in an engine error."""

    well: bool


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A person asked to undo a rollout that is still running."""


Event = Succeeded | Failed | Answered | TakenBack


@dataclass(frozen=True, slots=True)
class Rollout:
    """One change of one role's adapter, from one name to another."""

    role: Role
    old: str
    """What the role is served by now; the base's name before the first adapter."""
    new: str
    expected: str | None = None
    """The fingerprint recorded at publishing; None accepts what warming finds."""
    keep_old: bool = False
    """True for the base, which cannot be unloaded."""
    back: bool = False
    """True for the way back that a person asked for."""
    phase: Phase = Phase.PREFLIGHT
    fingerprint: str | None = None
    reason: Reason | None = None
    detail: str = ""
    well: int = 0
    errors: int = 0

    @property
    def over(self) -> bool:
        """Whether nothing is left to do."""
        return self.phase in (Phase.DONE, Phase.ROLLED_BACK)

    @property
    def serving(self) -> frozenset[str]:
        """The names the role's alias may point at in this phase; two while it is being moved."""
        if self.phase in (Phase.FLIPPING, Phase.RETURNING):
            return frozenset((self.old, self.new))
        return frozenset((self.new if self.phase in _NEW_SERVES else self.old,))


ERRORS_MAX = 0.2
"""Share of failed answers above which the new adapter is taken back."""
ANSWERS_MIN = 5
"""Answers to see before the share means anything."""

_NEW_SERVES = frozenset((Phase.CONFIRMING, Phase.DRAINING, Phase.UNLOADING, Phase.DONE))
_ONWARD: Mapping[Phase, Phase] = {
    Phase.PREFLIGHT: Phase.LOADING,
    Phase.LOADING: Phase.WARMING,
    Phase.WARMING: Phase.GATING,
    Phase.GATING: Phase.FLIPPING,
    Phase.FLIPPING: Phase.CONFIRMING,
    Phase.CONFIRMING: Phase.DRAINING,
    Phase.DRAINING: Phase.UNLOADING,
    Phase.UNLOADING: Phase.DONE,
    Phase.RETURNING: Phase.EMPTYING,
    Phase.EMPTYING: Phase.CLEARING,
    Phase.CLEARING: Phase.ROLLED_BACK,
}
_BACK: Mapping[Phase, tuple[Phase, Reason]] = {
    Phase.PREFLIGHT: (Phase.ROLLED_BACK, Reason.UNFIT),
    # A load that failed halfway may still have left the name behind.
    Phase.LOADING: (Phase.CLEARING, Reason.LOAD_FAILED),
    Phase.WARMING: (Phase.CLEARING, Reason.WARM_UP_FAILED),
    Phase.GATING: (Phase.CLEARING, Reason.GATE_FAILED),
    # A flip whose outcome is unknown may have happened.
    Phase.FLIPPING: (Phase.RETURNING, Reason.FLIP_FAILED),
    Phase.CONFIRMING: (Phase.RETURNING, Reason.CONFIRM_FAILED),
    Phase.DRAINING: (Phase.RETURNING, Reason.ERROR_RATE),
}
"""Where failure leads. Phases not listed have no way back: their step is tried again."""


def begin(role: Role, old: str, new: str, base: str, expected: str | None = None) -> Rollout:
    """Start changing ``role`` from ``old`` to ``new``.

    Raises: ValueError if nothing would change, or the new name is the base's.
    """
    if new in (old, base):
        raise ValueError("a rollout changes the adapter")
    return Rollout(role, old, new, expected, keep_old=old == base)


def leave(role: Role, serving: str, base: str) -> Rollout:
    """Start going back from ``serving`` to the base: as if its rollout were taken back only now.

    Nothing needs to be checked or loaded, because the base is never unloaded.
    """
    return Rollout(
        role, base, serving, keep_old=True, phase=Phase.RETURNING, reason=Reason.ASKED
    )  # fmt: skip


def before(serving: str, rollouts: Sequence[Rollout]) -> str | None:
    """Name what served before ``serving``, by the role's rollouts, oldest first; None if nothing.

    A way back goes along the line that led here, so what it left is not met again on it.
    """
    line: list[str] = []
    for one in rollouts:
        if one.phase is Phase.DONE and one.back:
            while line and line[-1] != one.new:
                line.pop()
            line = line or [one.new]
        elif one.phase is Phase.DONE:
            line = [*(line if line[-1:] == [one.old] else [one.old]), one.new]
    return line[-2] if len(line) > 1 and line[-1] == serving else None


def may_come(name: str, rollouts: Sequence[Rollout]) -> bool:
    """Tell whether an adapter may come into service by itself, after these rollouts of its role.

    Not where it was refused or left before, nor after a person's no until another has come since.
    """
    told = [one for one in rollouts if one.phase is Phase.DONE or one.reason is Reason.ASKED]
    if told and (told[-1].back or told[-1].reason is Reason.ASKED):
        return False
    refused = {one.new for one in rollouts if one.phase is Phase.ROLLED_BACK}
    return name not in refused | {one.old for one in rollouts if one.back}


def advance(rollout: Rollout, event: Event) -> Rollout:
    """Fold one event into a rollout; an event of a phase already left changes nothing."""
    match event:
        case Succeeded(phase, fingerprint) if phase is rollout.phase and not rollout.over:
            return _succeeded(rollout, fingerprint)
        case Failed(phase, detail) if phase is rollout.phase:
            return _taken_back(rollout, detail=detail)
        case Answered(well) if rollout.phase in (Phase.CONFIRMING, Phase.DRAINING):
            return _answered(rollout, well)
        case TakenBack():
            return _taken_back(rollout, Reason.ASKED)
        case _:
            return rollout


def _succeeded(rollout: Rollout, fingerprint: str | None) -> Rollout:
    if rollout.phase is Phase.WARMING:
        if fingerprint is None or rollout.expected not in (None, fingerprint):
            return _taken_back(rollout, Reason.FINGERPRINT_MISMATCH)
        rollout = replace(rollout, fingerprint=fingerprint)
    if rollout.phase is Phase.CONFIRMING and fingerprint != rollout.fingerprint:
        return _taken_back(rollout, Reason.FINGERPRINT_MISMATCH)
    onward = _ONWARD[rollout.phase]
    if onward is Phase.UNLOADING and rollout.keep_old:
        onward = Phase.DONE
    return replace(rollout, phase=onward)


def _answered(rollout: Rollout, well: bool) -> Rollout:
    seen = replace(rollout, well=rollout.well + well, errors=rollout.errors + (not well))
    answers = seen.well + seen.errors
    if answers >= ANSWERS_MIN and seen.errors / answers > ERRORS_MAX:
        return _taken_back(seen, Reason.ERROR_RATE)
    return seen


def _taken_back(rollout: Rollout, reason: Reason | None = None, detail: str = "") -> Rollout:
    if rollout.phase not in _BACK:
        return rollout
    phase, usual = _BACK[rollout.phase]
    return replace(rollout, phase=phase, reason=reason or usual, detail=detail)

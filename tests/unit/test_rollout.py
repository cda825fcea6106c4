"""An adapter change never leaves a role unserved, whatever fails and however often."""

from collections import Counter
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.rollout import (
    ANSWERS_MIN,
    Answered,
    Event,
    Failed,
    Phase,
    Reason,
    Rollout,
    Succeeded,
    TakenBack,
    advance,
    before,
    begin,
    may_come,
)
from planner.vocabulary import Role

OLD, NEW, BASE = "utterance-aaaaaaaaaaaa", "utterance-bbbbbbbbbbbb", "base"
MARK = "f" * 64


def begun() -> Rollout:
    return begin(Role.UTTERANCE, OLD, NEW, BASE)


def reaching(phase: Phase) -> Rollout:
    rollout = begun()
    while rollout.phase is not phase:
        rollout = advance(rollout, Succeeded(rollout.phase, MARK))
    return rollout


def test_eight_good_steps_make_a_rollout() -> None:
    seen, rollout = [Phase.PREFLIGHT], begun()
    while not rollout.over:
        rollout = advance(rollout, Succeeded(rollout.phase, MARK))
        seen.append(rollout.phase)
    assert seen == list(Phase)[:9]


def test_the_base_is_never_unloaded() -> None:
    rollout = begin(Role.PLANNER, BASE, NEW, BASE)
    while rollout.phase is not Phase.DRAINING:
        rollout = advance(rollout, Succeeded(rollout.phase, MARK))
    assert advance(rollout, Succeeded(Phase.DRAINING)).phase is Phase.DONE


@pytest.mark.parametrize("new", [OLD, BASE])
def test_a_rollout_to_what_is_there_is_refused(new: str) -> None:
    with pytest.raises(ValueError, match="changes"):
        begin(Role.UTTERANCE, OLD, new, BASE)


@pytest.mark.parametrize(
    ("phase", "reason"),
    [
        (Phase.PREFLIGHT, Reason.UNFIT),
        (Phase.LOADING, Reason.LOAD_FAILED),
        (Phase.WARMING, Reason.WARM_UP_FAILED),
        (Phase.GATING, Reason.GATE_FAILED),
        (Phase.FLIPPING, Reason.FLIP_FAILED),
        (Phase.CONFIRMING, Reason.CONFIRM_FAILED),
        (Phase.DRAINING, Reason.ERROR_RATE),
    ],
)
def test_a_failure_before_unloading_takes_the_rollout_back(phase: Phase, reason: Reason) -> None:
    rollout = advance(reaching(phase), Failed(phase, "code"))
    assert (rollout.reason, rollout.detail) == (reason, "code")
    while not rollout.over:
        rollout = advance(rollout, Succeeded(rollout.phase))
    assert rollout.phase is Phase.ROLLED_BACK
    assert rollout.serving == {OLD}


def test_a_failed_unload_is_tried_again_not_taken_back() -> None:
    rollout = reaching(Phase.UNLOADING)
    assert advance(rollout, Failed(Phase.UNLOADING)) == rollout
    assert advance(rollout, TakenBack()) == rollout


def test_a_fingerprint_other_than_the_published_one_is_refused() -> None:
    rollout = begin(Role.UTTERANCE, OLD, NEW, BASE, expected="0" * 64)
    for phase in (Phase.PREFLIGHT, Phase.LOADING):
        rollout = advance(rollout, Succeeded(phase))
    rollout = advance(rollout, Succeeded(Phase.WARMING, MARK))
    assert (rollout.phase, rollout.reason) == (Phase.CLEARING, Reason.FINGERPRINT_MISMATCH)


def test_another_answer_after_the_flip_than_before_is_taken_back() -> None:
    rollout = advance(reaching(Phase.CONFIRMING), Succeeded(Phase.CONFIRMING, "0" * 64))
    assert (rollout.phase, rollout.reason) == (Phase.RETURNING, Reason.FINGERPRINT_MISMATCH)


def test_failing_answers_take_the_new_adapter_back_once_there_are_enough() -> None:
    rollout = reaching(Phase.DRAINING)
    for _ in range(ANSWERS_MIN - 1):
        rollout = advance(rollout, Answered(well=False))
        assert rollout.phase is Phase.DRAINING
    assert advance(rollout, Answered(well=False)).reason is Reason.ERROR_RATE


def test_a_late_or_doubled_event_changes_nothing() -> None:
    rollout = reaching(Phase.GATING)
    assert advance(rollout, Succeeded(Phase.LOADING)) == rollout
    assert advance(rollout, Failed(Phase.WARMING)) == rollout
    assert advance(reaching(Phase.DONE), Failed(Phase.DONE)) == reaching(Phase.DONE)


def done(old: str, new: str, *, back: bool = False) -> Rollout:
    return Rollout(Role.UTTERANCE, old, new, phase=Phase.DONE, back=back)


@pytest.mark.parametrize(
    ("way", "serving", "found"),
    [
        ((), BASE, None),
        ((done(BASE, "x"),), "x", BASE),
        ((done(BASE, "x"), done("x", "y")), "y", "x"),
        ((done(BASE, "x"), done("x", "y"), done("y", "x", back=True)), "x", BASE),
        ((done(BASE, "x"), done("x", "y"), done("y", "x")), "x", "y"),
        ((done(BASE, "x"), done("x", "y"), done("y", "x"), done("x", "y", back=True)), "y", "x"),
        ((done(BASE, "x"), done("x", "y"), done(BASE, "z")), "z", BASE),
        ((done(BASE, "x"),), BASE, None),
        ((done("y", "x", back=True),), "x", None),
        ((done(BASE, "x"), replace(done("x", "y"), phase=Phase.ROLLED_BACK)), "x", BASE),
    ],
)
def test_the_way_back_goes_along_the_line_that_led_here(
    way: tuple[Rollout, ...], serving: str, found: str | None
) -> None:
    assert before(serving, way) == found


def test_what_was_refused_or_left_does_not_come_by_itself_and_nothing_after_a_no() -> None:
    refused = replace(done(BASE, "x"), phase=Phase.ROLLED_BACK, reason=Reason.GATE_FAILED)
    no = replace(done("x", "y"), phase=Phase.ROLLED_BACK, reason=Reason.ASKED)
    assert may_come("x", ())
    assert may_come("x", (done(BASE, "x"), done("x", "y")))
    assert not may_come("x", (refused,))
    assert may_come("y", (refused,))
    assert not may_come("z", (done(BASE, "x"), no))
    assert not may_come("z", (done(BASE, "x"), done("x", "y"), done("y", "x", back=True)))
    assert may_come("z", (done(BASE, "x"), no, done("x", "w")))
    assert not may_come("y", (done(BASE, "x"), no, done("x", "w")))


@dataclass
class World:
    """An engine, an alias and clients who hold on to the name they were given."""

    loaded: set[str] = field(default_factory=lambda: {BASE, OLD})
    alias: str = OLD
    under_way: Counter[str] = field(default_factory=Counter[str])
    rounds: int = 2
    """Since the engine forgot."""

    def ask(self) -> None:
        if self.rounds >= 2:
            assert self.alias in self.loaded, "a request would have failed"
        if self.alias in self.loaded:
            self.under_way[self.alias] += 1

    def forget(self) -> None:
        """Start anew: whoever was asking has got an error."""
        self.loaded, self.rounds = {BASE}, 0
        self.under_way.clear()

    def round(self, rollout: Rollout) -> Event | None:
        """What a worker does every other second: the step, then load what serves."""
        event = self.do(rollout)
        after = advance(rollout, event) if event else rollout
        if len(after.serving) == 1:
            self.loaded.add(self.alias)
        self.rounds += 1
        return event

    def end(self) -> None:
        for name in [name for name, count in self.under_way.items() if count]:
            assert name in self.loaded, "unloaded under a request"
            self.under_way[name] -= 1

    def do(self, rollout: Rollout) -> Succeeded | Failed | None:
        """Do the phase's step; a drain that must wait gives no event."""
        match rollout.phase:
            case Phase.LOADING | Phase.WARMING | Phase.CONFIRMING:
                self.loaded.add(rollout.new)
            case Phase.FLIPPING:
                self.loaded.add(rollout.new)
                self.alias = rollout.new
            case Phase.RETURNING:
                self.loaded.add(rollout.old)
                self.alias = rollout.old
            case Phase.DRAINING | Phase.EMPTYING:
                left = rollout.old if rollout.phase is Phase.DRAINING else rollout.new
                return None if self.under_way[left] else Succeeded(rollout.phase)
            case Phase.UNLOADING:
                self.loaded.discard(rollout.old)
            case Phase.CLEARING:
                self.loaded.discard(rollout.new)
            case _:
                pass
        return Succeeded(rollout.phase, MARK)


STEP, END, ASK = "step", "end", "ask"
MOVES = (
    STEP,
    STEP,
    STEP,
    END,
    ASK,
    "fail",
    "fail late",
    "crash",
    "bad answer",
    "take back",
    "again",
    "forget",
)


@settings(max_examples=30, deadline=None)
@given(moves=st.lists(st.sampled_from(MOVES), min_size=10, max_size=60), old_is_base=st.booleans())
def test_no_order_of_failures_leaves_a_role_unserved(moves: list[str], old_is_base: bool) -> None:
    old = BASE if old_is_base else OLD
    world, rollout = World({BASE, old}, old), begin(Role.UTTERANCE, old, NEW, BASE)
    last: Event | None = None
    for move in moves:
        event = happening(move, world, rollout, last)
        last = event or last
        rollout = advance(rollout, event) if event else rollout
        assert world.alias in rollout.serving
        assert BASE in world.loaded
        assert world.rounds < 2 or world.alias in world.loaded
    while not rollout.over:
        world.end()
        event = world.round(rollout)
        rollout = advance(rollout, event) if event else rollout
    world.round(rollout)
    assert {world.alias} == rollout.serving
    assert world.loaded == {BASE, world.alias}


def happening(move: str, world: World, rollout: Rollout, last: Event | None) -> Event | None:
    match move:
        case "ask":
            world.ask()
        case "end":
            world.end()
        case "forget":
            world.forget()
        case "step":
            return world.round(rollout)
        case "fail late":
            world.do(rollout)
            return Failed(rollout.phase)
        case "crash":
            world.do(rollout)
        case _:
            events = {"fail": Failed(rollout.phase), "bad answer": Answered(False), "again": last}
            return events.get(move, TakenBack())
    return None

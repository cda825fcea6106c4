"""Only a measured adapter that reaches every threshold is released."""

from models.adapters import Manifest
from models.release_gate import misses, short_of_aims
from planner.vocabulary import Role


def manifest(base: str = "base", **notes: str | float) -> Manifest:
    """An adapter for utterances with these notes."""
    return Manifest(
        name="utterance-0123456789ab",
        role=Role.UTTERANCE,
        base=base,
        base_sha256="0" * 64,
        notes=notes,
    )


def test_an_adapter_that_reaches_every_threshold_is_released():
    assert misses(manifest(eval_loss_cut=0.4, eval_action_gain=0.1)) == ()


def test_an_adapter_below_a_threshold_is_held_back_with_the_figure():
    found = misses(manifest(eval_loss_cut=0.2, eval_action_gain=0.1))
    assert found == ("eval_loss_cut is 0.2, needs 0.35",)


def test_an_adapter_that_was_never_measured_is_held_back():
    assert len(misses(manifest())) == 2


def test_the_demo_base_has_a_lower_threshold_but_the_same_aim():
    demo = manifest("smollm2-135m", eval_loss_cut=0.32, eval_action_gain=0.1)
    assert misses(demo) == ()
    assert short_of_aims(demo) == ("eval_loss_cut is 0.32, needs 0.35",)
    assert misses(manifest("smollm2-135m", eval_loss_cut=0.1, eval_action_gain=0.1)) != ()

"""Writes an adapter's model card, its plots and its figures from one measured report."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import sqrt
from pathlib import Path

from models.adapters import Manifest, read_manifest
from models.base_model import DEFAULT_FOLDER
from models.release_gate import misses, short_of_aims
from models.train import pairs
from planner.vocabulary import Role

_ROWS = {
    "loss": "loss on its own tokens, nats",
    "action_accuracy": "stay or next as in the corpus",
    "always_next": "... had it always gone on",
    "always_stay": "... had it always stayed",
    "readable": "answers that could be read (grammar on)",
    "obeying": "plans obeying every rule, grammar off",
    "obeying_held": "plans obeying every rule, grammar on",
    "usable": "plans usable after one repair, grammar off",
    "usable_held": "plans usable after one repair, grammar on",
    "strategy_as_corpus": "the corpus's strategy, grammar off",
    "strategy_as_corpus_held": "the corpus's strategy, grammar on",
    "strategies_named": "different strategies named, grammar off",
    "strategies_named_held": "different strategies named, grammar on",
    "questions": "questions per utterance",
    "several_questions": "utterances with several questions",
    "words": "words per utterance",
    "anomalies": "anomalies (over 200 characters, lists, a few set phrases)",
    "distinct_2": "distinct-2",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What one run of the evaluation found for one adapter."""

    role: Role
    folder: Path
    sessions: str
    """Name of the file that was measured on."""
    count: int
    """How many of its sessions."""
    asked: int
    """How many decisions or plans were asked for."""
    device: str
    figures: Mapping[str, Mapping[str, float]]
    """By whom (base, adapter, corpus), then by figure."""

    def basis(self) -> str:
        """What the figures are figures of."""
        what = "decisions between stay and next" if self.role is Role.UTTERANCE else "plans"
        return f"{self.asked} {what} on {self.count} held-back sessions of `{self.sessions}`"

    def table(self) -> str:
        """The figures as a Markdown table."""
        who = list(self.figures)
        lines = [f"| {self.role} | {' | '.join(who)} |", "|---|" + "---:|" * len(who)]
        for key, label in _ROWS.items():
            if any(key in self.figures[name] for name in who):
                cells = [_cell(self.figures[name].get(key)) for name in who]
                lines.append(f"| {label} | {' | '.join(cells)} |")
        return "\n".join(lines)

    def intervals(self) -> str:
        """The adapter's shares of right answers, each with its 95 % interval (Wilson)."""
        adapter = self.figures["adapter"]
        told = [
            f"{key} {low:.2f}-{high:.2f}"
            for key in ("action_accuracy", "obeying", "obeying_held")
            if key in adapter
            for low, high in [_wilson(adapter[key], self.asked)]
        ]
        return "95 % intervals: " + ", ".join(told) + "."

    def notes(self) -> dict[str, float]:
        """The figures that the release gate reads."""
        base, adapter = self.figures["base"], self.figures["adapter"]
        found = {"eval_loss_cut": 1 - adapter["loss"] / base["loss"]}
        if self.role is Role.UTTERANCE:
            trivial = max(adapter["always_next"], adapter["always_stay"])
            found["eval_action_gain"] = adapter["action_accuracy"] - trivial
        else:
            found["eval_plans_obeying"] = adapter["obeying"]
            found["eval_plans_obeying_held"] = adapter["obeying_held"]
        return {key: round(value, 4) for key, value in found.items()}


def write_card(report: Report) -> None:
    """Puts README.md, figures.png and the measured notes into the adapter's folder."""
    manifest = read_manifest(report.folder)
    assert manifest is not None, "an adapter on the shelf has a manifest"
    kept = {key: value for key, value in manifest.notes.items() if not key.startswith("eval_")}
    measured = manifest.model_copy(update={"notes": {**kept, **report.notes()}})
    text = measured.model_dump_json(indent=1) + "\n"
    (report.folder / "manifest.json").write_text(text, "utf-8")
    _draw(report, report.folder / "figures.png")
    (report.folder / "README.md").write_text(page(report, measured), "utf-8")


def draw_losses(history: list[dict], path: Path) -> None:
    """Draws training and validation loss over the steps."""
    pyplot = _pyplot()
    figure, axes = pyplot.subplots(figsize=(6, 3.5))
    for key, label in (("loss", "training (weighted)"), ("eval_loss", "validation")):
        points = [(row["step"], row[key]) for row in history if key in row]
        axes.plot(*zip(*points, strict=True), marker="." if key == "eval_loss" else "", label=label)
    axes.set(xlabel="step", ylabel="nats per learnt token")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    pyplot.close(figure)


def page(report: Report, manifest: Manifest) -> str:
    """The model card: what it is for, what it was made of, what was measured."""
    notes = manifest.notes
    missed, short = misses(manifest), short_of_aims(manifest)
    gate = "Reaches every threshold that `models/release.toml` sets for this base."
    if missed:
        gate = "Misses the release gate: " + "; ".join(missed) + "."
    if short:
        gate += " **Short of the aim for any base: " + "; ".join(short) + ".**"
    figures = ", ".join(f"{key} {value}" for key, value in report.notes().items())
    return f"""# {manifest.name}

LoRA adapter for the **{manifest.role}** role on `{manifest.base}`
(weights `{manifest.base_sha256[:12]}`), rank {notes.get("recipe_rank")}, trained by
`python -m models.train.sft --role {manifest.role} --target {notes.get("recipe_target")}`.

**Use.** {_use(manifest)}

**Data.** {notes.get("examples_train")} training and {notes.get("examples_validation")} validation
sequences from {_data(manifest)}. Split by client.

**Training.** {notes.get("steps")} of {notes.get("planned_steps")} planned steps in
{notes.get("minutes")} minutes {_where(manifest)}; the kept checkpoint is step
{notes.get("best_step")}. ![loss](loss.png)

**Measured.** {report.basis()}: greedy answers, same prompts
for base and adapter, losses on `{report.device}`. Grammar on means the engine with the schema and
the repetition cost of the service. {figures}. {report.intervals()}
The same sessions chose recipe and checkpoint; none were kept for a last test.

{report.table()}

![figures](figures.png)

{gate}
"""


def _use(manifest: Manifest) -> str:
    if manifest.base == DEFAULT_FOLDER.name:
        return (
            "It proves the machinery of a supervised service: a named therapist decides on every"
            " word.\nA base of this size is far below clinical quality; never put its words before"
            " a client unread."
        )
    return (
        "For a supervised service only: a named therapist decides on every word. Nothing measured"
        "\nhere shows clinical quality; never put its words before a client unread."
    )


def learnt(manifest: Manifest) -> frozenset[str]:
    """Digests of the sessions that an adapter learnt; none where they were not noted."""
    return frozenset(str(manifest.notes.get(pairs.TRAINED_ON, "")).split())


@cache
def of_the_corpus() -> Mapping[str, str]:
    """Digests of the sessions that are here, each with the part of the corpus it is in."""
    return {one.digest: pairs.part_of(one.id) for one in pairs.read_sessions(*pairs.CORPUS)}


def _data(manifest: Manifest) -> str:
    """Where its sessions are from."""
    if not learnt(manifest):
        return "sessions that its manifest does not name"
    if learnt(manifest) <= of_the_corpus().keys():
        return (
            "the fictional, synthetic sessions in `models/corpus` (no real client, no clinician's"
            "\nrating; its known doubts are listed there)"
        )
    return "sessions that are not this product's: who trained it has to say whose words they are"


def _where(manifest: Manifest) -> str:
    if manifest.notes.get("recipe_device") == "cpu":
        return "on shared CPU cores, not on a GPU"
    return f"on a GPU (`{manifest.notes.get('recipe_device')}`)"


def _pyplot():
    """Drawing without a screen; loaded late, because only pictures need it."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def _draw(report: Report, path: Path) -> None:
    pyplot = _pyplot()
    shares = [
        key
        for key in ("action_accuracy", "always_next", "obeying", "obeying_held", "readable")
        if key in report.figures["adapter"]
    ]
    figure, axes = pyplot.subplots(figsize=(6, 3))
    for offset, name in enumerate(("base", "adapter")):
        values = [report.figures[name][key] for key in shares]
        axes.bar([index + 0.4 * offset for index in range(len(shares))], values, 0.38, label=name)
    axes.set_xticks([i + 0.2 for i in range(len(shares))], [k.replace("_", " ") for k in shares])
    axes.set_ylim(0, 1)
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    pyplot.close(figure)


def _wilson(share: float, count: int, z: float = 1.96) -> tuple[float, float]:
    """Wilson's interval of a share of so many."""
    middle = share + z * z / (2 * count)
    reach = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return tuple((middle + sign * reach) / (1 + z * z / count) for sign in (-1, 1))


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"

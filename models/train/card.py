"""Writes an adapter's model card, its plots and its figures from one measured report."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import matplotlib
from matplotlib import pyplot

from models.adapters import Manifest, read_manifest
from models.release_gate import misses, short_of_aims
from planner.vocabulary import Role

matplotlib.use("Agg")

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
    "anomalies": "anomalies (too long, lists, forbidden phrases)",
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
    device: str
    figures: Mapping[str, Mapping[str, float]]
    """By whom (base, adapter, corpus), then by figure."""

    def table(self) -> str:
        """The figures as a Markdown table."""
        who = list(self.figures)
        lines = [f"| {self.role} | {' | '.join(who)} |", "|---|" + "---:|" * len(who)]
        for key, label in _ROWS.items():
            if any(key in self.figures[name] for name in who):
                cells = [_cell(self.figures[name].get(key)) for name in who]
                lines.append(f"| {label} | {' | '.join(cells)} |")
        return "\n".join(lines)

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
    (report.folder / "README.md").write_text(_page(report, measured), "utf-8")


def draw_losses(history: list[dict], path: Path) -> None:
    """Draws training and validation loss over the steps."""
    figure, axes = pyplot.subplots(figsize=(6, 3.5))
    for key, label in (("loss", "training (weighted)"), ("eval_loss", "validation")):
        points = [(row["step"], row[key]) for row in history if key in row]
        axes.plot(*zip(*points, strict=True), marker="." if key == "eval_loss" else "", label=label)
    axes.set(xlabel="step", ylabel="nats per learnt token")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=80)
    pyplot.close(figure)


def _page(report: Report, manifest: Manifest) -> str:
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

**Use.** It proves the machinery of a supervised service: a named therapist decides on every word.
A base of this size is far below clinical quality; never put its words before a client unread.

**Data.** {notes.get("examples_train")} training and {notes.get("examples_validation")} validation
sequences from the fictional, synthetic sessions in `models/corpus` (no real client, no clinician's
rating; its known doubts are listed there). Split by client.

**Training.** {notes.get("steps")} of {notes.get("planned_steps")} planned steps in
{notes.get("minutes")} minutes on shared CPU cores; the kept checkpoint is step
{notes.get("best_step")}. Not run on a GPU. ![loss](loss.png)

**Measured** on {report.count} held-back sessions of `{report.sessions}`, greedy answers (at
most 48 decisions, evenly spread, and every plan), same prompts
for base and adapter, on `{report.device}`. Grammar on means the engine with the schema and settings
of the service. {figures}.

{report.table()}

![figures](figures.png)

{gate}
"""


def _draw(report: Report, path: Path) -> None:
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


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"

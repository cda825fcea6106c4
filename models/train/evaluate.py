"""Measures the two adapters against their base on sessions they were not trained on.

    python -m models.train.evaluate                    # the shipped corpus, its held-back part
    python -m models.train.evaluate --sessions FILE    # any JSONL in the corpus format

Prints a table. Of the whole held-back part it also writes table, plots and the figures that the
release gate reads into each adapter's folder; of anything else only with `--card`. Sessions that
an adapter was trained on are left out by content. Losses are computed here; answers come from a
real engine, started for it unless `--engine URL` names one that reads this disk (its key in
SECONDCHAIR_ENGINE_KEY).
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from models.adapters import SHELF, newest, read_manifest, shelved
from models.base_model import DEFAULT_FOLDER, weights_sha256
from models.train import measure, pairs
from models.train.card import Report, learnt, of_the_corpus, write_card
from models.train.own_engine import Running, engine_running
from models.vllm_engine import VllmEngine, open_client
from planner.vocabulary import CounselorTurn, Role


@dataclass(frozen=True, slots=True)
class Load:
    """What to ask the engine."""

    role: Role
    base: Path
    decisions: Sequence[pairs.Decision] = ()
    plans: Sequence[pairs.CorpusSession] = ()

    @property
    def asked(self) -> int:
        """How much of it there is."""
        return len(self.decisions) + len(self.plans)


def main() -> None:
    """Measures what was asked for, prints it, and writes the cards."""
    asked = _asked()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    if not (asked.base / "config.json").is_file():
        raise SystemExit(f"no model in {asked.base}; `make base` puts the small one there")
    digest = weights_sha256(asked.base)
    adapters = {role: _newest(asked.shelf, role, digest) for role in asked.roles}
    sessions = unseen(asked.sessions, trained_on(adapters.values()))
    loads = {role: _load_of(role, sessions, asked) for role in adapters}
    print(f"{len(sessions)} held-back sessions; {', '.join(p.name for p in adapters.values())}")
    bench = measure.load(asked.base, adapters, asked.device)
    losses = {role: _losses(bench, sessions, role) for role in adapters}
    del bench
    with tempfile.TemporaryDirectory() as work, _engine(asked, Path(work)) as engine:
        for role, folder in adapters.items():
            started = time.monotonic()
            figures = _measured(engine, folder, loads[role])
            for name, found in losses[role].items():
                figures[name] = {"loss": found, **figures[name]}
            report = Report(
                role, folder, asked.sessions.name, len(sessions), loads[role].asked, asked.device,
                figures,
            )  # fmt: skip
            minutes = (time.monotonic() - started) / 60
            print(f"\n{report.basis()}\n\n{report.table()}\n({minutes:.1f} minutes)", flush=True)
            if carded(asked):
                write_card(report)
            else:
                print("Card and figures of the adapter stay as they are.", flush=True)


def carded(asked: argparse.Namespace) -> bool:
    """Whether cards are written: the release gate reads the figures of all held-back sessions."""
    if asked.card is not None:
        return asked.card
    return asked.decisions is None and asked.sessions.resolve() == pairs.CORPUS[0].resolve()


def _load_of(
    role: Role, sessions: Sequence[pairs.CorpusSession], asked: argparse.Namespace
) -> Load:
    if role is Role.PLANNER:
        load = Load(role, asked.base, plans=measure.spread(sessions, asked.decisions))
    else:
        chosen = measure.spread(measure.choices(sessions), asked.decisions)
        load = Load(role, asked.base, chosen)
    print(f"{role}: {load.asked} questions to base and adapter each", flush=True)
    return load


def _losses(
    bench: measure.Bench, sessions: Sequence[pairs.CorpusSession], role: Role
) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in ("base", "adapter"):
        with bench.ready(role, adapted=name == "adapter"):
            found[name] = measure.loss(bench, sessions, role)
    print(f"{role} loss: " + ", ".join(f"{k} {v:.3f}" for k, v in found.items()), flush=True)
    return found


def _engine(asked: argparse.Namespace, work: Path):
    if asked.engine is None:
        return engine_running(work / "engine.log", asked.base)
    return nullcontext(Running(asked.engine, os.environ.get("SECONDCHAIR_ENGINE_KEY", "")))


def trained_on(folders: Iterable[Path]) -> frozenset[str]:
    """Digests of the sessions that these adapters learnt from.

    A manifest from before these were noted stands for the training part of the corpus here.
    """
    found = set[str]()
    for folder in folders:
        manifest = read_manifest(folder)
        known = learnt(manifest) if manifest else frozenset[str]()
        found |= known or {one for one, part in of_the_corpus().items() if part == "train"}
    return frozenset(found)


def unseen(path: Path, trained: frozenset[str]) -> list[pairs.CorpusSession]:
    """The file's sessions whose dialogue is in no training sequence.

    Raises: SystemExit where the file cannot be read or none is left.
    """
    with pairs.told():
        given = pairs.read_sessions(path)
    found = [session for session in given if session.digest not in trained]
    if not found:
        raise SystemExit(f"{path.name} holds no session that was not trained on")
    return found


def _measured(engine: Running, folder: Path, load: Load) -> dict[str, dict[str, float]]:
    """Figures of the base, the adapter and, for style, the corpus itself."""
    found: dict[str, dict[str, float]] = {}
    _load(engine, folder)
    for name, model in (("base", load.base.name), ("adapter", folder.name)):
        voice = measure.Voice(engine.url, engine.key, model)
        if load.role is Role.UTTERANCE:
            found[name] = measure.decision_figures(voice, load.decisions)
            continue
        found[name] = {}
        for held in (False, True):
            plans = measure.plan_figures(voice, load.plans, grammar=held)
            suffix = "_held" if held else ""
            found[name] |= {f"{key}{suffix}": value for key, value in plans.items()}
    if load.role is Role.UTTERANCE:
        spoken = [decision.chosen for decision in load.decisions]
        said = [turn.utterance for turn in spoken if isinstance(turn, CounselorTurn)]
        found["corpus"] = measure.style(said)
    return found


def _load(engine: Running, folder: Path) -> None:
    path = str(folder.resolve())

    async def loaded() -> None:
        async with open_client(engine.url, engine.key) as client:
            await VllmEngine(client, "").load_adapter(folder.name, path)

    asyncio.run(loaded())


def _newest(shelf: Path, role: Role, base_sha256: str) -> Path:
    """The role's adapter for this base; where there are several, the one published last."""
    known = [one for one in shelved(shelf) if (one.role, one.base_sha256) == (role, base_sha256)]
    found = newest(known)
    if found is None:
        why = f"no {role} adapter in {shelf} for the base {base_sha256[:12]}"
        raise SystemExit(f"{why}; train one with models.train.sft")
    return shelf / found.name


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=Path, default=pairs.CORPUS[0])
    parser.add_argument("--shelf", type=Path, default=SHELF)
    parser.add_argument("--base", type=Path, default=DEFAULT_FOLDER)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--engine", help="URL of a running engine; none starts one on the CPU")
    parser.add_argument("--roles", type=Role, nargs="+", default=list(Role))
    parser.add_argument("--decisions", type=_some, help="most turns and plans to ask; else all")
    parser.add_argument(
        "--card", action=argparse.BooleanOptionalAction,
        help="write the cards, or not; else only of the whole held-back part",
    )  # fmt: skip
    return parser.parse_args()


def _some(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError("a whole number from 1 on")
    return int(text)


if __name__ == "__main__":
    main()

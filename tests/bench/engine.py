"""What a real engine keeps of a session's prompts from turn to turn.

    python -m tests.bench.engine

Replays a held-back session turn by turn as the service would ask for its drafts: the same prompts,
the same salt, and the corpus's own answer as what was decided.
"""

from pathlib import Path

from models.base_model import DEFAULT_FOLDER
from models.completion import Ask
from models.train import pairs
from models.train.own_engine import ROOT
from models.vllm_engine import VllmEngine, open_client
from planner.prompt import render
from planner.vocabulary import Role, Stage
from tests.bench.alone import alone
from tests.bench.figures import Bench, Row

CORPUS = ROOT / "models" / "corpus" / "sessions.jsonl"
TURN = 10
LEAST = 0.80


async def measure(bench: Bench, url: str, key: str, _work: Path) -> None:
    """Ask for every draft of the longest intervention, and note what came out of the cache."""
    shares = await cached_shares(url, key)
    bench.note("prefix_cache_share_by_turn", shares)
    told = " ".join(f"{share:.0%}" for share in shares)
    bench.rows += [
        Row("prompt tokens from the prefix cache, by turn", told),
        Row(f"... at turn {TURN}", f"{shares[TURN - 1]:.1%}", aim=f"at least {LEAST:.0%}"),
    ]


async def cached_shares(url: str, key: str) -> list[float]:
    """The share of each turn's prompt that the engine had already read."""
    held_back = [s for s in pairs.read_sessions(CORPUS) if pairs.part_of(s.id) == "validation"]
    session = max(held_back, key=lambda each: len(each.intervention))
    shares: list[float] = []
    async with open_client(url, key) as client:
        engine = VllmEngine(client, DEFAULT_FOLDER.name)
        for decision in pairs.decisions(session):
            if decision.case.position.stage is Stage.INTERVENTION:
                ask = Ask(DEFAULT_FOLDER.name, salt=session.id, temperature=0.0, timeout_s=300)
                (said,) = await engine.complete(render(Role.UTTERANCE, decision.case), ask)
                shares.append(said.cached_tokens / said.prompt_tokens)
    return shares


if __name__ == "__main__":
    alone(measure)

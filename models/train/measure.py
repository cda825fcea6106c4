"""Measures a model on sessions: loss, decisions, plans and style, by the prompts that serve.

Paper: PSY-STEP §5 in spirit; Psy-Insight (distinct-2). Nothing here judges clinical quality.
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import httpx
from tqdm import tqdm

from models.completion import Ask
from models.train import pairs
from models.train.tokens import IGNORED, tokens
from models.vllm_engine import VllmEngine, open_client, request_body
from planner.machine import candidates
from planner.parse import Unreadable, parse_plan, parse_utterance
from planner.plan_rules import check_plan
from planner.prompt import Prompt, render
from planner.vocabulary import CounselorTurn, PlanAnswer, Role

_AT_ONCE = 16
_PATIENCE_S = 3600.0
_ANOMALY = re.compile(
    r"\n|^\s*([-*]|\d+[.)])\s|(our|the) time is up|as an ai\b|i am human|questionnaire", re.I | re.M
)
_LONGEST = 200
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W\u3400-\u9fff]+")
"""A word; in Chinese a character."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Bench:
    """A base with the adapters to be measured, each under its role's name."""

    model: Any
    tokenizer: Any

    def ready(self, role: Role, *, adapted: bool):
        """A context in which the model is this role's adapter, or the plain base."""
        self.model.set_adapter(role.value)
        return nullcontext() if adapted else self.model.disable_adapter()


@dataclass(frozen=True, slots=True)
class Voice:
    """A model that a running engine serves, the base or an adapter, by name."""

    url: str
    key: str
    model: str


def load(base: Path, adapters: dict[Role, Path], device: str) -> Bench:
    """Everything measured, in memory; full precision on a CPU as the demo engine serves it."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    plain = AutoModelForCausalLM.from_pretrained(base, dtype=dtype).to(device)
    (first, folder), *others = adapters.items()
    model = PeftModel.from_pretrained(plain, folder, adapter_name=first.value)
    for role, path in others:
        model.load_adapter(path, adapter_name=role.value)
    tokenizer = AutoTokenizer.from_pretrained(base)
    return Bench(model.eval(), tokenizer)


def loss(bench: Bench, sessions: Sequence[pairs.CorpusSession], role: Role) -> float:
    """Mean cross-entropy, in nats, over the tokens that the role itself writes."""
    import torch

    total, count = 0.0, 0
    for sample in tqdm(pairs.samples(sessions, role), desc=f"{role} loss", leave=False):
        row = tokens(sample, bench.tokenizer)
        ids, labels = (torch.tensor(row[key])[None] for key in ("input_ids", "labels"))
        with torch.no_grad(), torch.autocast(bench.model.device.type, dtype=torch.bfloat16):
            chat = bench.model.base_model.model
            hidden = chat.model(ids.to(bench.model.device)).last_hidden_state[:, :-1]
            learnt = labels[:, 1:] != IGNORED
            logits = chat.lm_head(hidden[learnt]).float().cpu()
            total += torch.nn.functional.cross_entropy(
                logits, labels[:, 1:][learnt], reduction="sum"
            )
        count += int(learnt.sum())
    return float(total) / count


def answers(voice: Voice, prompts: Sequence[Prompt], what: str, *, grammar: bool) -> list[str]:
    """The engine's greedy answer to each prompt, held by its schema's grammar or free."""
    return asyncio.run(_asked(voice, prompts, what, grammar=grammar))


async def _asked(voice: Voice, prompts: Sequence[Prompt], what: str, *, grammar: bool) -> list[str]:
    turn, bar = asyncio.Semaphore(_AT_ONCE), tqdm(total=len(prompts), desc=what, leave=False)

    async def one(client: httpx.AsyncClient, prompt: Prompt) -> str:
        async with turn:
            if grammar:
                engine = VllmEngine(client, voice.model)
                ask = Ask(voice.model, "evaluation", temperature=0.0, timeout_s=_PATIENCE_S)
                text = (await engine.complete(prompt, ask))[0].text
            else:
                text = await _free(client, voice.model, prompt)
            bar.update()
            return text

    async with open_client(voice.url, voice.key) as client:
        found = await asyncio.gather(*(one(client, prompt) for prompt in prompts))
    bar.close()
    return found


async def _free(client: httpx.AsyncClient, model: str, prompt: Prompt) -> str:
    """The same request as the service's, without the schema."""
    ask = Ask(model, "evaluation", temperature=0.0, timeout_s=_PATIENCE_S)
    body = request_body(prompt, ask)
    del body["response_format"]
    answer = await client.post("/v1/chat/completions", json=body, timeout=_PATIENCE_S)
    return answer.raise_for_status().json()["choices"][0]["message"]["content"] or ""


def choices(sessions: Iterable[pairs.CorpusSession]) -> list[pairs.Decision]:
    """Every counselor turn where both stay and next were open."""
    return [
        decision
        for session in sessions
        for decision in pairs.decisions(session)
        if len(candidates(decision.case.position)) > 1
    ]


def spread(every: Sequence[_T], most: int | None) -> list[_T]:
    """At most so many of them, evenly spread; all where no number is given."""
    count = len(every) if most is None else min(most, len(every))
    return [every[index * len(every) // count] for index in range(count)]


def decision_figures(voice: Voice, chosen: Sequence[pairs.Decision]) -> dict[str, float]:
    """Action accuracy and style of the grammar-held answers at these decisions."""
    prompts = [render(Role.UTTERANCE, decision.case) for decision in chosen]
    texts = answers(voice, prompts, "decisions", grammar=True)
    open_to = [candidates(decision.case.position) for decision in chosen]
    turns = [parse_utterance(text, both) for text, both in zip(texts, open_to, strict=True)]
    right = [
        isinstance(turn, CounselorTurn) and turn.action == decision.chosen.action
        for turn, decision in zip(turns, chosen, strict=True)
    ]
    onward = [d.chosen.action == both[1] for d, both in zip(chosen, open_to, strict=True)]
    said = [turn.utterance for turn in turns if isinstance(turn, CounselorTurn)]
    return {
        "action_accuracy": _mean(right),
        "always_next": _mean(onward),
        "always_stay": 1 - _mean(onward),
        "readable": len(said) / max(len(turns), 1),
        **style(said),
    }


def words_of(text: str) -> list[str]:
    """The words of a text as they are counted here, without regard to capitals."""
    return _WORD.findall(text.casefold())


def style(utterances: Sequence[str]) -> dict[str, float]:
    """Questions, length, anomalies and variety of what was said, per utterance."""
    words = [words_of(text) for text in utterances]
    questions = [text.count("?") + text.count("？") for text in utterances]
    twos = Counter(two for line in words for two in pairwise(line))
    odd = [len(text) > _LONGEST or bool(_ANOMALY.search(text)) for text in utterances]
    return {
        "questions": _mean(questions),
        "several_questions": _mean([count > 1 for count in questions]),
        "words": _mean([len(line) for line in words]),
        "anomalies": _mean(odd),
        "distinct_2": len(twos) / max(sum(twos.values()), 1),
    }


def plan_figures(
    voice: Voice, sessions: Sequence[pairs.CorpusSession], *, grammar: bool
) -> dict[str, float]:
    """How many plans obey every rule as they were written, and how many chose our strategy."""
    prompts = [pairs.planner_prompt(session) for session in sessions]
    what = "plans, held" if grammar else "plans, free"
    texts = answers(voice, prompts, what, grammar=grammar)
    read = [parse_plan(text) for text in texts]
    same = [
        isinstance(answer, PlanAnswer) and answer.plan.strategy == session.plan.strategy
        for answer, session in zip(read, sessions, strict=True)
    ]
    named = {answer.plan.strategy for answer in read if isinstance(answer, PlanAnswer)}
    return {
        "obeying": _mean([_obeys(text) for text in texts]),
        "usable": _mean([isinstance(answer, PlanAnswer) for answer in read]),
        "strategy_as_corpus": _mean(same),
        "strategies_named": float(len(named)),
    }


def _obeys(text: str) -> bool:
    """Whether the text is a plan that obeys every rule with nothing repaired."""
    answer = parse_plan(text)
    if isinstance(answer, Unreadable) or check_plan(answer.plan):
        return False
    try:
        written = json.loads(text)
    except ValueError:
        return False
    return written.get("action_order") == list(answer.plan.actions[:-1])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0

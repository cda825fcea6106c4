"""Training sequences as tokens: which of them are learnt, and how much each weighs.

The loss is on the counselor's (or planner's) own tokens only. Paper: Psy-Insight (masked prompts).
"""

import re

from models.train.pairs import Sample

IGNORED = -100
"""The label of a token that carries no loss."""
_NAMING = re.compile(r'"action":"[^"]*$|"action_order":\[[^\]]*$')
"""An answer so far that has begun and not ended the name of an action, or the list of them."""


def tokens(sample: Sample, tokenizer, action_weight: float = 1.0) -> dict[str, list]:
    """`input_ids`, `labels` and `weights` of a sequence, all of the same length.

    A message that is learnt is learnt up to and including the token that ends it.
    """
    ids: list[int] = []
    labels: list[int] = []
    weights: list[float] = []
    for turn in range(len(sample.messages)):
        chat = [{"role": m.role, "content": m.content} for m in sample.messages[: turn + 1]]
        last = sample.messages[turn]
        spoken = last.role == "assistant" and last.content in sample.learnt
        before = _ids(tokenizer, chat[:-1], prompt=True) if spoken else ids
        after = _ids(tokenizer, chat, prompt=False)
        assert after[: len(before)] == before, "the chat template is not append-only"
        for new, learnt in ((before[len(ids) :], False), (after[len(before) :], spoken)):
            ids += new
            labels += new if learnt else [IGNORED] * len(new)
            weights += _weights(tokenizer, new, action_weight) if learnt else [0.0] * len(new)
    return _without_tail(ids, labels, weights, tokenizer.eos_token_id)


def _ids(tokenizer, chat: list[dict[str, str]], *, prompt: bool) -> list[int]:
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=prompt)
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def _weights(tokenizer, answer: list[int], action_weight: float) -> list[float]:
    """1 for every token, `action_weight` for those that spell an action's name."""
    weights, text = [1.0] * len(answer), ""
    for index, token in enumerate(answer):
        if _NAMING.search(text):
            weights[index] = action_weight
        text += tokenizer.decode([token])
    return weights


def _without_tail(
    ids: list[int], labels: list[int], weights: list[float], end: int
) -> dict[str, list]:
    """Takes the loss off what a template adds after a message's end, such as a line break."""
    for index in range(1, len(ids)):
        if labels[index] != IGNORED and ids[index - 1] == end and labels[index - 1] != IGNORED:
            labels[index], weights[index] = IGNORED, 0.0
    return {"input_ids": ids, "labels": labels, "weights": weights}

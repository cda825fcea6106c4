"""The JSON schema an engine's grammar is built from: where skipping becomes impossible.

Paper: PSY-STEP §3.2. Differs from the paper: the rules are held by a grammar, not by asking.
"""

from collections.abc import Mapping, Sequence

from planner.plan_rules import ACTIONS, CHINESE, KEY_SIGNS, KEY_WORDS
from planner.vocabulary import Action, Language, Role, Strategy

Json = str | int | bool | Sequence["Json"] | Mapping[str, "Json"]
JsonSchema = Mapping[str, Json]

_WORD = "[a-z0-9][a-z0-9'-]{0,15}"
ACTION_KEY: Mapping[Language, str] = {
    "en": rf"^[a-z][a-z0-9'-]{{0,15}}( {_WORD}){{{KEY_WORDS[0] - 1},{KEY_WORDS[1] - 1}}}$",
    "zh": rf"^[{CHINESE}]{{{KEY_SIGNS[0]},{KEY_SIGNS[1]}}}$",
}
"""What one key of a plan looks like: as many lower-case words, or Chinese characters, as the rules
let a key have. Whatever it matches obeys them."""


def answer_schema(
    role: Role, candidates: Sequence[Action], language: Language = "en"
) -> JsonSchema:
    """The schema of a role's answer; an utterance may only carry one of `candidates`."""
    shorter = 1 if language == "en" else 2
    if role is Role.UTTERANCE:
        return _closed(
            action_reasoning=_text(240 // shorter),
            action={"type": "string", "enum": tuple(candidates)},
            utterance=_text(320 // shorter),
        )
    key: JsonSchema = {"type": "string", "pattern": ACTION_KEY[language]}
    return _closed(
        surface_level_problem=_text(200 // shorter),
        triggering_situation=_text(240 // shorter),
        # None where the client told none: what is unknown is never guessed.
        automatic_thoughts=_list(_text(160 // shorter), 0, 3),
        strategy={"type": "string", "enum": tuple(str(strategy) for strategy in Strategy)},
        plan=_text(520 // shorter),
        reason_for_these_order=_text(320 // shorter),
        # Its end is not asked for: `parse` appends it.
        action_order=_list(key, ACTIONS[0] - 1, ACTIONS[1] - 1),
    )


def _closed(**properties: JsonSchema) -> JsonSchema:
    """An object with exactly these properties, in this order."""
    return {
        "type": "object",
        "properties": properties,
        "required": tuple(properties),
        "additionalProperties": False,
    }


def _text(longest: int) -> JsonSchema:
    return {"type": "string", "minLength": 1, "maxLength": longest}


def _list(items: JsonSchema, fewest: int, most: int) -> JsonSchema:
    return {"type": "array", "items": items, "minItems": fewest, "maxItems": most}

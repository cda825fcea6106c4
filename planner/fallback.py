"""Labelled templates for when no model answer can be used; a therapist starts from them.

Paper: none; PSY-STEP has no such path, a service needs one.
"""

from collections.abc import Mapping

from planner.machine import candidates
from planner.plan_rules import DIAGNOSTIC_ACTIONS
from planner.vocabulary import (
    END_SESSION,
    Action,
    CounselorTurn,
    Formulation,
    Language,
    Plan,
    PlanAnswer,
    Position,
    Strategy,
)

_LABEL: Mapping[Language, str] = {
    "en": "Template, not a model's answer: no usable draft was made for this step.",
    "zh": "这是模板，不是模型的回答：这一步没有可用的草稿。",
}
_STEP: Mapping[Language, str] = {
    "en": "Thank you for telling me that. What feels most important to look at together now?",
    "zh": "谢谢你告诉我这些。现在，你觉得我们最该一起看看的是什么？",
}
_BY_ACTION: Mapping[Language, Mapping[Action, str]] = {
    "en": dict(
        zip(
            (*DIAGNOSTIC_ACTIONS, END_SESSION),
            (
                "I'm glad you wrote. What has been weighing on you lately?",
                "When did you last feel this, and what was happening just before?",
                "In that moment, what went through your mind about yourself?",
                "Thank you for trusting me with this. Shall we look at that thought together?",
                "Thank you for today's work. What would you like to take with you from it?",
            ),
            strict=True,
        )
    ),
    "zh": dict(
        zip(
            (*DIAGNOSTIC_ACTIONS, END_SESSION),
            (
                "很高兴你来了。最近是什么让你心里沉甸甸的？",
                "你上一次有这种感觉是什么时候，那之前发生了什么？",
                "在那一刻，你心里对自己说了什么？",
                "谢谢你愿意告诉我。我们一起来看看这个想法，好吗？",
                "谢谢你今天的努力。你想从今天带走些什么？",
            ),
            strict=True,
        )
    ),
}
_PLAN: Mapping[Language, tuple[str, str, tuple[str, ...]]] = {
    "en": (
        "Look at what speaks for and against the thought, then word a fairer one.",
        "The thought is named before it is weighed; the fairer wording comes last.",
        (
            "name the hardest thought",
            "gather what supports it",
            "gather what contradicts it",
            "word a fairer thought",
        ),
    ),
    "zh": (
        "一起看看支持和反对这个想法的事实，再找一个更公平的说法。",
        "先说出想法，再衡量它，最后换一种说法。",
        ("说出最难的想法", "找出支持的事实", "找出相反的事实", "换个公平的说法"),
    ),
}


def fallback_turn(position: Position, language: Language) -> CounselorTurn:
    """A safe line for the current action, labelled as a template; it never moves the cursor on.

    Before a stage's first reply the current action is the stage's first.
    """
    action = candidates(position)[0]
    utterance = _BY_ACTION[language].get(action, _STEP[language])
    return CounselorTurn(_LABEL[language], action, utterance)


def is_fallback(plan: Plan) -> bool:
    """Whether a plan still says that it is a template: no model wrote it, and no human anew."""
    return plan.text.startswith(tuple(_LABEL.values()))


def fallback_plan(language: Language) -> PlanAnswer:
    """A plain evidence-based plan with nothing known of the client, labelled as a template."""
    text, reason, keys = _PLAN[language]
    actions = (*map(Action, keys), END_SESSION)
    label = f"{_LABEL[language]} {text}"
    plan = Plan(Strategy.EVIDENCE_BASED_QUESTIONING, label, reason, actions)
    return PlanAnswer(plan, Formulation())

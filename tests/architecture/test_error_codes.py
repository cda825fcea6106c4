"""Each error code that can be raised is listed with its status, and each one listed is raised."""

import ast
import tomllib
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

from planner import machine
from planner.plan_rules import NotAllowed
from planner.vocabulary import END_SESSION, Action, Plan, Position, Stage, Strategy
from service.problems import STATUS
from tests.architecture.source import modules

RAISING = {"Refused", "NotAllowed", "problem"}
PLAN = Plan(
    Strategy.REALITY_TESTING,
    "Look at facts.",
    "Facts before words.",
    (
        *map(Action, ("name the hardest thought", "list what is known", "weigh both sides")),
        Action("word a fairer thought"),
        END_SESSION,
    ),
)


def calls() -> Iterator[ast.Call]:
    """Give every call in what answers requests."""
    for name, _, tree in modules():
        if name.startswith(("planner/", "service/")):
            yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def raised() -> set[str]:
    """Give the codes that are written out where they are raised."""
    return {
        str(one.args[0].value)
        for one in calls()
        if isinstance(one.func, ast.Name) and one.func.id in RAISING
        if one.args and isinstance(one.args[0], ast.Constant)
    }


def refused_by_the_machine() -> set[str]:
    """Give the codes of everything that can be tried with a position, as the service tries it."""
    diagnostic = [Position(Stage.DIAGNOSTIC, machine.start().plan, at) for at in (None, 0, 1, 2, 3)]
    intervention = [Position(Stage.INTERVENTION, PLAN, at) for at in (None, 0, 1, 2, 3, 4)]
    tries: list[Callable[[], object]] = []
    for where in (*diagnostic, *intervention):
        actions = (*where.plan.actions, Action("nobody planned this action"))
        tries += [lambda w=where, a=one: machine.advance(w, a) for one in actions]
        for stage, index in product(Stage, range(-1, 6)):
            tries.append(lambda w=where, s=stage, i=index: machine.move(w, s, i))
        for plan in (PLAN, machine.start().plan):
            tries.append(lambda w=where, p=plan: machine.adopt(w, p))
            if where.stage is Stage.INTERVENTION:
                tries.append(lambda w=where, p=plan: machine.revise(w, p))
    return set(filter(None, map(_code, tries)))


def _code(act: Callable[[], object]) -> str | None:
    try:
        act()
    except NotAllowed as refused:
        return refused.code
    return None


def test_every_code_that_is_raised_has_a_status() -> None:
    assert len(raised()) > 30
    assert raised() - STATUS.keys() == set()
    assert refused_by_the_machine() - STATUS.keys() == set()


def test_every_code_with_a_status_is_raised() -> None:
    said = {
        str(node.value)
        for name, _, tree in modules()
        if name.startswith(("planner/", "service/"))
        for node in ast.walk(_without_status(tree))
        if isinstance(node, ast.Constant)
    }
    assert STATUS.keys() - said - refused_by_the_machine() == set()


def test_the_console_words_codes_that_there_are() -> None:
    texts = Path(__file__).parents[2] / "ui" / "texts.toml"
    worded = set(tomllib.loads(texts.read_text("utf-8"))["refused"])
    assert worded - STATUS.keys() == {"unexpected_answer"}, "the console's own, of no answer at all"


def _without_status(tree: ast.Module) -> ast.Module:
    """Leave out the list itself, which says every code."""
    kept = [
        node
        for node in tree.body
        if not (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and node.target.id == "STATUS"
        )
    ]
    return ast.Module(kept, [])

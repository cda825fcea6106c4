"""Small is a number. Exceptions stand here with their figure, so that they can only shrink."""

import ast

from tests.architecture.source import ROOT, STORY, functions, length, modules

FUNCTION_LINES, RECIPE_LINES = 40, 80
FILE_LINES, STORY_LINES, PAGE_LINES = 300, 150, 200
RECIPES = ("models/train/", "safety/train/")
PARAMETERS = 5
MODULES = 201
PUBLIC_NAMES = 12
LONGER_FILES: dict[str, int] = {}
MORE_PARAMETERS: dict[str, int] = {}
MANY_NAMES = {
    "service/session/events.py": 20,
    "service/session/decide_review.py": 15,
    "models/train/pairs.py": 13,
    "service/stores/port.py": 17,
}
BROAD = {
    "service/messages.py": 1,
    "service/scrubbing.py": 1,
    "service/stores/sqlite_writer.py": 1,
    "service/telemetry/log.py": 1,
    "service/doing.py": 1,
    "safety/screen.py": 1,
}
"""`except Exception`: the safe side of judging, scrubbing and looping; the writer hands it on.

`log.outliving` is the one place for the loops beside the worker's, gauges and rollouts: what they
cannot read must not end the process that pages."""


def test_no_function_is_longer_than_a_screen() -> None:
    too_long = {
        f"{name}:{node.name}": length(node)
        for name, _, tree in modules()
        for node in functions(tree)
        if length(node) > (RECIPE_LINES if name.startswith(RECIPES) else FUNCTION_LINES)
    }
    assert not too_long


def test_no_file_is_longer_than_its_budget() -> None:
    lines = {name: text.count("\n") for name, text, _ in modules()}
    assert {name: n for name, n in lines.items() if n > FILE_LINES} == LONGER_FILES


def test_no_test_file_is_longer_either() -> None:
    files = {str(one.relative_to(ROOT)): one for one in ROOT.glob("tests/**/*.py")}
    lines = {name: one.read_text("utf-8").count("\n") for name, one in files.items()}
    assert {name: n for name, n in lines.items() if n > FILE_LINES} == {}


def test_the_story_files_stay_short() -> None:
    lines = {name: (ROOT / name).read_text(encoding="utf-8").count("\n") for name in STORY}
    assert {name: n for name, n in lines.items() if n > STORY_LINES} == {}


def test_the_pages_of_the_console_stay_short() -> None:
    pages = {
        n: text.count("\n") for n, text, _ in modules() if n.startswith(("ui/views", "ui/pan"))
    }
    assert len(pages) > 15
    assert {name: n for name, n in pages.items() if n > PAGE_LINES} == {}


def test_no_function_asks_for_too_much() -> None:
    found: dict[str, int] = {}
    for name, _, tree in modules():
        for node in functions(tree):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            count = len([one for one in given if one.arg not in {"self", "cls"}])
            if count > PARAMETERS:
                found[f"{name}:{node.name}"] = count
    assert found == MORE_PARAMETERS


def test_modules_do_not_multiply_without_a_reason() -> None:
    assert sum(1 for _ in modules()) <= MODULES


def test_a_module_is_one_idea() -> None:
    found: dict[str, int] = {}
    for name, _, tree in modules():
        defined = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
        public = [node for node in tree.body if isinstance(node, defined) and node.name[0] != "_"]
        if len(public) > PUBLIC_NAMES:
            found[name] = len(public)
    assert found == MANY_NAMES


def test_broad_excepts_are_counted() -> None:
    found: dict[str, int] = {}
    for name, _, tree in modules():
        caught = [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.ExceptHandler)
            and (
                node.type is None
                or (
                    isinstance(node.type, ast.Name)
                    and node.type.id in {"Exception", "BaseException"}
                )
            )
        ]
        if caught:
            found[name] = len(caught)
    assert found == BROAD


def test_only_known_files_read_the_environment() -> None:
    reading = {
        name
        for name, _, tree in modules()
        if not name.startswith(RECIPES)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in {"environ", "getenv"}
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    }
    assert reading == {
        "models/cpu_engine.py",
        "service/__main__.py",
        "service/telemetry/series.py",
        "ui/app.py",
    }

"""A reader who opens five files knows the story; these tests keep that true."""

import ast
import re
import runpy

from planner.vocabulary import Role
from tests.architecture.source import ROOT, STORY, modules, tracked

BANNED = {"utils", "helpers", "common", "misc", "base", "manager", "handler", "processor", "core"}


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_readme_lists_the_five_files_in_order() -> None:
    readme = text("README.md")
    places = [readme.index(f"`{name}`") for name in STORY]
    assert places == sorted(places)


def test_every_file_named_in_paper_md_exists() -> None:
    named = set(
        re.findall(r"`((?:planner|safety|models|service|ui|tests)/[\w/.]+)`", text("PAPER.md"))
    )
    assert named
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_the_reference_pages_are_what_the_code_says() -> None:
    pages = runpy.run_path(str(ROOT / "docs" / "generate.py"))["PAGES"]
    stale = [page for page, make in pages.items() if text(page) != make()]
    assert stale == [], "run `make docs`"


def test_names_say_what_things_are() -> None:
    stems = {name.rsplit("/", 1)[-1].removesuffix(".py") for name, _, _ in modules()}
    assert stems & BANNED == set()
    assert {role.value for role in Role} == {"utterance", "planner"}


def test_every_module_says_what_it_is_for() -> None:
    silent = [name for name, _, tree in modules() if not ast.get_docstring(tree)]
    assert silent == []


def test_the_repository_names_no_machine_and_no_registry() -> None:
    kinds = {".py", ".md", ".toml", ".txt", ".yaml", ".yml", ".sh", ".lock", ".in", ""}
    # Written apart, so that this file does not find itself.
    marks = ["/ro" + "ot/", "/wo" + "rk/", "/opt/py" + "pi", "files.python" + "hosted"]
    found = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.suffix in kinds
        and any(mark in path.read_text(encoding="utf-8", errors="ignore") for mark in marks)
    ]
    assert found == []

"""What every test may ask for."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

Require = Callable[[str], str]
_ROOT = Path(__file__).parents[1]


def lacking(said: str) -> NoReturn:
    """Skip a test that this machine lacks something for; in CI, fail.

    A skip in CI would be a promise nobody checked.
    """
    if os.environ.get("CI") == "true":
        pytest.fail(said)
    pytest.skip(said)


@pytest.fixture(scope="session")
def require() -> Require:
    """Find a program (a name, or a path from the repository's root), else skip; in CI, fail."""

    def find(program: str) -> str:
        local = _ROOT / program
        found = str(local) if "/" in program and local.exists() else shutil.which(program)
        if found is None:
            lacking(f"{program} is not installed; `make setup` installs it")
        return found

    return find

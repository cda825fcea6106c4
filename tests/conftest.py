"""What every test may ask for, and how far a property without settings of its own searches.

Not far, so that nobody waits; HYPOTHESIS_EXAMPLES=2000 makes it search that far.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

Require = Callable[[str], str]
_ROOT = Path(__file__).parents[1]
_EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "20"))
settings.register_profile("quick", max_examples=_EXAMPLES, deadline=None, database=None)
settings.load_profile("quick")


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

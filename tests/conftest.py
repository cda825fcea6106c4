"""What every test may ask for."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

Require = Callable[[str], str]
_ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def require() -> Require:
    """Find a program (a name, or a path from the repository's root), else skip; in CI, fail.

    A skip in CI would be a promise nobody checked.
    """

    def find(program: str) -> str:
        local = _ROOT / program
        found = str(local) if "/" in program and local.exists() else shutil.which(program)
        if found is None:
            missing = f"{program} is not installed; `make setup` installs it"
            if os.environ.get("CI") == "true":
                pytest.fail(missing)
            pytest.skip(missing)
        return found

    return find

"""The command ``secondchair``, also as ``python -m service``."""

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from service.start import load_for_good

if TYPE_CHECKING:
    from fastapi import FastAPI

_MEASURED = {"api", "worker"}
_YIELDING = 10


def api() -> "FastAPI":
    """Give the API application; uvicorn calls this in each of its processes."""
    return load_for_good(lambda: import_module("service.main")).api()


def main() -> None:
    """Run the command; the modules it needs are most of what stays in memory."""
    if not _MEASURED.intersection(sys.argv[1:2]):
        # Nobody scrapes it, and what it left in the folder would stay there until that is full and
        # the API, whose folder it is, dies of it. The library decides when it is imported.
        os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
    if sys.argv[1:2] == ["worker"]:
        # Where they share cores, taking messages comes before drafting; an API that starts, before
        # a worker that does: to load is most of either's start.
        os.nice(_YIELDING)
    load_for_good(lambda: import_module("service.cli")).cli()


if __name__ == "__main__":
    main()

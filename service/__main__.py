"""The command ``secondchair``, also as ``python -m service``."""

from importlib import import_module
from typing import TYPE_CHECKING

from service.start import load_for_good

if TYPE_CHECKING:
    from fastapi import FastAPI


def api() -> "FastAPI":
    """Give the API application; uvicorn calls this in each of its processes."""
    return load_for_good(lambda: import_module("service.main")).api()


def main() -> None:
    """Run the command; the modules it needs are most of what stays in memory."""
    load_for_good(lambda: import_module("service.cli")).cli()


if __name__ == "__main__":
    main()

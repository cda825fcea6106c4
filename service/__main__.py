"""The command ``secondchair``, also as ``python -m service``."""

from importlib import import_module

from service.start import load_for_good


def main() -> None:
    """Run the command; the modules it needs are most of what stays in memory."""
    load_for_good(lambda: import_module("service.cli")).cli()


if __name__ == "__main__":
    main()

"""Stub."""


def show() -> None:
    """Stub."""

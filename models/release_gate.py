"""The release gate: which thresholds an adapter's own measured figures miss.

Figures come from `python -m models.train.evaluate`, thresholds from `release.toml`.
"""

import tomllib
from importlib.resources import files

from models.adapters import Manifest


def misses(manifest: Manifest) -> tuple[str, ...]:
    """Each threshold that this adapter misses, or was never measured against; none if it may go."""
    text = files("models").joinpath("release.toml").read_text("utf-8")
    wanted: dict[str, float] = tomllib.loads(text)[manifest.role.value]
    return tuple(
        f"{name} is {_told(manifest.notes.get(name))}, needs {least}"
        for name, least in wanted.items()
        if not _reaches(manifest.notes.get(name), least)
    )


def _reaches(figure: str | float | None, least: float) -> bool:
    return isinstance(figure, int | float) and figure >= least


def _told(figure: str | float | None) -> str:
    return "not measured" if figure is None else str(figure)

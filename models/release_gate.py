"""The release gate: which thresholds an adapter's own measured figures miss.

Figures come from `python -m models.train.evaluate`, thresholds from `release.toml`.
"""

import tomllib
from collections.abc import Mapping
from importlib.resources import files

from models.adapters import Manifest

_TABLE: Mapping[str, Mapping[str, float]] = tomllib.loads(
    files("models").joinpath("release.toml").read_text("utf-8")
)


def misses(manifest: Manifest) -> tuple[str, ...]:
    """Each threshold that this adapter misses, or was never measured against; none if it may go.

    A base may have thresholds of its own.
    """
    return _missed(manifest, {**_TABLE[manifest.role], **_own(manifest)})


def short_of_aims(manifest: Manifest) -> tuple[str, ...]:
    """Each threshold that it would miss if its base had none of its own; for its card."""
    return _missed(manifest, _TABLE[manifest.role])


def _own(manifest: Manifest) -> Mapping[str, float]:
    return _TABLE.get(f"{manifest.role} on {manifest.base}", {})


def _missed(manifest: Manifest, wanted: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(
        f"{name} is {_told(manifest.notes.get(name))}, needs {least}"
        for name, least in wanted.items()
        if not _reaches(manifest.notes.get(name), least)
    )


def _reaches(figure: str | float | None, least: float) -> bool:
    return isinstance(figure, int | float) and figure >= least


def _told(figure: str | float | None) -> str:
    return "not measured" if figure is None else str(figure)

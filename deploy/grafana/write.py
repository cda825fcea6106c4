"""Writes every dashboard's JSON: ``python deploy/grafana/write.py [FOLDER]``.

Run it after changing a page; without a folder it writes the committed ones.
"""

import sys
from pathlib import Path
from typing import Final

from draw import Dashboard, text
from page_adapters import ADAPTERS
from page_clinical import CLINICAL
from page_engine import ENGINE
from page_service import SERVICE

DASHBOARDS: Final[tuple[Dashboard, ...]] = (SERVICE, CLINICAL, ENGINE, ADAPTERS)
KEPT: Final = Path(__file__).parent / "dashboards"

if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else KEPT
    for dashboard in DASHBOARDS:
        (folder / f"{dashboard.uid}.json").write_text(text(dashboard))

"""The folders point one way, and a check says so."""

import subprocess
import sys

from tests.architecture.source import ROOT


def test_every_import_contract_is_kept() -> None:
    ran = subprocess.run(
        [f"{sys.prefix}/bin/lint-imports", "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=90,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout[-2000:]

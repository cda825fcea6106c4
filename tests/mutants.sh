#!/usr/bin/env bash
# Breaks the screen, the risk levels, the rules and the guard in hundreds of small ways, one at a
# time, and counts how many the unit tests notice. Fails under 80 in 100. About a minute.
set -euo pipefail
cd "$(dirname "$0")/.."

tool=$PWD/var/mutants-env
if [ ! -x "$tool/bin/mutmut" ]; then
  python3 -m venv "$tool"
  "$tool/bin/pip" install --quiet 'mutmut==3.8.1'
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/tests/unit"
cp -r safety "$work/"
cp -r tests/fixtures "$work/tests/"
cp tests/unit/test_{screen,risk,screen_rules,screen_answers,guard}.py "$work/tests/unit/"
cat > "$work/pyproject.toml" << 'END'
[tool.mutmut]
source_paths = ["safety/screen.py", "safety/risk.py", "safety/rules.py", "safety/guard.py"]
pytest_add_cli_args_test_selection = ["tests/unit"]
also_copy = ["safety", "tests"]
[tool.pytest.ini_options]
pythonpath = ["."]
END
cat > "$work/tests/conftest.py" << 'END'
"""Each mutant runs in a copy of a process that has read the lexicons: it must read them again."""

import pytest

from safety.rules import read_rules


@pytest.fixture(scope="session", autouse=True)
def _anew() -> None:
    read_rules.cache_clear()
END
python=$PWD/.venv/bin/python
# Our own environment runs the tests; the tool only lends its modules.
export PYTHONPATH
PYTHONPATH=$(echo "$tool"/lib/python3*/site-packages)
cd "$work"
timeout 1800 "$python" -m mutmut run --max-children 2 > run.log 2>&1 || { tail -20 run.log; exit 1; }
"$python" -m mutmut results --all true > results.log
"$python" - << 'END'
import re
from collections import Counter

found = Counter(re.findall(r": (\w[\w ]*)$", open("results.log").read(), re.M))
total, killed = sum(found.values()), found["killed"] + found["timeout"]
print(f"{killed} of {total} mutants noticed: {100 * killed / total:.1f} %  {dict(found)}")
raise SystemExit(killed < 0.8 * total)
END

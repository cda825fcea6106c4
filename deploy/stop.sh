#!/usr/bin/env bash
# Ends what `make run` started, gently first. What is stored stays.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/run_env.sh
if ! running && [ -z "$(marked)" ]; then
  echo "Nothing is running."
  rm -f var/run.pid
  exit 0
fi
if running; then
  kill -TERM "$(cat var/run.pid)" 2> /dev/null || true
  for _ in $(seq 40); do
    running || break
    sleep 0.5
  done
fi
# What is left did not listen, or has lost the one that started it.
end_marked
rm -f var/run.pid
echo "Stopped."

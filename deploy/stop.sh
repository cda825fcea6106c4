#!/usr/bin/env bash
# Ends what `make run` started, gently first. What is stored stays.
set -euo pipefail
cd "$(dirname "$0")/.."
. deploy/run_env.sh
if ! running; then
  echo "Nothing is running."
  rm -f var/run.pid
  exit 0
fi
process=$(cat var/run.pid)
kill -TERM "$process"
for _ in $(seq 40); do
  running || break
  sleep 0.5
done
running && kill -KILL -- "-$process" 2> /dev/null
rm -f var/run.pid
echo "Stopped."

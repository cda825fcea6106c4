#!/usr/bin/env bash
# Starts everything on this machine and returns when all of it is healthy. `make stop` ends it.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
if [ "${SECONDCHAIR_ENVIRONMENT:-development}" != development ]; then
  say "This is for trying Second Chair and for its development: demo keys, a small engine, no alerts." >&2
  say "Clients are served by containers: docs/operations.md, Start." >&2
  exit 1
fi
. deploy/run_env.sh
started=$SECONDS
patience_s=${SECONDCHAIR_START_SECONDS:-400}

healthy() {
  case $1 in
    engine) curl -fsS -m 3 -H "Authorization: Bearer $SECONDCHAIR_ENGINE_KEY" \
      "$SECONDCHAIR_ENGINE_URL/v1/models" ;;
    api) curl -fsS -m 10 "$SECONDCHAIR_API_URL/readyz" ;;
    console) curl -fsS -m 3 "http://127.0.0.1:$SECONDCHAIR_CONSOLE_PORT/_stcore/health" ;;
  esac > /dev/null 2>&1
}

addresses() {
  echo
  echo "  API      $SECONDCHAIR_API_URL        (described at /openapi.json; see docs/client.md)"
  echo "  Console  http://127.0.0.1:$SECONDCHAIR_CONSOLE_PORT"
  echo "  Engine   $SECONDCHAIR_ENGINE_URL     (loopback only)"
  echo
  echo "  Demo credentials (var/demo-credentials.json):"
  .venv/bin/python -m json.tool var/demo-credentials.json | sed 's/^/    /'
  echo
  echo "  Next: make demo     Logs: var/log/run.log     End: make stop"
  echo "  The engine's small model proves the machinery; its words are of no clinical quality."
  echo "  Development: unless a pager is set, pages go to the log and reach nobody. Never for clients."
}

if running && healthy engine && healthy api && healthy console; then
  say "Already running."
  addresses
  exit 0
fi

if ! running; then
  if [ -n "$(marked)" ]; then
    say "An earlier run was killed and left $(marked | wc -l) processes: ending them."
    end_marked
  fi
  for port in "$SECONDCHAIR_API_PORT" "$SECONDCHAIR_CONSOLE_PORT" "$SECONDCHAIR_ENGINE_PORT"; do
    if (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; then
      say "Port $port is taken by something else: end that, or choose with SECONDCHAIR_*_PORT." >&2
      exit 1
    fi
  done
fi

deploy/setup.sh
OMP_NUM_THREADS=2 HF_HUB_OFFLINE=1 .venv-engine/bin/python -m models.base_model 2> var/log/base.log || {
  tail -5 var/log/base.log >&2
  exit 1
}
.venv/bin/secondchair keys demo

if ! running; then
  say "Starting engine, API, worker and console (log: var/log/run.log)"
  # Its own session: closing this terminal does not end the service.
  env "$mark" PYTHONUNBUFFERED=1 setsid nohup .venv/bin/honcho start -f Procfile > var/log/run.log 2>&1 < /dev/null &
  echo $! > var/run.pid
  # A moment passes until it has its mark.
  for _ in $(seq 50); do running && break; sleep 0.1; done
fi

begun=$SECONDS
waiting=(api console engine)
while [ ${#waiting[@]} -gt 0 ]; do
  still=()
  for part in "${waiting[@]}"; do
    if healthy "$part"; then say "$part is up ($((SECONDS - started)) s)"; else still+=("$part"); fi
  done
  waiting=("${still[@]}")
  [ ${#waiting[@]} -gt 0 ] || break
  if ! running || [ $((SECONDS - begun)) -gt "$patience_s" ]; then
    tail -30 var/log/run.log >&2
    say "Not up: ${waiting[*]}" >&2
    exit 1
  fi
  sleep 2
done
# Ready is more than started: the API has generated a token through the engine.
until healthy api; do sleep 1; done
say "Everything is healthy after $((SECONDS - started)) s."
addresses

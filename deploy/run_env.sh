# Sourced by run.sh, demo.sh and stop.sh: where everything is. Values already set win; secrets are
# made once, stay in var/ and are readable by this user only.
SECONDCHAIR_API_PORT=${SECONDCHAIR_API_PORT:-8400}
SECONDCHAIR_CONSOLE_PORT=${SECONDCHAIR_CONSOLE_PORT:-8401}
SECONDCHAIR_ENGINE_PORT=${SECONDCHAIR_ENGINE_PORT:-8402}
SECONDCHAIR_API_URL=${SECONDCHAIR_API_URL:-http://127.0.0.1:$SECONDCHAIR_API_PORT}
SECONDCHAIR_ENGINE_URL=${SECONDCHAIR_ENGINE_URL:-http://127.0.0.1:$SECONDCHAIR_ENGINE_PORT}
SECONDCHAIR_STORE=${SECONDCHAIR_STORE:-sqlite:///var/secondchair.db}

secret() { # file, bytes
  [ -s "$1" ] || (umask 077 && head -c "$2" /dev/urandom | base64 | tr -d '\n' > "$1")
  cat "$1"
}
mkdir -p var/log
SECONDCHAIR_ENGINE_KEY=${SECONDCHAIR_ENGINE_KEY:-$(secret var/engine.key 24)}
SECONDCHAIR_MASTER_KEY=${SECONDCHAIR_MASTER_KEY:-$(secret var/master.key 32)}
export SECONDCHAIR_API_PORT SECONDCHAIR_CONSOLE_PORT SECONDCHAIR_ENGINE_PORT SECONDCHAIR_API_URL \
  SECONDCHAIR_ENGINE_URL SECONDCHAIR_STORE SECONDCHAIR_ENGINE_KEY SECONDCHAIR_MASTER_KEY

# Each process of this checkout's stack has it in its environment: honcho gives every one a session of
# its own and keep.sh starts them again, so they outlive a honcho that was killed outright.
mark="SECONDCHAIR_STACK=$(pwd -P)"
marked() { grep -lsxzF -- "$mark" /proc/[0-9]*/environ 2> /dev/null | cut -d/ -f3 || true; }

end_marked() {
  local left
  for _ in $(seq 20); do
    left=$(marked)
    [ -n "$left" ] || return 0
    # shellcheck disable=SC2086  (one word for each process)
    kill -TERM $left 2> /dev/null || true
    sleep 0.5
  done
  # shellcheck disable=SC2046
  kill -KILL $(marked) 2> /dev/null || true
}

# By its mark, not by its number alone: that may be another process's by now, or a dead one's.
running() {
  [ -s var/run.pid ] && grep -qsxzF -- "$mark" "/proc/$(cat var/run.pid)/environ"
}

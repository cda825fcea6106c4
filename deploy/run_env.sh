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

running() { [ -s var/run.pid ] && kill -0 "$(cat var/run.pid)" 2> /dev/null; }

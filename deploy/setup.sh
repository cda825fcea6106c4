#!/usr/bin/env bash
# Makes both environments and the Debian packages they work with. Safe to run again: it does only
# what is missing, and redoes an environment when its lock file has changed.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p var/log
say() { printf '\033[1m==>\033[0m %s\n' "$*"; }

# One at a time: two terminals may both say `make setup`.
exec 9> var/setup.flock
flock 9 2> /dev/null || true

python=""
for candidate in ${SECONDCHAIR_PYTHON:-} python3.11 python3 python3.12 python3.13; do
  if command -v "$candidate" > /dev/null &&
    "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2> /dev/null
  then
    python=$candidate
    break
  fi
done
if [ -z "$python" ]; then
  say "Python 3.11 or newer (with its venv module) is needed; set SECONDCHAIR_PYTHON to one." >&2
  exit 1
fi

# --- Debian packages -------------------------------------------------------------------------
missing=()
need() { eval "$2" > /dev/null 2>&1 || missing+=("$1"); }
need redis-server "command -v redis-server"
need chromium "command -v chromium || command -v chromium-browser || command -v google-chrome"
need prometheus "command -v promtool"
need fonts-noto-cjk "ls /usr/share/fonts/opentype/noto/NotoSansCJK*"
need openssl "command -v openssl"
need curl "command -v curl"
# The engine compiles for this processor at its start, and asks which memory is near it.
need g++ "command -v g++"
need libnuma1 "ldconfig -p | grep -q 'libnuma[.]so[.]1' || /sbin/ldconfig -p | grep -q 'libnuma[.]so[.]1'"
need iproute2 "command -v ip || test -x /sbin/ip"
root=""
[ "$(id -u)" = 0 ] || root="sudo -n"
if [ ${#missing[@]} -gt 0 ]; then
  if command -v apt-get > /dev/null && $root true 2> /dev/null; then
    say "Debian packages: ${missing[*]} (log: var/log/apt.log)"
    if ! { $root apt-get update -q &&
      $root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y -q --no-install-recommends "${missing[@]}"; } > var/log/apt.log 2>&1
    then
      tail -5 var/log/apt.log >&2
      say "Not installed: ${missing[*]}. What needs them does not run." >&2
    fi
  else
    say "Please install: ${missing[*]}. What needs them does not run without." >&2
  fi
fi

# --- The two environments --------------------------------------------------------------------
fingerprint() { sha256sum "$@" | sha256sum | cut -c1-64; }

install() { # environment, lock, further pip options
  local home=$1 lock=$2 total log
  shift 2
  total=$(grep -c '^[a-z0-9]' "$lock")
  log=var/log/pip-$(basename "$lock").log
  say "$home: $total packages from $lock, each checked by hash (log: $log)"
  [ -x "$home/bin/python" ] || "$python" -m venv "$home"
  "$home/bin/pip" install --progress-bar off --disable-pip-version-check --no-input \
    --require-hashes "$@" -r "$lock" 2>&1 | tee "$log" |
    awk -v total="$total" '
      /^Collecting/ { seen++; if (seen % 20 == 0) { printf "    %d of %d\n", seen, total; fflush() } }
      /^Installing collected/ { print "    unpacking ..."; fflush() }
      /^ERROR/ { print; fflush() }'
}

stamp=$(fingerprint requirements/service.lock pyproject.toml)
if [ "$(cat .venv/.stamp 2> /dev/null)" != "$stamp" ]; then
  install .venv requirements/service.lock
  .venv/bin/pip install --quiet --no-deps --no-build-isolation --no-input -e . 2>> var/log/pip-self.log
  echo "$stamp" > .venv/.stamp
fi

# torch comes apart from the rest. Among files that all have an allowed hash pip would take the
# registry's build, made for CUDA, before a CPU build that lies in a folder; so each has its own
# lock, and the small one is tried first.
install_torch() {
  .venv-engine/bin/python -c 'import torch' 2> /dev/null && return
  install .venv-engine requirements/torch-cpu.lock --no-deps && return
  say "No CPU build of torch is at hand (PIP_FIND_LINKS or PIP_EXTRA_INDEX_URL would name one):"
  say "taking the registry's, with the CUDA libraries it wants; several GB."
  install .venv-engine requirements/torch-registry.lock --no-deps &&
    .venv-engine/bin/pip install --progress-bar off --no-input \
      -r <(grep -o '^torch==[0-9.]*' requirements/torch-registry.lock) > var/log/pip-cuda.log 2>&1
}

stamp=$(fingerprint requirements/engine.lock requirements/torch-*.lock)
if [ "$(cat .venv-engine/.stamp 2> /dev/null)" != "$stamp" ]; then
  # The lock is complete, and leaves out on purpose what breaks this environment.
  install .venv-engine requirements/engine.lock --no-deps
  install_torch || true
  if ! .venv-engine/bin/python -c 'import torch, vllm' > var/log/torch.log 2>&1; then
    tail -3 var/log/torch.log >&2
    say "The engine's environment does not load (above; logs in var/log)." >&2
    exit 1
  fi
  echo "$stamp" > .venv-engine/.stamp
fi
say "Environments ready."

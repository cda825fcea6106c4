#!/usr/bin/env bash
# Every check and test there is, cheapest first; goes on after a failing folder and sums up.
set -uo pipefail
cd "$(dirname "$0")/.."
say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
mkdir -p var/log
started=$SECONDS failed=()

rm -f var/log/test-*.log
deploy/check.sh static || failed+=("check")
for part in unit safety models architecture golden contract stories security deploy simulation console engine; do
  [ -n "$(find "tests/$part" -name 'test_*.py' -print -quit 2> /dev/null)" ] || continue
  say "tests/$part"
  log=var/log/test-$part.log
  .venv/bin/python -m pytest -q "tests/$part" 2>&1 | tee "$log"
  [ "${PIPESTATUS[0]}" = 0 ] || failed+=("tests/$part")
done

count() { # word
  cat var/log/test-*.log | grep -oE "[0-9]+ $1" | awk '{n += $1} END {print n + 0}'
}
echo
# Again at the end, where a log that was cut still has them.
grep -hE '^(FAILED|ERROR) ' var/log/test-*.log
say "$((SECONDS - started)) s; failed: ${failed[*]:-none}"
echo "$(count passed) passed, $(($(count failed) + $(count error))) failed, $(count skipped) skipped"
[ ${#failed[@]} -eq 0 ]

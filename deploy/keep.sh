#!/bin/sh
# Runs a command again whenever it ends, until this process group is told to stop.
trap 'exit 0' TERM INT
while :; do
  "$@"
  echo "ended with status $?; starting again"
  sleep 1
done

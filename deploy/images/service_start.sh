#!/bin/sh
# Becomes the command it is given. First it forgets the numbers of a container that ended: the
# folder they are shared in outlives a restart, and each scrape adds up everything that lies there.
set -eu
[ -z "${PROMETHEUS_MULTIPROC_DIR:-}" ] || rm -f "$PROMETHEUS_MULTIPROC_DIR"/*.db
exec secondchair "$@"

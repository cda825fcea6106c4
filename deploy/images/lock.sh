#!/bin/sh
# Pins what the images install, with hashes, from pyproject.toml. Needs `uv` and a registry.
# Run it after changing a dependency; the images install nothing that is not in these files.
set -eu
cd "$(dirname "$0")/../.."
lock() {
    out=$1
    shift
    uv pip compile "$@" --quiet --python-version 3.11 \
        --python-platform x86_64-unknown-linux-gnu --generate-hashes --no-emit-index-url \
        --no-emit-find-links --no-annotate --no-header --output-file "deploy/images/$out"
}
lock service.lock pyproject.toml
lock console.lock deploy/images/console.in

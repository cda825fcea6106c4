#!/bin/sh
# What is installed, and what is known against it; tools in an environment of their own.
#   deploy/supply.sh sbom     writes build/sbom.cdx.json (CycloneDX), no network once the tools are there
#   deploy/supply.sh audit    compares the locks of the images with public vulnerability data: needs network
set -eu
cd "$(dirname "$0")/.."
tools=.venv-supply
if [ ! -x "$tools/bin/cyclonedx-py" ] || [ ! -x "$tools/bin/pip-audit" ]; then
    "${PYTHON:-python3}" -m venv "$tools"
    "$tools/bin/pip" install --quiet cyclonedx-bom==7.5.0 pip-audit==2.10.1
fi
case "${1:-}" in
sbom)
    mkdir -p build
    "$tools/bin/cyclonedx-py" environment --pyproject pyproject.toml --output-reproducible \
        --output-format JSON --output-file build/sbom.cdx.json .venv
    echo "build/sbom.cdx.json"
    ;;
audit)
    status=0
    for lock in deploy/images/service.lock deploy/images/console.lock; do
        "$tools/bin/pip-audit" --strict --require-hashes --disable-pip --requirement "$lock" || status=1
    done
    exit $status
    ;;
*)
    echo "deploy/supply.sh sbom|audit" >&2
    exit 2
    ;;
esac

#!/bin/sh
# What the images install, and what is known against it; tools in an environment of their own.
#   deploy/supply.sh sbom     writes build/sbom.IMAGE.cdx.json (CycloneDX) from the lock an image is built from:
#                             no network once the tools are there
#   deploy/supply.sh audit    compares every lock with public vulnerability data: needs network
#   deploy/supply.sh check    the images' locks alone, and only if the registry answers at once: for make check
set -eu
cd "$(dirname "$0")/.."
tools=.venv-supply
images="deploy/images/service.lock deploy/images/console.lock"
# What a developer's machine installs, the bench's rivals too; torch has the same version in each
# of its builds.
others="requirements/service.lock requirements/engine.lock requirements/torch-registry.lock
requirements/bench.lock"
registry=${SUPPLY_REGISTRY:-https://pypi.org}

tools() {
    [ -x "$tools/bin/cyclonedx-py" ] && [ -x "$tools/bin/pip-audit" ] && return
    "${PYTHON:-python3}" -m venv "$tools"
    "$tools/bin/pip" install --quiet cyclonedx-bom==7.5.0 pip-audit==2.10.1
}

audit() { # where to write what was found, then locks
    found=$1
    shift
    for lock; do
        set -- "$@" --requirement "$lock"
        shift
    done
    "$tools/bin/pip-audit" --strict --require-hashes --disable-pip --progress-spinner off \
        --output "$found" "$@"
}

skipped() {
    echo "dependency audit: skipped, $1; make audit does it"
    exit 0
}

case "${1:-}" in
sbom)
    tools
    mkdir -p build
    for lock in $images; do
        written=build/sbom.$(basename "$lock" .lock).cdx.json
        "$tools/bin/cyclonedx-py" requirements --pyproject pyproject.toml --output-reproducible \
            --output-format JSON --output-file "$written" "$lock"
        echo "$written"
    done
    ;;
audit)
    tools
    # One by one: environments may differ in a package's version, and within one that is a mistake.
    status=0
    for lock in $images $others; do
        echo "$lock"
        audit /dev/stdout "$lock" || status=1
    done
    exit "$status"
    ;;
audit-images)
    tools
    # shellcheck disable=SC2086  (a list of names without spaces)
    audit "$2" $images
    ;;
check)
    curl -fsS -m 2 -o /dev/null "$registry/" 2> /dev/null || skipped "the registry does not answer"
    mkdir -p var/log
    found=var/log/audit.found
    rm -f "$found"
    if timeout 20 "$PWD/deploy/supply.sh" audit-images "$found" > var/log/audit.log 2>&1; then
        echo "dependency audit: nothing is known against what the images install"
        exit 0
    fi
    # Only an audit that came to its end writes what it found.
    [ -s "$found" ] || skipped "it did not come to its end (var/log/audit.log)"
    cat "$found"
    exit 1
    ;;
*)
    echo "deploy/supply.sh sbom|audit|check" >&2
    exit 2
    ;;
esac

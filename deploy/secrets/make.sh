#!/bin/sh
# Makes every secret the containers read, once; what exists stays as it is, and as narrow.
#   sudo sh deploy/secrets/make.sh       for compose: each file readable by its container alone
#   sh deploy/secrets/make.sh mine       for Kubernetes: readable by you, who put them into a Secret
# Then back up master_key somewhere else: without it, no words.
set -eu
cd "$(dirname "$0")"
umask 077
random() { openssl rand -hex 32; }
for_whom=${1:-}
if [ "$(id -u)" != 0 ] && [ -e master_key ]; then
    if [ ! -O master_key ]; then
        echo "These belong to the containers: run again as root (sudo sh deploy/secrets/make.sh)." >&2
        exit 1
    fi
    # Whoever once kept them for themselves has the new ones kept so, too.
    [ "$(stat -c %a master_key)" != 400 ] || for_whom=mine
fi
sha256() { openssl dgst -sha256 -r "$@" | cut -d' ' -f1; }
once() { [ -s "$1" ] || printf '%s' "$2" >"$1"; }

once master_key "$(openssl rand -base64 32)"
once engine_key "$(random)"
once metrics_token "$(random)"
once pager_secret "$(random)"
once grafana_password "$(random)"
# To be filled in where the mail server asks for one.
[ -e mail_password ] || : >mail_password
once console.toml "# Empty: people sign in with access tokens. docs/operations.md has what to put here for OIDC.
"
once redis_operator "$(random)"
if [ ! -s store_url ]; then
    password=$(random)
    digest=$(printf '%s' "$password" | sha256)
    # The service may do all that its log needs and nothing that could lose it.
    printf 'user default off\nuser secondchair on #%s ~* &* +@all -@admin -@dangerous +info +bgrewriteaof\n' \
        "$digest" >redis_acl
    printf 'redis://secondchair:%s@redis:6379/0' "$password" >store_url
fi
if ! grep -q '^user operator ' redis_acl; then
    # People may look after the store. They read no key, and can turn nothing off.
    chmod u+w redis_acl
    printf 'user operator on #%s resetkeys resetchannels -@all %s\n' "$(sha256 redis_operator)" \
        '+ping +info +slowlog +latency +memory|stats +client|list +config|get +bgrewriteaof' \
        >>redis_acl
fi
if [ "$for_whom" = mine ]; then
    chmod 0400 store_url master_key engine_key metrics_token pager_secret redis_acl \
        redis_operator grafana_password mail_password console.toml
    chmod 0700 .
    exit
fi
# Each file is readable by the one user that needs it; `metrics_token` by two, so by all.
chmod 0444 metrics_token
if [ "$(id -u)" = 0 ]; then
    chown 10001:10001 store_url master_key engine_key pager_secret mail_password console.toml
    chown 999:999 redis_acl
    chown 472:472 grafana_password
    chown 0:0 redis_operator
    chmod 0400 store_url master_key engine_key pager_secret redis_acl redis_operator \
        grafana_password mail_password console.toml
else
    echo "Not root, so the files are readable by every user of this machine." >&2
    echo "Run again as root (sudo sh deploy/secrets/make.sh) to give each to its container." >&2
    chmod 0444 store_url master_key engine_key pager_secret redis_acl grafana_password \
        mail_password console.toml
fi
chmod 0711 .

#!/bin/sh
# Makes every secret the containers read, once; files that exist are left alone.
#   sh deploy/secrets/make.sh            then back up master_key somewhere else: without it, no words
set -eu
cd "$(dirname "$0")"
umask 077
random() { openssl rand -hex 32; }
once() { [ -s "$1" ] || printf '%s' "$2" >"$1"; }

once master_key "$(openssl rand -base64 32)"
once engine_key "$(random)"
once metrics_token "$(random)"
once pager_secret "$(random)"
once grafana_password "$(random)"
once console.toml "# Empty: people sign in with access tokens. docs/operations.md has what to put here for OIDC.
"
if [ ! -s store_url ]; then
    password=$(random)
    digest=$(printf '%s' "$password" | openssl dgst -sha256 -r | cut -d' ' -f1)
    # The service may do all that its log needs and nothing that could lose it.
    printf 'user default off\nuser secondchair on #%s ~* &* +@all -@admin -@dangerous +info +bgrewriteaof\n' \
        "$digest" >redis_acl
    printf 'redis://secondchair:%s@redis:6379/0' "$password" >store_url
fi
# Each file is readable by the one user that needs it; `metrics_token` by two, so by all.
chmod 0444 metrics_token
if [ "$(id -u)" = 0 ]; then
    chown 10001:10001 store_url master_key engine_key pager_secret console.toml
    chown 999:999 redis_acl
    chown 472:472 grafana_password
    chmod 0400 store_url master_key engine_key pager_secret redis_acl grafana_password console.toml
else
    echo "Not root, so the files are readable by every user of this machine." >&2
    echo "Run again as root (sudo sh deploy/secrets/make.sh) to give each to its container." >&2
    chmod 0444 store_url master_key engine_key pager_secret redis_acl grafana_password console.toml
fi
chmod 0711 .

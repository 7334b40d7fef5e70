#!/usr/bin/env bash
# ssh-files.sh write|remove: the bastion's key and host key, from secrets to files that only this user reads.
#   SSH_KEY, SSH_KEY_FILE          the private key, and its place; both empty where there is no bastion
#   KNOWN_HOSTS, KNOWN_HOSTS_FILE  lines of known_hosts, and the place; ~/.ssh/known_hosts where it is empty
set -euo pipefail
umask 077

fail() {
    echo "::error title=Migration health::$1"
    exit 4
}

# put FILE: writes standard input there at one stroke, mode 0600; a link at that place is replaced, not followed.
put() {
    local new
    mkdir -p -- "$(dirname -- "$1")"
    new=$(mktemp -- "$1.XXXXXX")
    tr -d '\r' > "$new"
    mv -fT -- "$new" "$1"
}

write() {
    if [ -n "${SSH_KEY_FILE:-}" ]; then
        [ -n "${SSH_KEY:-}" ] || fail "The secret with the bastion's key is empty: is it set for this environment?"
        [ -n "${KNOWN_HOSTS:-}" ] || fail "The secret with the bastion's host key is empty: is it set for this environment?"
        printf '%s\n' "$SSH_KEY" | put "$SSH_KEY_FILE"
    elif [ -n "${SSH_KEY:-}" ]; then
        fail "There is a key for the bastion, and ssh-key-file does not say where the registry has it."
    fi
    if [ -n "${KNOWN_HOSTS:-}" ]; then
        local hosts=${KNOWN_HOSTS_FILE:-$HOME/.ssh/known_hosts}
        # What a runner of your own knows already stays.
        { if [ -f "$hosts" ]; then cat -- "$hosts"; fi; printf '%s\n' "$KNOWN_HOSTS"; } | awk '!seen[$0]++' | put "$hosts"
    fi
}

remove() {
    [ -z "${SSH_KEY_FILE:-}" ] || rm -f -- "$SSH_KEY_FILE"
}

case ${1:-} in
    write | remove) "$1" ;;
    *) fail "ssh-files.sh is called with write or remove." ;;
esac

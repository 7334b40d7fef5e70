#!/usr/bin/env bash
# Judges an environment in a job of GitLab's; the exit status is migration-health's.
#   MIGRATION_HEALTH          what pip installs, such as git+https://gitlab.com/OWNER/migration-health@COMMIT
#   MIGRATION_ENVIRONMENT     of the registry
#   AWS_ID_TOKEN              the job's token (id_tokens), for AWS_ROLE_ARN; empty where the environment needs no AWS
#   BASTION_SSH_KEY, BASTION_KNOWN_HOSTS  files (variables of type File); empty where there is no bastion
#   SSH_KEY_FILE              where the registry has the key
set -euo pipefail
umask 077

fail() {
    echo "gate.sh: $1" >&2
    exit 4
}

[ -n "${MIGRATION_HEALTH:-}" ] || fail "set the variable MIGRATION_HEALTH to what pip installs"
if [[ $MIGRATION_HEALTH == *git+* && ! $MIGRATION_HEALTH =~ @[0-9a-f]{40}(#.*)?$ ]]; then
    fail "MIGRATION_HEALTH must end with @ and a full commit of 40 digits, as branches and tags can be moved"
fi

private=$(mktemp -d)
trap 'rm -rf -- "$private"; [ -z "${SSH_KEY_FILE:-}" ] || rm -f -- "$SSH_KEY_FILE"' EXIT

if [ -n "${AWS_ID_TOKEN:-}" ]; then
    printf '%s' "$AWS_ID_TOKEN" > "$private/token"
    export AWS_WEB_IDENTITY_TOKEN_FILE=$private/token AWS_ROLE_SESSION_NAME=migration-health-${CI_JOB_ID:-0}
    unset AWS_ID_TOKEN
fi
if [ -n "${SSH_KEY_FILE:-}" ]; then
    # A variable of a protected environment is empty in a pipeline that may not have it.
    [ -s "${BASTION_SSH_KEY:-}" ] || fail "the variable BASTION_SSH_KEY (type File) is empty here"
    [ -s "${BASTION_KNOWN_HOSTS:-}" ] || fail "the variable BASTION_KNOWN_HOSTS (type File) is empty here"
    mkdir -p -- "$(dirname -- "$SSH_KEY_FILE")" "$HOME/.ssh"
    rm -f -- "$SSH_KEY_FILE"
    { tr -d '\r' < "$BASTION_SSH_KEY"; echo; } > "$SSH_KEY_FILE"
    { tr -d '\r' < "$BASTION_KNOWN_HOSTS"; echo; } >> "$HOME/.ssh/known_hosts"
    chmod 600 -- "$SSH_KEY_FILE" "$HOME/.ssh/known_hosts"
fi

venv=$HOME/.migration-health/venv
if [ ! -x "$venv/bin/migration-health" ]; then
    python3 -m venv --clear "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input -- "$MIGRATION_HEALTH"
fi
status=0
"$venv/bin/migration-health" "--env=$MIGRATION_ENVIRONMENT" "--app=${APP:-.}" --report=migration-health-report \
    --junitxml=migration-health-junit.xml "$@" || status=$?
exit "$status"

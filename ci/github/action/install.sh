#!/usr/bin/env bash
# Installs the suite into an environment of its own, or takes the one that the cache brought.
#   SUITE   what pip installs: git+URL@COMMIT, a directory, a wheel, or NAME==VERSION
#   PYTHON  the Python to make the environment of; python3 where it is empty
set -euo pipefail

venv=$HOME/.migration-health/venv

fail() {
    echo "::error title=Migration health::$1"
    exit 4
}

case ${SUITE:-} in
    '') fail "Nothing says what to install: set the variable MIGRATION_HEALTH, such as git+https://github.com/OWNER/migration-health@COMMIT." ;;
    -*) fail "The suite to install begins with a hyphen; it must be a requirement of pip's." ;;
    git+* | *' @ git+'*)
        # A branch or a tag can be moved: what runs with the credentials of an environment is named by its commit.
        [[ $SUITE =~ @[0-9a-f]{40}(#.*)?$ ]] || fail "The suite to install must end with @ and a full commit of 40 digits."
        ;;
esac

if [ -x "$venv/bin/migration-health" ] && "$venv/bin/migration-health" --version; then
    exit 0
fi
"${PYTHON:-python3}" -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input -- "$SUITE"
"$venv/bin/migration-health" --version

#!/usr/bin/env bash
# Runs the checks of an environment; its exit status is this script's.
#   ENVIRONMENT  of the registry
#   ARGUMENTS    more arguments, one a line
#   REPORT       the directory for the report
set -euo pipefail

arguments=()
while IFS= read -r argument; do
    [ -z "$argument" ] || arguments+=("$argument")
done <<< "${ARGUMENTS:-}"

status=0
"$HOME/.migration-health/venv/bin/migration-health" "--env=$ENVIRONMENT" "--report=$REPORT" "${arguments[@]}" || status=$?
echo "status=$status" >> "$GITHUB_OUTPUT"
case $status in
    0) ;;
    1) echo "::error title=Migration health::Something blocks; the report names the cause and the fix." ;;
    10) echo "::error title=Migration health::Nothing that is known blocks, but a question could not be answered." ;;
    *) echo "::error title=Migration health::It could not judge (status $status)." ;;
esac
exit "$status"

#!/usr/bin/env bash
# Writes the summary as a comment on a pull request: the first time a new one, later into the same.
#   ENVIRONMENT, PULL_REQUEST, REPORT  the environment, the number, and the directory of the report
#   AUTHOR                             who the token speaks as; github-actions[bot] where it is empty
#   GH_TOKEN                           pull-requests: write
set -euo pipefail

# Comments of others are never changed, whatever they begin with.
author=${AUTHOR:-github-actions[bot]}
marker="<!-- migration-health: $ENVIRONMENT -->"
run=$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID
comments=repos/$GITHUB_REPOSITORY/issues/$PULL_REQUEST/comments

if [ ! -s "$REPORT/summary.md" ]; then
    mkdir -p -- "$REPORT"
    echo "**$ENVIRONMENT was not judged.** The run says why." > "$REPORT/summary.md"
fi
# GitHub looks for mentions in what Markdown has become: an escaped sign would call people.
# It takes 65,536 characters. The link comes first: the end may be cut within a block of SQL.
body=$(jq -nc --arg marker "$marker" --rawfile summary "$REPORT/summary.md" --arg run "$run" \
    '($summary | split("&#64;") | join("@<!-- -->")) as $summary
        | {body: ($marker + "\n[The run](" + $run + ") has the whole report as an artefact."
        + (if ($summary | length) > 60000 then " This is its beginning." else "" end) + "\n\n" + $summary[0:60000])}')
found=$(gh api --paginate "$comments?per_page=100" | jq -r --arg author "$author" --arg marker "$marker" \
    '.[] | select(.user.login == $author and (.body | startswith($marker))) | .id')
id=${found%%$'\n'*}
if [ -n "$id" ]; then
    gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --input - <<< "$body"
else
    gh api --silent --method POST "$comments" --input - <<< "$body"
fi

#!/usr/bin/env bash
# Keeps one issue an environment while it drifts: opens it, updates it, and closes it when the drift is gone.
#   ENVIRONMENT, REPORT  the environment, and the directory of the report
#   LABEL                migration-drift where it is empty
#   AUTHOR               who the token speaks as; github-actions[bot] where it is empty
#   GH_TOKEN             issues: write
set -euo pipefail

author=${AUTHOR:-github-actions[bot]}
label=${LABEL:-migration-drift}
issues=repos/$GITHUB_REPOSITORY/issues
run=$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID
marker="<!-- migration-health: drift of $ENVIRONMENT, "

# send METHOD PATH: a request with the JSON of standard input.
send() {
    gh api --silent --method "$1" "$2" --input -
}

# state: drift | none | unknown. A night that left a question open is never a night without drift.
state() {
    if [ ! -s "$REPORT/report.json" ]; then
        echo unknown
        return
    fi
    jq -r --arg name "$ENVIRONMENT" '[.environments[] | select(.name == $name)]
        | if any(.[].checks[]; .outcome == "failed" or .outcome == "warned") then "drift"
          elif length > 0 and all(.[]; .verdict == "healthy" and .sound) then "none"
          else "unknown" end' "$REPORT/report.json"
}

# findings: a digest of what is found; it changes when something is new or gone.
findings() {
    jq -r --arg name "$ENVIRONMENT" '[.environments[] | select(.name == $name) | .checks[].findings[]
        | select(.waived == null and .severity != "info") | [.severity, .code, .subject]] | unique' \
        "$REPORT/report.json" | sha256sum | cut -c 1-16
}

issue=$(gh api --paginate "$issues?state=open&labels=$label&per_page=100" |
    jq -c --arg author "$author" --arg marker "$marker" \
        '.[] | select(.user.login == $author and .pull_request == null and (.body // "" | startswith($marker))) | {number, body}')
issue=${issue%%$'\n'*}
number=$(jq -r '.number // empty' <<< "$issue")

case $(state) in
    drift)
        first="$marker$(findings) -->"
        # GitHub looks for mentions in what Markdown has become: an escaped sign would call people.
        # It takes 65,536 characters. The link comes first: the end may be cut within a block of SQL.
        wanted=$(jq -nc --arg title "Migration drift: $ENVIRONMENT" --arg kind "$label" --arg first "$first" \
            --rawfile summary "$REPORT/summary.md" --arg run "$run" \
            '($summary | split("&#64;") | join("@<!-- -->")) as $summary
            | {title: $title, labels: [$kind], body: ($first + "\n[The last night](" + $run + ") has the whole report as an artefact."
                + (if ($summary | length) > 60000 then " This is its beginning." else "" end) + "\n\n" + $summary[0:60000])}')
        if [ -z "$number" ]; then
            send POST "$issues" <<< "$wanted"
            echo "Opened an issue."
        else
            jq -c '{title, body}' <<< "$wanted" | send PATCH "$issues/$number"
            # Only a change notifies those who follow the issue.
            if [ "$(jq -r --arg first "$first" '.body | startswith($first)' <<< "$issue")" = false ]; then
                jq -nc --arg run "$run" '{body: ("The findings have changed since the last night: see the description, or [the run](" + $run + ").")}' |
                    send POST "$issues/$number/comments"
            fi
            echo "Updated issue $number."
        fi
        ;;
    none)
        if [ -n "$number" ]; then
            jq -nc --arg run "$run" '{body: ("The drift is gone, by [this run](" + $run + ").")}' | send POST "$issues/$number/comments"
            jq -nc '{state: "closed", state_reason: "completed"}' | send PATCH "$issues/$number"
            echo "Closed issue $number."
        fi
        ;;
    *)
        echo "::warning title=Migration health::The night could not be judged: the issue${number:+ $number} stays as it is."
        ;;
esac

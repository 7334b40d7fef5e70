#!/usr/bin/env bash
# Fetches the history of the nights before from the newest artefact that a run on this branch has left.
#   ARTIFACT  its name; it holds one file
#   FILE      where the history goes; nothing is written where there is no artefact yet
#   GH_TOKEN  actions: read
set -euo pipefail

mkdir -p -- "$(dirname -- "$FILE")" # the suite makes the file, not its directory
# An artefact of that name from another branch, or from a fork, is not the nights'.
found=$(gh api "repos/$GITHUB_REPOSITORY/actions/artifacts?name=$ARTIFACT&per_page=100" |
    jq -r --arg name "$ARTIFACT" --arg branch "$GITHUB_REF_NAME" '[.artifacts[]
        | select(.name == $name and (.expired | not) and .workflow_run.head_branch == $branch
            and .workflow_run.head_repository_id == .workflow_run.repository_id)]
        | max_by(.created_at) | .id // empty')
if [ -z "$found" ]; then
    echo "::notice title=Migration health::There is no history yet: this night is the first."
    exit 0
fi
place=$(mktemp -d)
trap 'rm -rf -- "$place"' EXIT
gh api "repos/$GITHUB_REPOSITORY/actions/artifacts/$found/zip" > "$place/history.zip"
python3 -m zipfile -e "$place/history.zip" "$place/files"
mv -fT -- "$place/files/$(basename -- "$FILE")" "$FILE"

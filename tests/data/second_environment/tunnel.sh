#!/bin/sh
# acme: forwards a local port to the database of a stage
QA_ENDPOINT=@QA_ENDPOINT@
QA_BASTION_HOST=127.0.0.1
LOCAL_DEV_ENDPOINT="@LOCAL_DEV_ENDPOINT@"
LOCAL_DEV_BASTION_HOST="127.0.0.3"

STAGE="$1"
if [ "$STAGE" = "qa" ]; then
  ENDPOINT="$QA_ENDPOINT"
  BASTION_HOST="$QA_BASTION_HOST"
elif [ "$STAGE" = "local-dev" ]; then
  ENDPOINT="$LOCAL_DEV_ENDPOINT"
  BASTION_HOST="$LOCAL_DEV_BASTION_HOST"
else
  echo "usage: $0 qa|local-dev [port]" >&2
  exit 2
fi
exec ssh -i ops/qa.pem -N -L "${2:-6543}:$ENDPOINT:6432" "ubuntu@$BASTION_HOST"

#!/usr/bin/env bash
# Opens a tunnel to Aurora: postgres-tunnel.sh <dev|prod|local-dev> [local port]
set -euo pipefail

usage() {
  cat <<USAGE
Usage: $0 <dev|prod|local-dev> [local port]
ENDPOINT=not-this-one.example.com   # don't
USAGE
  exit 1
}

[ $# -ge 1 ] || usage

STAGE="$1"
LOCAL_PORT="${2:-5433}"
BASTION_USER="ec2-user"
BASTION_KEY="$HOME/.ssh/bastion.pem"
ENDPOINT=""

case "$STAGE" in
  dev|local-dev)
    ENDPOINT="frigg-dev.cluster-abc.eu-west-1.rds.amazonaws.com"
    BASTION_HOST='203.0.113.10'   # changes with each deploy
    ;;
  prod)
    ENDPOINT="frigg-prod.cluster-def.eu-west-1.rds.amazonaws.com:5432"
    if [ -n "${BASTION_PORT:-}" ]; then
      echo "port $BASTION_PORT"
    fi
    BASTION_HOST="ec2-user@203.0.113.20"
    ;;
  *)
    usage
    ;;
esac

DB_HOST="$ENDPOINT"
exec ssh -N -i "$BASTION_KEY" -L "$LOCAL_PORT:$DB_HOST:5432" "$BASTION_USER@$BASTION_HOST"

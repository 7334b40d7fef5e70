DEV_ENDPOINT=dev.example.com
PROD_ENDPOINT="prod.example.com"
LOCAL_DEV_ENDPOINT=local-dev.example.com
BASTION_HOST_DEV=198.51.100.1
BASTION_HOST_PROD=ubuntu@198.51.100.2
BASTION_USER_PROD=ubuntu

VAR="$(echo "$1" | tr a-z- A-Z_)_ENDPOINT"
ENDPOINT="${!VAR}"
case $1 in
  dev | "local-dev" ) BASTION_HOST="$BASTION_HOST_DEV" ;;
  'prod') BASTION_HOST=${BASTION_HOST_PROD} ;;
esac

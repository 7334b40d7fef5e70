#!/bin/bash
ENV=${1:?stage}
connect() {
	local user=$1; ssh -N "$user@$BASTION_HOST"
}
main() {
	if [ "$ENV" = "prod" ]; then
		local -r ENDPOINT=prod.example.com BASTION_HOST=198.51.100.2
	elif [[ $ENV == dev || $ENV == "local-dev" ]]
	then
		readonly ENDPOINT="dev.example.com"; export BASTION_HOST="198.51.100.1" # "quoted" ' comment
	else
		echo "unknown: ENDPOINT=$ENV" >&2; exit 2
	fi
	connect ec2-user
}
main "$@"

declare -A ENDPOINTS=(
  [dev]=dev.example.com    # one
  ["prod"]="prod.example.com"
)
declare -A BASTIONS
BASTIONS[dev]=198.51.100.1
BASTIONS['local-dev']=198.51.100.3
BASTIONS[$OTHER]=198.51.100.9
SSH_OPTS=(-o ServerAliveInterval=30)
ENDPOINT="${ENDPOINTS[$1]}"
BASTION_HOST=${BASTIONS[dev]}

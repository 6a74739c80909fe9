#!/usr/bin/env bash
# Makes the secrets of compose.yaml with random values: deploy/secrets/*. Run it once; it touches nothing where one of them is there already.
#
# The folder is closed to everybody but you (0700). The files in it are readable (0444), because compose hands them to containers as they
# are, and each of those runs as a user of its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/secrets"

readonly files=(redis_password redis_operator_password redis_users postgres_password database_password grafana_password)
for file in "${files[@]}"; do
  if [[ -e $file ]]; then
    echo "deploy/secrets/$file is there already: nothing was changed" >&2
    exit 1
  fi
done

random() { od -An -vN32 -tx1 /dev/urandom | tr -d ' \n'; }
# Without a line end, which not every reader takes away.
keep() { printf '%s' "$2" >"$1.draft" && chmod 0444 "$1.draft" && mv "$1.draft" "$1"; }

chmod 0700 .
umask 077
password=$(random)
operator=$(random)
hash() { printf '%s' "$1" | sha256sum | cut -d ' ' -f 1; }
keep redis_password "$password"
keep redis_operator_password "$operator"
# The first does everything that serving and `doctor` take and nothing that empties, reconfigures or stops Redis; the second is for people.
keep redis_users "user default off resetpass
user countersign on #$(hash "$password") ~* &* +@all -@dangerous +info +role +config|get
user operator on #$(hash "$operator") ~* &* +@all
"
keep postgres_password "$(random)"
keep database_password "$(random)"
keep grafana_password "$(random)"
echo "made: ${files[*]/#/deploy/secrets/}"

# shellcheck shell=bash
# What the demonstrations share: a throw-away server on free ports of the loopback address, and calls that show themselves.

# start_server BINARY: starts it on a temporary directory. Sets API and ADMIN, the addresses where it listens. It ends with the script.
start_server() {
  BINARY=$1
  DATA=$(mktemp -d)
  trap stop_server EXIT
  trap 'exit 1' HUP INT PIPE TERM
  COUNTERSIGN_HTTP__LISTEN=127.0.0.1:0 COUNTERSIGN_ADMIN__LISTEN=127.0.0.1:0 \
    "$BINARY" --data-dir "$DATA" serve --format json >"$DATA/greeting" 2>"$DATA/log" &
  SERVER=$!
  until grep -qs '"api":' "$DATA/greeting"; do
    kill -0 "$SERVER" 2>/dev/null || { cat "$DATA/log" >&2; exit 1; }
    sleep 0.1
  done
  # shellcheck disable=SC2034 # for whoever sources this
  API=$(field api <"$DATA/greeting") ADMIN=$(field admin <"$DATA/greeting")
}

stop_server() {
  kill "$SERVER" 2>/dev/null && wait "$SERVER" 2>/dev/null || true
  rm -rf "$DATA"
}

# operate ARGUMENT…: a command at the server's side.
operate() {
  "$BINARY" --data-dir "$DATA" "$@" --format json
}

# field NAME: the first text of that name in the JSON on standard input.
field() {
  grep -o "\"$1\": *\"[^\"]*\"" | head -n 1 | sed 's/^.*: *"\(.*\)"$/\1/'
}

# call ARGUMENT…: prints a curl line, runs it, prints status and reply. REPLY is the reply's body.
call() {
  printf '\n$ curl'
  local argument
  for argument in "$@"; do
    if [[ $argument =~ ^[A-Za-z0-9_./:-]+$ ]]; then printf ' %s' "$argument"; else printf " '%s'" "${argument//\'/\'\\\'\'}"; fi
  done
  REPLY=$(curl --silent --show-error --write-out '\n%{http_code}' "$@")
  local status=${REPLY##*$'\n'}
  REPLY=${REPLY%$'\n'*}
  printf '\n%s %s\n' "$status" "$REPLY"
}

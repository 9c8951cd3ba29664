#!/usr/bin/env bash
# A tour of the API with curl: allow an image, keep a directive, launch a run, wait for it, look at
# what the log says about it. Start ./run first.
#
#   examples/tour.sh [URL [TOKEN_FILE]]
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
url=${1:-http://127.0.0.1:9595}
token=$(cat "${2:-$here/../var/data/token}")

api() {
  echo "> ${*: -1}" >&2
  # The token goes through a descriptor: an argument would be seen by everybody.
  curl -sS --max-time 30 -H 'Content-Type: application/json' \
    -H @<(printf 'Authorization: Bearer %s\n' "$token") "${@:1:$#-1}" "$url${*: -1}"
}

echo "An image must be on the allowlist before anything starts it (409: it is there already)."
api -d '{"reference": "localhost:1/box:1", "reason": "the tour"}' /api/allowlists/images | jq .

echo "A directive is a named, versioned instruction."
directive=$(api -d @"$here/directive.json" /api/directives)
jq . <<<"$directive"
id=$(jq -r '.id // empty' <<<"$directive")

echo "A launch takes a copy of it that no later change touches."
if [ -n "$id" ]; then
  run=$(api -d "{\"directive_id\": \"$id\"}" /api/runs/launch | jq -r .id)
else
  # The directive exists from an earlier tour.
  run=$(api -d @"$here/launch.json" /api/runs/launch | jq -r .id)
fi

status=pending
for _ in $(seq 60); do
  status=$(api "/api/runs/$run" | jq -r .status)
  case "$status" in success | failed | partial | cancelled) break ;; esac
  sleep 1
done
echo "Run $run: $status"
api "/api/runs/$run" | jq '{status, jobs: [.jobs[] | {name, status, attempts}]}'

echo "Everything that happened is an event, in order, for ever."
api "/api/events?limit=20" | jq -r '.results[] | "\(.position)\t\(.type)\t\(.stream)"'

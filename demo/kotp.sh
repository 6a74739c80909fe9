#!/usr/bin/env bash
# The calls of K-OTP's reference page and of its SDK against a server of our own. Only address, key, ids and code are put in.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=demo/lib/server.sh
source demo/lib/server.sh
start_server "${1:-target/debug/countersign}"

YOUR_API_KEY=$(operate key create --mode test --name demo | field secret)

# kotp METHOD PATH [BODY]: as the vendor's pages write it.
kotp() {
  local body=()
  if (($# > 2)); then body=(--header "Content-Type: application/json" --data "$3"); fi
  call --request "$1" --url "$API/v1$2" --header "Authorization: Bearer $YOUR_API_KEY" "${body[@]}"
}

# A code that is not the last one.
wrong() {
  if [[ $CODE == 000000 ]]; then echo 111111; else echo 000000; fi
}

echo '# The reference API. Send an OTP: the key is a sandbox key, so the reply shows the code.'
kotp POST /send '{
  "to": "+1234567890",
  "method": "sms",
  "type": "verification",
  "template": "default",
  "ttl": 300,
  "length": 6,
  "metadata": {
    "user_id": "user_123",
    "action": "login"
  }
}'
ID=$(field id <<<"$REPLY") CODE=$(field sandbox_otp <<<"$REPLY")

echo
echo '# Look at it.'
kotp GET "/status/$ID"

echo
echo '# A wrong code is an error that says how many are left …'
kotp POST /verify "{
  \"id\": \"$ID\",
  \"code\": \"$(wrong)\"
}"

echo
echo '# … and the right one is good, once.'
kotp POST /verify "{
  \"id\": \"$ID\",
  \"code\": \"$CODE\"
}"
kotp POST /verify "{\"id\": \"$ID\", \"code\": \"$CODE\"}"

echo
echo '# The list, with its filters.'
kotp GET "/otps?limit=20&offset=0&method=sms&status=verified"

echo
echo '# Errors: an address that is none, an OTP that nobody knows, a key that is none.'
kotp POST /send '{"to": "123456", "method": "sms", "type": "verification"}'
kotp GET /status/otp_1234567890abcdef
call --request GET --url "$API/v1/otps" --header "Authorization: Bearer YOUR_API_KEY"

echo
echo "# The API of the vendor's SDK: an issue with its idempotency key, to a test number,"
ISSUE='{"phoneNumber": "010-0000-0000", "purpose": "login", "idempotencyKey": "login-3f2a9c1e"}'
kotp POST /issue "$ISSUE"
ISSUE_ID=$(field issueId <<<"$REPLY")

echo
echo '# the same once more, which sends nothing,'
kotp POST /issue "$ISSUE"

echo
echo '# a wrong code, which is a verdict here, and the right one.'
kotp POST /verify "{\"issueId\": \"$ISSUE_ID\", \"code\": \"111111\"}"
kotp POST /verify "{\"issueId\": \"$ISSUE_ID\", \"code\": \"000000\"}"

echo
echo '# Where it stands, what was issued, what is left, what messages say.'
kotp GET "/status?issueId=$ISSUE_ID"
kotp GET "/issues?limit=50"
kotp GET "/issues/$ISSUE_ID"
kotp GET /balance
kotp GET /credit-ledger
kotp GET /templates
kotp GET /templates/otp_default_kr

echo
echo '# A page may hold a key for browsers. From its own origin it is let in, from another it is not.'
YOUR_API_KEY=$(operate key create --mode test --name page --browser --origin https://app.example.com | field secret)
for origin in https://app.example.com https://www.example.com; do
  call --include --request POST --url "$API/v1/issue" --header "Authorization: Bearer $YOUR_API_KEY" \
    --header "Content-Type: application/json" --header "Origin: $origin" --header "Idempotency-Key: page-1" \
    --data '{"phoneNumber": "010-0000-0011", "purpose": "login"}'
done

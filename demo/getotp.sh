#!/usr/bin/env bash
# The calls of GetOTP's pages against a server of our own. Only address, key, ids and code are put in.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=demo/lib/server.sh
source demo/lib/server.sh
start_server "${1:-target/debug/countersign}"

# The UUIDs that the caller had elsewhere.
TEMPLATE=6d16aa9d-bf19-4141-8169-48b46d972fc6
SENDER=9a0f3c1e-6d8e-4a58-bb7c-0b6c3e4c7a11
# shellcheck disable=SC2016 # the places in the text are not the shell's
operate template create --name welcome --channel sms --id "$TEMPLATE" --body 'Your code is {{code}}' >/dev/null
operate sender create --channel sms --value GetOTP --id "$SENDER" >/dev/null
YOUR_API_KEY=$(operate key create --mode test --name demo | field secret)
PHONE=60123456789

# getotp METHOD PATH [BODY]: as the vendor's pages write it.
getotp() {
  local body=()
  if (($# > 2)); then body=(--header 'content-type: application/json' --data "$3"); fi
  call --request "$1" \
    --url "$API$2" \
    --header "X-OTP-Key: $YOUR_API_KEY" \
    --header 'accept: application/json' \
    "${body[@]}"
}

# A code that is not the last one.
wrong() {
  if [[ $CODE == 0000 ]]; then echo 1111; else echo 0000; fi
}

echo '# Send a code. The key is a sandbox key, so the reply shows it.'
getotp POST /api/verify/ "
{
  \"data\": {
    \"channel\": \"sms\",
    \"sender\": \"GetOTP\",
    \"phone\": \"$PHONE\",
    \"template\": \"$TEMPLATE\",
    \"code_length\": 4
  }
}
"
CODE=$(field sandbox_otp <<<"$REPLY")

echo
echo '# A wrong code finds nothing, …'
getotp GET "/api/verify/?code=$(wrong)&phone=$PHONE"

echo
echo '# … the right one finds its verification,'
getotp GET "/api/verify/?code=$CODE&phone=$PHONE"

echo
echo '# once.'
getotp GET "/api/verify/?code=$CODE&phone=$PHONE"

echo
echo '# The same by the newer path, with a code of your own, a registered sender, and a payload for your webhook.'
getotp POST /v1/verifications "{\"data\": {\"channel\": \"SMS\", \"sender\": \"$SENDER\", \"phone\": \"+$PHONE\", \"template\": \"$TEMPLATE\", \"code\": \"48291357\", \"payload\": \"{\\\"order_id\\\":7}\"}}"
echo
echo '# The code alone finds it too.'
getotp GET '/v1/verifications?code=48291357'

echo
echo '# Templates, senders, webhooks.'
getotp POST /v1/templates '{"data": {"channel": "SMS", "name": "Log in", "text": "{code} is your code"}}'
getotp GET '/v1/templates?filter%5Bstatus%5D=COMPLETED&page_size=1'
getotp GET "/v1/templates/$TEMPLATE"
getotp GET '/v1/senders?filter%5Bstatus%5D=Available'
getotp POST /v1/webhooks '{"data": {"url": "https://example.com/getotp", "secret": "a long random text", "name": "Deliveries", "event": "DELIVERY"}}'
getotp GET /v1/webhooks

echo
echo '# Several things wrong at once, and no key at all.'
getotp POST /api/verify/ '{"data": {"channel": "sms", "phone": "1", "code": "12ab", "code_length": 4}}'
YOUR_API_KEY='{YOUR_API_KEY}'
getotp POST /api/verify/ "{\"data\": {\"channel\": \"sms\", \"sender\": \"GetOTP\", \"phone\": \"$PHONE\", \"template\": \"$TEMPLATE\", \"code_length\": 4}}"

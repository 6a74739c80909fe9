#!/usr/bin/env bash
# The calls of Antryk's pages against a server of our own. Only address, keys, service, number and code are put in.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=demo/lib/server.sh
source demo/lib/server.sh
start_server "${1:-target/debug/countersign}"

# The UUID that the caller had elsewhere.
YOUR_SERVICE_ID=7d1f0c52-3a4b-4c5d-8e6f-0123456789ab
STRICT_SERVICE_ID=2f0c8e1a-6b5d-4e3f-9a7b-c0ffee123456
operate service create --name web --id "$YOUR_SERVICE_ID" >/dev/null
operate service create --name strict --id "$STRICT_SERVICE_ID" --set profile.wrong_code=error >/dev/null
key=$(operate key create --mode test --name demo)
YOUR_ACCESS_KEY=$(field access_key <<<"$key")
YOUR_SECRET_KEY=$(field secret <<<"$key")
TO=+919876543210

# antryk OPERATION BODY: as the vendor's pages write it.
antryk() {
  call --request POST \
    --url "$API/api/v1/sms/$1" \
    --header "Content-Type: application/json" \
    --header "x-access-key: $YOUR_ACCESS_KEY" \
    --header "x-secret-key: $YOUR_SECRET_KEY" \
    --data "$2"
}

# A code that is not the last one.
wrong() {
  if [[ $USER_OTP == 000000 ]]; then echo 111111; else echo 000000; fi
}

echo '# Send a code. The key is a sandbox key, so the reply shows it.'
antryk send-otp "{
    \"to\": \"$TO\",
    \"serviceId\": \"$YOUR_SERVICE_ID\"
  }"
USER_OTP=$(field otp <<<"$REPLY")

echo
echo '# While it lives, nothing more is sent.'
antryk send-otp "{\"to\": \"$TO\", \"serviceId\": \"$YOUR_SERVICE_ID\"}"

echo
echo '# A wrong code is a success that is not valid …'
antryk verify-otp "{
    \"to\": \"$TO\",
    \"serviceId\": \"$YOUR_SERVICE_ID\",
    \"otp\": \"$(wrong)\"
  }"

echo
echo '# … and the right one is verified,'
antryk verify-otp "{\"to\": \"$TO\", \"serviceId\": \"$YOUR_SERVICE_ID\", \"otp\": \"$USER_OTP\"}"

echo
echo '# once.'
antryk verify-otp "{\"to\": \"$TO\", \"serviceId\": \"$YOUR_SERVICE_ID\", \"otp\": \"$USER_OTP\"}"

echo
echo '# Older clients carry their keys in the body.'
call --request POST --url "$API/api/v1/sms/send-otp" --header "Content-Type: application/json" \
  --data "{\"accessKey\": \"$YOUR_ACCESS_KEY\", \"secretKey\": \"$YOUR_SECRET_KEY\", \"to\": \"$TO\", \"serviceId\": \"$STRICT_SERVICE_ID\"}"
USER_OTP=$(field otp <<<"$REPLY")

echo
echo '# A service may have it that a wrong code is an error.'
antryk verify-otp "{\"to\": \"$TO\", \"serviceId\": \"$STRICT_SERVICE_ID\", \"otp\": \"$(wrong)\"}"

echo
echo '# A plain message.'
antryk send "{\"to\": \"$TO\", \"serviceId\": \"$YOUR_SERVICE_ID\", \"body\": \"Your order is on its way.\"}"

echo
echo '# A service that is none of yours, and a key that is none.'
antryk send-otp "{\"to\": \"$TO\", \"serviceId\": \"YOUR_SERVICE_ID\"}"
YOUR_SECRET_KEY=YOUR_SECRET_KEY
antryk send-otp "{\"to\": \"$TO\", \"serviceId\": \"$YOUR_SERVICE_ID\"}"

#!/usr/bin/env bash
# keybrokerd as it stands on the host: where its secrets are not, whose its memory is, how it refuses.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

secret=broker-test-$$-secret
daemon=$build/keybrokerd
ctl() { "$build/keyctl" -n "$broker_name" "$@"; }
no_secret_in() { ! grep -qF "$secret" "$@"; }
refused() { # TEXT OPTION...: the broker does not start and says TEXT, without the secret.
    local text=$1 said
    shift
    said=$("$daemon" -n "$broker_name-bad" "$@" 2>&1 </dev/null) && { echo "it started"; return 1; }
    nothing_left "$broker_name-bad" && contains "$said" "$text" && lacks "$said" "$secret"
}

unset SUNO_API_KEY STABILITY_KEY
export SUNO_API_KEY=$secret-one,$secret-two
umask 000
# shellcheck disable=SC2119
start_broker
check "it has the keys of its environment" contains "$(ctl status)" "2 keys: 2 available"
check "the environment it shows has no secret" no_secret_in "/proc/$broker/environ"
check "nor has its command line" no_secret_in "/proc/$broker/cmdline"
check "nor its log" no_secret_in "$scratch/broker.log"
check "nor anything keyctl shows" lacks "$(ctl status; ctl status --json; ctl workers; "$build/keyctl" version)" "$secret"
check "the state is for owner and group" equal "$(stat -c %a "/dev/shm/$broker_name.state")" 660
check "the secrets are for the owner, the group may read" equal "$(stat -c %a "/dev/shm/$broker_name.secrets")" 640
check "it writes no core" equal "$(awk '/core file/ {print $5, $6}' "/proc/$broker/limits")" "0 0"
said=$("$daemon" -n "$broker_name" 2>&1 </dev/null)
check "a second one names the first" contains "$said" "process $broker"

kill -HUP "$broker"
check "a reload keeps the keys of the environment" exits 0 "$build/keyctl" -n "$broker_name" reload
check "they are still there" contains "$(ctl status)" "2 keys: 2 available"
kill -9 "$broker"
wait "$broker" 2>/dev/null
check "killed: claims go on" exits 0 "$build/keyctl" -n "$broker_name" exec suno --env KEY -- true
# shellcheck disable=SC2119
start_broker
check "the next one forgets nothing" contains "$(ctl status --json)" '"claims":1,"ok":1'
kill -TERM "$broker"
await 10 gone "$broker"
check "ended in order: nothing is left" nothing_left
check "and workers are told so" exits 3 "$build/keyctl" -n "$broker_name" status

unset SUNO_API_KEY
mkdir "$scratch/folder"
printf 'SUNO_API_KEY=a,%s\0b\n' "$secret" >"$scratch/nul"
printf '\nSUNO_API_KEY=%s%05000d\n' "$secret" 0 >"$scratch/long"
printf '{"pools":{"x":{"env":"X_KEY","colour":"%s"}}}' "$secret" >"$scratch/member.json"
printf '{"pools":' >"$scratch/cut.json"
check "no such env file" refused "$scratch/none" -e "$scratch/none"
check "a folder as env file" refused "$scratch/folder" -e "$scratch/folder"
check "a NUL byte in a key: file and line" refused "$scratch/nul:1" -e "$scratch/nul"
check "a key of 5,000 bytes: file and line" refused "$scratch/long:2" -e "$scratch/long"
check "an unknown member: file and line" refused "$scratch/member.json:1" -c "$scratch/member.json"
check "JSON cut off: file and line" refused "$scratch/cut.json:1" -c "$scratch/cut.json"
printf '{"services":{"x":{\n"base_url":"https://%s@host"}}}' "$secret" >"$scratch/url.json"
printf '{"pools":{"x":{"env":"X_KEY",\n"fallback":["%s"]}}}' "$secret" >"$scratch/fallback.json"
check "a base URL with a user name: file and line" refused "$scratch/url.json:2" -c "$scratch/url.json"
check "an unknown outcome: file and line" refused "$scratch/fallback.json:2" -c "$scratch/fallback.json"
check "a name with a slash is a usage error" exits 2 "$daemon" -n a/b
check "a name of 65 characters is a usage error" exits 2 "$daemon" -n "$(printf '%065d' 0)"

cat >"$scratch/services.json" <<'EOF'
{"services": {"acme": {"base_url": "http://api.acme.example/v1/", "key": {"header": "x-api-key"}},
              "local": {"base_url": "http://127.0.0.1:9", "key": {"query": "key"}},
              "lone": {}},
 "pools": {"a": {"env": "A_KEY", "service": "acme"}, "l": {"env": "A_KEY", "service": "local"}}}
EOF
said=$(A_KEY=$secret SUNO_API_KEY=$secret "$daemon" --check -c "$scratch/services.json" 2>"$scratch/check.log")
check "--check says where a built-in service's keys go" contains "$said" \
    'at https://api.sunoapi.org, key in header Authorization: Bearer KEY'
check "and a configured one's" contains "$said" 'at http://api.acme.example/v1, key in header x-api-key: KEY'
check "and a key's in the URL" contains "$said" 'at http://127.0.0.1:9, key in query parameter key'
check "without the secret" lacks "$said$(<"$scratch/check.log")" "$secret"
check "plain http to another host is warned of" contains "$(<"$scratch/check.log")" \
    "$scratch/services.json:1 msg=\"keys of this service go to another host unencrypted"
check "to this one it is not" lacks "$(<"$scratch/check.log")" "services.json:2"
check "a service no pool uses is warned of" contains "$(<"$scratch/check.log")" \
    "$scratch/services.json:3 msg=\"no pool uses this service"

printf 'SUNO_API_KEY=%s\n' "$secret" >"$scratch/good"
"$daemon" -n "$broker_name" -e "$scratch/good" >&- 2>"$scratch/closed.log" </dev/null &
closed=$!
check "it serves with stdout closed" await 10 exits 0 "$build/keyctl" -n "$broker_name" status
kill -TERM "$closed"
check "and ends" await 10 gone "$closed"

printf '{"services":{"suno":{"base_url":"https://one.example"}}}' >"$scratch/reload.json"
start_broker -e "$scratch/good" -c "$scratch/reload.json"
printf '{"services":{"suno":{\n"base_url":"%s"}}}' "$secret" >"$scratch/reload.json"
said=$(ctl reload 2>&1)
check "a reload with a bad base URL fails and says where" contains "$said" "$scratch/reload.json:2"
check "without its text" lacks "$said$(<"$scratch/broker.log")" "$secret"
check "the keys are kept" contains "$(ctl status)" "1 key: 1 available"
printf '{"services":{"suno":{"base_url":"https://two.example"}}}' >"$scratch/reload.json"
check "once it is mended it works" exits 0 "$build/keyctl" -n "$broker_name" reload

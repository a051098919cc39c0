#!/usr/bin/env bash
# keyctl.sh: keyctl's commands on a broker that lives, was killed, has ended, and on what is no segment
# of ours. The command line is keyctl_usage.sh's, exec keyctl_exec.sh's.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../kit/keyctl.sh
source "$root/tests/kit/keyctl.sh"

if command -v python3 >/dev/null; then
    is_json() { ctl --json "$@" | python3 -m json.tool >/dev/null; }
elif command -v jq >/dev/null; then
    is_json() { ctl --json "$@" | jq -e . >/dev/null; }
fi
shows_no_other_pool() { lacks "$(ctl status suno)" "$(fingerprint_of "$stability")"; }
name_from_environment() { KEYBROKER_NAME=$broker_name says 0 alive plain status; }
generation() { ctl status | sed -n 's/.*generation //p'; }
poke() { printf '%b' "$2" | dd of="$state" bs=1 seek="$1" conv=notrunc status=none; } # OFFSET BYTES

# ---- a living broker ----

start_broker -e "$scratch/env"
check "status shows the broker" says 0 "broker $broker_name  pid $broker alive  generation 1" ctl status
check "status shows the pools" says 0 "suno  4 keys: 4 available, 0 failed, next 0" ctl status
for secret in "${secrets[@]}" "$stability"; do
    check "status shows each fingerprint" says 0 "$(fingerprint_of "$secret")" ctl status
done
check "status of one pool shows no other" shows_no_other_pool
check "-n may follow" says 0 alive plain status -n "$broker_name" suno
check "-n may touch its value" says 0 alive plain "-n$broker_name" status
check "--name= is -n" says 0 alive plain status "--name=$broker_name"
check "-- ends the options" says 0 alive ctl -- status suno
check "the name may come from the environment" name_from_environment
for pool in nonsense '' suno2 SUNO "${secrets[0]}"; do
    check "an unknown pool" says 4 "suno, stability" ctl status "$pool"
done
if declare -F is_json >/dev/null; then
    for line in status 'status suno' reset 'disable suno 0' 'enable suno 0' workers reload; do
        read -ra words <<<"$line"
        check "$line --json is JSON" is_json "${words[@]}"
    done
else
    skip "--json is JSON" "neither python3 nor jq is here"
fi
check "status --json has the promised shape" says 0 '"pools":[{"name":"suno","total":4,"failed":0,"available":4,'"\
\"current_index\":0,\"keys\":[{\"index\":0,\"fingerprint\":\"$(fingerprint_of "${secrets[0]}")\","'"state":"available",'\
'"reason":"none","retry_in_ms":0,"claims":0,"ok":0,"failed":0,"last_status":0,"failed_at":null},' ctl status --json

# ---- KEY ----

prefix=$(fingerprint_of "${secrets[2]}")
check "disable by index" says 0 "is disabled" ctl disable suno 1
check "disable again" says 0 "is disabled already" ctl disable suno 1
check "status shows it" says 0 "3 available, 1 failed" ctl status suno
check "reset leaves it" says 0 "0 keys reset" ctl reset suno 1
check "enable by fingerprint" says 0 "key 1 " ctl enable suno "$(fingerprint_of "${secrets[1]}")"
check "enable again" says 0 "is enabled already" ctl enable suno 1
check "disable by the beginning of a fingerprint" says 0 "key 2 " ctl disable suno "${prefix:0:8}"
check "enable as JSON" says 0 "\"index\":2,\"fingerprint\":\"$prefix\",\"enabled\":true" ctl --json enable suno 2
check "an ambiguous fingerprint tells how many" says 4 "4 keys" ctl disable suno k
for key in 4 4096 99999999999999999999 kffffffffffff '' "${secrets[0]}"; do
    check "disable of no such key" says 4 "no such key" ctl disable suno "$key"
    check "enable of no such key" says 4 "no such key" ctl enable suno "$key"
    check "reset of no such key" says 4 "no such key" ctl reset suno "$key"
done
check "disable in no such pool" says 4 "suno, stability" ctl disable nonsense 0
check "reset of no such pool" says 4 "suno, stability" ctl reset nonsense
check "reset of all" says 0 "0 keys reset" ctl reset
check "purge refuses while the broker lives" says 1 "lives" ctl purge

# ---- reload ----

before=$(generation)
check "reload tells the new generation" says 0 "generation $((before + 1))" ctl reload
write_env "${secrets[@]}" sk-planted-FFFF6666
check "reload brings a new key" says 0 "\"generation\":$((before + 2))" ctl reload --json
check "the new key is there" says 0 "5 keys: 5 available" ctl status suno
printf 'SUNO_API_KEY=sk-planted-%05000d\n' 1 >"$scratch/env"
check "a refused reload tells where" says 1 "env:1" ctl reload
check "a refused reload keeps the old keys" says 0 "5 keys: 5 available" ctl status suno
write_env "${secrets[@]}"
check "a good reload is possible again" gives 0 ctl reload
check "a removed key's place holds no key" says 4 "no such key" ctl disable suno 4
kill -STOP "$broker"
check "reload gives up on a stopped broker" says 1 "has not answered" ctl reload
check "status beside a stopped broker" says 0 alive ctl status
kill -CONT "$broker"
check "reload when it goes on" gives 0 ctl reload

# ---- killed with -9 ----

kill_broker
check "status shows it dead" says 0 "pid $broker dead" ctl status
check "status shows it dead as JSON" says 0 "\"broker\":{\"pid\":$broker,\"alive\":false}" ctl status --json
check "disable without a broker" says 0 "is disabled" ctl disable suno 0
check "enable without a broker" says 0 "is enabled" ctl enable suno 0
check "reset without a broker" says 0 "0 keys reset" ctl reset
check "workers without a broker" says 0 "0 workers" ctl workers
check "reload needs a broker" says 1 "not running" ctl reload
ctl disable suno 3 >/dev/null
start_broker -e "$scratch/env"
check "the next broker goes on with what was there" says 0 "4 keys: 3 available, 1 failed" ctl status suno
kill_broker
check "purge removes what is left" says 0 "removed" ctl purge
check "purge leaves nothing" nothing_left
check "purge finds nothing more" says 3 "$broker_name" ctl purge

# ---- ended in order ----

start_broker -e "$scratch/env"
end_child "$broker"
check "status after the end" says 3 "$broker_name" ctl status
check "exec after the end" says 3 "$broker_name" ctl exec suno -- true

# ---- not ours, or not whole ----

start_broker -e "$scratch/env"
kill_broker
state=/dev/shm/$broker_name.state
stranger=(setpriv --reuid=65534 --regid=65534 --clear-groups "$scratch/keyctl")
if ((EUID == 0)) && cp "$build/keyctl" "$scratch" && chmod 755 "$scratch" && "${stranger[@]}" version &>/dev/null; then
    for line in status reset workers purge 'exec suno -- true'; do
        read -ra words <<<"$line"
        check "${words[0]} by a stranger" gives 1 "${stranger[@]}" -n "$broker_name" "${words[@]}"
    done
else
    skip "keyctl by a stranger" "needs root and setpriv"
fi
chmod o+rw "$state"
check "a segment open to the world" says 1 "not allowed" ctl status
chmod o-rw "$state"
poke 8 '\07'
check "another layout" says 1 "layout" ctl status
check "another layout for exec" says 1 "layout" ctl exec suno -- true
poke 8 '\02'
check "the right layout" gives 0 ctl status
poke 0 x
check "a damaged header" says 1 "damaged" ctl status
truncate -s 8192 "$state"
check "a truncated segment" says 1 "damaged" ctl status
check "purge removes it all the same" says 0 "removed" ctl purge
check "purge leaves nothing of it" nothing_left

check "no secret was shown" no_secret_was_shown 100

#!/usr/bin/env bash
# keyctl_probe.sh: each key tried with one cheap request, what that says of it, and what it does to it.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../kit/keyctl.sh
source "$root/tests/kit/keyctl.sh"
# shellcheck source-path=SCRIPTDIR source=../kit/calls.sh
source "$root/tests/kit/calls.sh"
suno=$(IFS=, && printf '%s' "${secrets[*]}")

keys=() names=(a b c d)
for i in 0 1 2 3; do keys+=(--key "${names[i]}=${secrets[i]}:good"); done
credit="path=/api/v1/generate/credit"
credits() { printf '{"code":200,"msg":"success","data":%s}' "$1"; }
# row INDEX TEXT...: what the last probe printed of this key has these texts in this order.
row() {
    local line rest
    line=$(grep -E "^ +$1 +$(fingerprint_of "${secrets[$1]}")" "$scratch/out")
    rest=$line
    for text in "${@:2}"; do
        [[ $rest = *" $text"* ]] || { printf "no '%s' in: %s\n" "$text" "$line"; return 1; }
        rest=${rest#*" $text"}
    done
}
told() { contains "$(<"$scratch/err")" "$1"; }
printed() { contains "$(<"$scratch/out")" "$1"; }

check "no broker" silent 3 ctl probe suno
start_service "${keys[@]}" --key e="$stability":good
check "no such pool" silent 4 ctl probe nobody
check "no such key" silent 4 ctl probe suno 4
check "nor by this beginning of a fingerprint" silent 4 ctl probe suno kffffffffffff
check "a timeout of 0 is no time" silent 2 ctl probe suno --timeout 0

answer "$credit&times=0" "$(credits 12.5)"
before=$(seen a)
check "all keys are good" gives 0 ctl probe suno
for i in 0 1 2 3; do
    check "key $i with its credits" row $i 200 ok 12.5 available
done
check "nothing more is said" equal "$(<"$scratch/err")" ''
check "each was asked once" equal "$(seen a)" $((before + 1))
check "one alone by its index" gives 0 ctl probe suno 1
check "is shown alone" equal "$(wc -l <"$scratch/out")" 2
check "and asked alone" equal "$(seen a)" $((before + 1))
check "one alone by its fingerprint" gives 0 ctl probe suno "$(fingerprint_of "${secrets[1]}")"
no_answers

"$build/keyctl" -n "$broker_name" disable suno 3 >/dev/null
answer "$credit&key=a" "$(credits 0)"
answer "$credit&key=b" "$(credits 1)"
set_state c echo
before=$(seen d)
check "one that is not good ends it with 1" gives 1 ctl probe suno
check "no credits left are told as quota" row 0 200 quota 0 failed
check "in words, too" told 'key 0: quota (no credits are left)'
check "and reported" says 0 '"state":"failed","reason":"quota"' ctl status suno --json
ctl status suno >"$scratch/out"
check "with the status seen" row 0 failed quota 200
answer "$credit&key=a" "$(credits -2)"
answer "$credit&key=b" '{"code":200,"msg":"success","data":null}'
ctl probe suno >/dev/null
check "less than none is no more" row 0 200 quota -2 failed
check "credits that are not told are not missed" row 1 200 ok - available
check "a key that is refused is told" row 2 401 auth - failed
check "with the rule" told 'key 2: auth (generic: status 401'
check "a disabled key is listed" row 3 - 'not probed' - disabled
check "and not asked" equal "$(seen d)" "$before"
answer "$credit&key=a" "$(credits 5)"
check "a good answer" gives 0 ctl probe suno 0
check "does not bring a failed key back" row 0 200 ok 5 failed
check "a disabled key alone cannot be told" gives 1 ctl probe suno 3
check "which is said" told 'no key was probed'
set_state c good
ctl reset suno >/dev/null

set_state a rate
set_state b suno-credits
set_state c error
check "other troubles end it with 1" gives 1 ctl probe suno
check "used too often" row 0 429 rate - cooling
check "spent, which the body says alone" row 1 200 quota - failed
check "upstream's own" row 2 500 transient - available
answer "$credit&key=c&status=0" ''
check "no answer" gives 1 ctl probe suno 2
check "is no status" row 2 - transient - available
answer "$credit&key=c&delay_ms=5000" "$(credits 1)"
check "none in time" gives 1 ctl probe suno 2 --timeout 100
check "is not waited for" row 2 - transient - available
no_answers
for name in a b c; do set_state $name good; done
ctl reset suno >/dev/null

answer "$credit&key=a" "$(credits 7)"
set_state b revoked
check "as JSON" gives 1 ctl probe suno --json
check "on one line" equal "$(wc -l <"$scratch/out")" 1
check "of a good key" printed "{\"index\":0,\"fingerprint\":\"$(fingerprint_of "${secrets[0]}")\",\"probed\":true,"\
'"status":200,"outcome":"ok","credits":7,"retry_after_ms":null,"why":"'
check "of a bad one" printed '"status":401,"outcome":"auth","credits":null,'
check "of one not probed" printed "{\"index\":3,\"fingerprint\":\"$(fingerprint_of "${secrets[3]}")\",\"probed\":false,"\
'"state":"disabled","reason":"operator","retry_in_ms":null}'
check "of their pool" printed "{\"name\":\"$broker_name\",\"pool\":\"suno\",\"service\":\"suno\",\"keys\":["
answer 'path=/v1/user/balance' '{"credits":0.63}'
check "another service has another request" gives 0 ctl probe stability
check "and tells credits elsewhere" says 0 0.63 cat "$scratch/out"
check "a service without one" silent 1 ctl probe plain
check "is told how to have one" told '"probe": {"url":'

kill_broker
answer "$credit&key=a" "$(credits 7)"
check "no living broker is needed" gives 0 ctl probe suno 0
check "no secret was shown" no_secret_was_shown 60

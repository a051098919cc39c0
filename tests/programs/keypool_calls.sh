#!/usr/bin/env bash
# keypool_calls.sh: jobs that are calls of a service, among jobs that are requests.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../kit/calls.sh
source "$root/tests/kit/calls.sh"
suno=sk-test-one,sk-test-two stability=sk-test-three
one=$(fingerprint_of sk-test-one) three=$(fingerprint_of sk-test-three)
jobs=$scratch/jobs results=$scratch/results errors=$scratch/errors

# run STATUS OPTION...: $jobs through keypool, which ends with this status.
run() {
    local status
    timeout 60 "$build/keypool" -n "$broker_name" "${@:2}" <"$jobs" >"$results" 2>"$errors"
    status=$?
    cat "$results" "$errors" >>"$scratch/said"
    equal "$status" "$1"
}
# result ID TEXT...: its one result holds these texts.
result() {
    local line text
    line=$(grep -F "{\"id\":\"$1\"," "$results")
    equal "$(printf '%s\n' "$line" | wc -l)" 1 || return 1
    for text in "${@:2}"; do
        contains "$line" "$text" || return 1
    done
}
without() { lacks "$(grep -F "{\"id\":\"$1\"," "$results")" "$2"; }
all_seen() { printf '%d\n' $(($(seen one) + $(seen two) + $(seen three))); }

start_service --key one=sk-test-one:good --key two=sk-test-two:good --key three=sk-test-three:good
generate=/api/v1/generate core=/v2beta/stable-image/generate/core
song() { printf '{"code":200,"msg":"success","data":{"taskId":"%s"}}' "$1"; }

answer "path=$generate&times=0" "$(song 5c79be8e)"
printf '%s\n' '{"id":"a","call":"suno.generate_music","title":"Rain","description":"slow","instrumental":true}' \
    '{"description":"fast","id":"b","call":"suno.generate_music"}' \
    '{"id":"c","url":"/api/v1/generate","json":{}}' \
    '{"id":"d","call":"suno.generate_custom_music","title":"t","style":"s","instrumental":true,"style-weight":0.65}' \
    >"$jobs"
check "calls and requests pass" run 0 -w 2 suno
for id in a b d; do
    check "call $id has findings" result $id '"status":200' '"attempts":1,"outcome":"ok"' '"findings":{"task":"k'
    check "and no body" without $id '"body'
done
check "the request has its body" result c '"outcome":"ok"' '"body":"'
check "a task's handle names the key" grep -q "\"fingerprint\":\"\(k[0-9a-f]*\)\".*\"task\":\"\1:5c79be8e\"" "$results"
check "nothing is said" equal "$(<"$errors")" ''

before=$(all_seen)
printf '%s\n' '{"id":"a","call":"suno.nonsense"}' '{"id":"b","call":"suno.generate_music"}' \
    '{"id":"c","call":"suno.generate_music","description":"x","nonsense":1}' \
    '{"id":"d","call":"suno.generate_music","description":"x","model":"V9"}' \
    '{"id":"e","call":"suno.generate_music","description":["x"]}' \
    '{"id":"f","call":"suno.generate_music","description":null}' \
    '{"id":"g","call":"suno.generate_music","description":"x","description":"y"}' \
    '{"id":"h","call":"suno.generate_music","description":"x","url":"/"}' \
    '{"id":"i","call":5}' '{"id":"j","call":"suno.generate_music","call":"suno.wait"}' \
    '{"id":"k","call":"suno.generate_music","description":"x\u0000y"}' \
    '{"id":"l","call":"suno.generate_music","description":"x","instrumental":1}' \
    '{"id":"m","c\u0061ll":"suno.generate_music","description":"x"}' >"$jobs"
check "calls that are none do not stop it" run 0 -w 2 suno
check "each has a result" equal "$(wc -l <"$results")" 13
for line in 'a no such call' 'b description: is missing' 'c nonsense: ' 'd model: is none of' \
    'e description is neither' 'f description is neither' 'g description: is given twice' 'h url: ' \
    'i call is no string' 'j call is given twice' 'k description holds a NUL' 'l instrumental: is neither' \
    'm unknown member'; do
    check "$line" result "${line%% *}" '"status":0,"fingerprint":null,"attempts":0,"outcome":"client"' '"error":"' \
        "${line#* }"
done
check "and none has left" equal "$(all_seen)" "$before"
no_answers

set_state two revoked
answer "path=$generate&key=one&times=0" "$(song x)"
for ((i = 1; i <= 8; i++)); do printf '{"id":"n%d","call":"suno.generate_music","description":"x"}\n' $i; done >"$jobs"
check "with a key refused calls pass" run 0 -w 4 suno
check "all on the other key" equal "$(grep -cF "\"task\":\"$one:x\"" "$results")" 8
check "some after two" grep -q '"attempts":2' "$results"
set_state two good
"$build/keyctl" -n "$broker_name" reset >/dev/null
no_answers

answer "path=$generate" '{"code":413,"msg":"theme too long","data":null}'
printf '{"id":"a","call":"suno.generate_music","description":"x"}\n' >"$jobs"
check "a call that fails is answered" run 0 suno
check "with what upstream said" result a '"outcome":"client"' '"rule":"suno' '"body":"{\"code\":413'

poll="path=$generate/record-info&key=one"
answer "$poll" '{"code":200,"msg":"success","data":{"status":"PENDING"}}'
answer "$poll" '{"code":200,"msg":"success","data":{"status":"SUCCESS","response":{"sunoData":[]}}}'
printf '{"id":"a","call":"suno.wait","task":"%s:t1","interval_ms":100}\n' "$one" >"$jobs"
check "a task can be waited for" run 0 suno
check "to its end" result a '"outcome":"ok"' '"state":"done"'

image=$scratch/a.png
answer "path=$core&type=image/png&header=seed:42&header=finish-reason:SUCCESS" PNGPNG
answer "path=$core" '{"image":"UE5HUE5H","seed":43,"finish_reason":"SUCCESS"}'
printf '%s\n' "{\"id\":\"a\",\"call\":\"stability.text_to_image\",\"prompt\":\"x\",\"seed\":42,\"out\":\"$image\"}" \
    '{"id":"b","call":"stability.text_to_image","prompt":"x"}' >"$jobs"
check "images are made" run 0 -w 1 stability
check "one in its file" result a "\"fingerprint\":\"$three\"" "\"findings\":{\"file\":\"$image\",\"seed\":42"
check "which holds it" equal "$(<"$image")" PNGPNG
check "one in the result" result b '"findings":{"bytes":6,"seed":43' '"body_base64":"UE5HUE5H"'
rm "$image"

# ---- a worker that is killed; times ----

answer "path=$core&type=image/png&size=100000&cut=50000&stall_ms=20000" PNG
head -n 1 "$jobs" >"$scratch/job" && jobs=$scratch/job
"$build/keypool" -n "$broker_name" -w 1 stability <"$jobs" >"$results" 2>"$errors" &
pool=$!
children+=("$pool")
part_grows() { [[ -s $(compgen -G "$image.part-*") ]]; }
check "an image is on its way, in its part" await 20 part_grows
kill -KILL "$(children_of "$pool")"
await 20 gone "$pool"
wait "$pool"
check "a killed worker does not stop it" equal $? 0
check "its job is ambiguous" result a '"attempts":null,"outcome":"transient"' '"ambiguous":true'
check "its part is removed, and no file there" fails compgen -G "$image*"
answer "path=$core&type=image/png&delay_ms=20000" PNG
check "--timeout is of calls, too" run 0 --timeout 1 stability
check "which end then" result a '"status":0' '"attempts":1,"outcome":"transient"' '"ambiguous":true'
"$build/keyctl" -n "$broker_name" disable stability 0 >/dev/null
check "-t is of calls, too" run 1 -t 0 stability
check "which are not started then" result a '"attempts":0,"outcome":"not_started"'
check "no secret was shown" fails grep -a sk-test "$scratch/said" "$results" "$errors"

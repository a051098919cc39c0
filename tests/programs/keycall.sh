#!/usr/bin/env bash
# keycall.sh: calls by hand: their help, what they print, their exit codes, and what an interrupt leaves.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../kit/calls.sh
source "$root/tests/kit/calls.sh"
unset KEYBROKER_NAME
suno=sk-test-one,sk-test-two stability=sk-test-three
one=$(fingerprint_of sk-test-one) two=$(fingerprint_of sk-test-two) three=$(fingerprint_of sk-test-three)
out=$scratch/out err=$scratch/err

# call ARG...: keycall on our broker; stdout in $out, stderr in $err, all of it kept in $scratch/said.
call() { plain -n "$broker_name" "$@"; }
plain() {
    local status
    timeout 60 "$build/keycall" "$@" >"$out" 2>"$err"
    status=$?
    cat "$out" "$err" >>"$scratch/said"
    return $status
}
# ends STATUS CMD...: with that status; silent STATUS CMD...: and nothing on stdout.
ends() {
    local want=$1 status
    shift
    "$@"
    status=$?
    ((status == want)) || { printf 'exit status %d, not %d: %s\n' "$status" "$want" "$(cat "$out" "$err")"; return 1; }
}
silent() { ends "$@" && equal "$(<"$out")" ''; }
printed() { contains "$(<"$out")" "$1"; }
told() { contains "$(<"$err")" "$1"; }
refused() { silent 2 plain "${@:2}" && told "$1"; }

# ---- help ----

check "alone it tells the calls" ends 0 plain
check "all of them" printed 'stability text_to_image_v1'
check "and its options" printed '--deadline SECONDS'
check "and its exit codes" printed '5 no key available'
check "-h does so too" ends 0 plain -h
check "a service alone tells its calls" ends 0 plain suno
check "its own" printed 'suno wait'
check "and no other's" lacks "$(<"$out")" stability
mapfile -t calls < <(plain -h && sed -n 's/^  \(suno\|stability\) \([a-z0-9_]*\) .*/\1 \2/p' "$out")
check "there are ten calls at least" test ${#calls[@]} -ge 10
for line in "${calls[@]}"; do
    read -ra words <<<"$line"
    check "$line -h tells its arguments" ends 0 plain "${words[@]}" -h
    check "with their types" printed '  --'
done
plain suno generate_custom_music -h
check "help tells what is needed" printed '--title text  (needed)'
check "and presets" printed '--model choice  (default: V4_5ALL)'
check "and choices" printed 'style_persona, voice_persona'
check "and limits by variant" printed '1 to 3000 characters; with model V4'
check "and steps" printed '0 to 1 in steps of 0.01'
check "help needs no arguments" ends 0 plain -h stability edit-image
check "--version" ends 0 plain --version

# ---- usage: nothing of it needs a broker ----

check "an unknown service" refused 'no such service' nonsense
check "an unknown call" refused 'no such call' suno nonsense
check "a call of another service" refused 'no such call' suno balance
check "an unknown argument" refused 'no such argument' suno generate_music --nonsense 1
check "an unknown option" refused 'no such option' --nonsense suno
check "an unknown letter" refused 'no such option' -x
check "a lone -" refused 'no such option' -
check "an argument before its call" refused 'no such option' --title x suno generate_music
check "a word too many" refused 'too many' suno get_account_info sk-test-one
check "an option without its value" refused 'wants a value' suno wait --task
check "a missing argument" refused 'description: is missing' suno generate_music --title x
check "an argument given twice" refused 'given twice' suno generate_music --title a --title=b
check "a choice that is none" refused 'model: is none of' suno generate_music --description x --model V9
check "a truth that is none" refused 'neither true nor false' suno generate_music --description x --instrumental=maybe
check "a number that is none" refused 'seed: is no' stability text_to_image --prompt x --out o --seed 1.5
check "a text too long" refused 'at most 500' suno generate_music --description "$(printf 'x%.0s' {1..501})"
check "no handle of a task" refused 'task: is no handle' suno wait --task "${suno%,*}"
check "an image without a file for it" refused 'out: is missing' stability text_to_image --prompt x
check "a file for it in no folder" refused 'out: its folder' stability text_to_image --prompt x --out "$scratch/no/x"
check "a file to send that is not there" refused 'image: cannot be read' stability edit_image \
    --operation erase --image "$scratch/none" --out "$scratch/x"
for time in '' x 1x -1 +1 86401 99999999999999999999; do
    check "a wait of '$time'" refused '-t wants' -t "$time" suno
    check "a timeout of '$time'" refused '--timeout wants' --timeout "$time" suno
done
check "a timeout of 0" refused '--timeout wants' --timeout 0 suno
check "a deadline of 0" refused '--deadline wants' --deadline=0 suno
check "a value for an option that has none" refused 'no such option' --json=1 suno
printf 'a\0b' >"$scratch/nul"
head -c 1048577 /dev/zero | tr '\0' x >"$scratch/long"
check "a text from no file" refused 'cannot take its file' suno generate_music --description @"$scratch/none"
check "a text from a folder" refused 'cannot take its file' suno generate_music --description @"$scratch"
check "a text with a NUL" refused 'NUL' suno generate_music --description @"$scratch/nul"
check "a text over 1 MiB" refused 'longer' suno generate_music --description @"$scratch/long"
check "a name no broker can have" silent 2 plain -n a/b suno get_account_info
check "no broker" silent 3 call suno get_account_info
check "is told" told 'no broker'
check "as JSON too" ends 3 call --json suno get_account_info
check "on one line" equal "$(wc -l <"$out")" 1

# ---- calls ----

start_service --key one=sk-test-one:good --key two=sk-test-two:good --key three=sk-test-three:good
check "no such pool" silent 4 call -p nobody suno get_account_info
check "no such key" silent 4 call suno get_account_info --key kffffffffffff

generate=/api/v1/generate
started='{"code":200,"msg":"success","data":{"taskId":"5c79be8e"}}'
answer "path=$generate&times=0" "$started"
check "a song is started" ends 0 call suno generate_music --title Rain --description 'a slow song'
check "and its handle printed, and no more" equal "$(<"$out")" "{\"task\":\"$one:5c79be8e\"}"
check "nothing is said" equal "$(<"$err")" ''
bytes_of() { last_request | sed 's/.*"body_bytes":\([0-9]*\).*/\1/'; }
length=$(bytes_of)
printf 'a slow song\n\n' >"$scratch/text"
same_length() { ends 0 call suno generate_music --title=Rain --description "$1" && equal "$(bytes_of)" "$length"; }
check "a text may come from a file" same_length @"$scratch/text"
check "or from stdin" same_length @- <"$scratch/text"
check "@@ is an @" same_length @@"slow song!"
check "--instrumental may stand alone, options behind the call" ends 0 call suno generate-music --instrumental \
    --description x --json -t 1
json=$(sed 's/"k[0-9a-f]\{12\}/"KEY/g; s/"rule":"[^"]*"/"rule":RULE/' "$out")
check "--json tells all" equal "$json" '{"outcome":"ok","status":200,"fingerprint":"KEY","attempts":1,'\
'"retry_after_ms":null,"ambiguous":false,"rule":RULE,"findings":{"task":"KEY:5c79be8e"},"error":null}'

set_state one revoked
no_answers
answer "path=$generate&key=two&times=0" "$started"
: >"$scratch/both"
for turn in first second; do
    check "with a key refused the $turn call is fine" ends 0 call --json suno generate_music --description x
    cat "$out" >>"$scratch/both"
done
check "one of them has tried two keys" equal "$(grep -c '"attempts":2' "$scratch/both")" 1
check "none has tried the other first" equal "$(grep -c "\"fingerprint\":\"$two\"" "$scratch/both")" 2
no_answers
set_state one echo
set_state two echo
check "when all are refused it fails" silent 1 call -t 0 suno generate_music --description x
check "and says why" told 'auth: HTTP 401, key k'
check "and what upstream said, without the key" told 'Incorrect API key provided: [redacted]'
set_state one good
set_state two good
"$build/keyctl" -n "$broker_name" reset >/dev/null
answer "path=$generate" '{"code":413,"msg":"theme too long \u001b[31m","data":null}'
check "the caller's fault is no reason for another key" silent 1 call suno generate_music --description x
check "and told as such" told 'client: HTTP 200'
check "with no control character" lacks "$(<"$err")" $'\e'
answer "path=$generate&status=200&cut=5" "$started"
check "an answer that breaks off fails" ends 1 call suno generate_music --description x --json
check "as ambiguous" printed '"outcome":"transient"'
check "once" printed '"attempts":1'
check "and says so" printed '"ambiguous":true'
for key in 0 1; do "$build/keyctl" -n "$broker_name" disable suno $key >/dev/null; done
check "no key available" silent 5 call -t 0 suno get_account_info
check "a disabled key asked for" silent 4 call suno get_account_info --key "$one"
for key in 0 1; do "$build/keyctl" -n "$broker_name" enable suno $key >/dev/null; done
answer "path=$generate/credit&key=two" '{"code":200,"msg":"success","data":7}'
check "a key can be asked for" ends 0 call suno get_account_info --key "$two"
check "and its credits are told" equal "$(<"$out")" "{\"key\":\"$two\",\"credits\":7}"

# ---- waiting ----

poll="path=$generate/record-info&key=two"
state() { printf '{"code":200,"msg":"success","data":{"taskId":"5c79be8e","status":"%s","response":%s}}' "$1" "$2"; }
answer "$poll&times=2" "$(state PENDING null)"
answer "$poll" "$(state SUCCESS '{"sunoData":[{"id":"s1","audioUrl":"https://example.com/1.mp3","duration":3.5}]}')"
before=$(seen one)
check "a task is waited for" ends 0 call suno wait --task "$two:5c79be8e" --interval-ms 100
check "its songs are printed" printed '"audio_url":"https://example.com/1.mp3"'
check "progress is told for each poll" equal "$(<"$err")" \
    $'keycall: running PENDING\nkeycall: running PENDING\nkeycall: done SUCCESS'
check "by the key that started it alone" equal "$(seen one)" "$before"
answer "$poll&times=0" "$(state PENDING null)"
check "a deadline ends it" ends 1 call suno wait --task "$two:5c79be8e" --interval_ms 100 --deadline 1
check "with what is known" printed '"status":"PENDING"'
check "and the reason" told 'has not come to its end'
check "a task of no key of the pool" silent 4 call suno wait --task "$three:5c79be8e"
no_answers

# ---- images ----

core=/v2beta/stable-image/generate/core image=$scratch/a.png
answer "path=$core&type=image/png&header=seed:42&header=finish-reason:SUCCESS" PNGPNGPNG
check "an image is made" ends 0 call stability text_to_image --prompt 'a lighthouse' --out "$image"
check "its file holds it" equal "$(<"$image")" PNGPNGPNG
check "its making is printed" equal "$(<"$out")" \
    "{\"file\":\"$image\",\"seed\":42,\"finish_reason\":\"SUCCESS\",\"filtered\":false}"
answer "path=$core&type=image/png&header=seed:1&header=finish-reason:CONTENT_FILTERED" BLUR
check "a filtered one is a success" ends 0 call stability text_to_image --prompt x --out "$image"
check "with a flag" printed '"filtered":true'
answer "path=$core&status=403" '{"id":"1","name":"content_moderation","errors":["flagged"]}'
rm -f "$image"
check "a moderated one is not" silent 1 call stability text_to_image --prompt x --out "$image"
check "nor the key's fault" told 'client: HTTP 403'
answer "path=$core&type=image/png&cut=4" PNGPNGPNG
check "one that breaks off fails" silent 1 call stability text_to_image --prompt x --out "$image"
check "and may have been billed" told 'billed'
check "no file is left of either" fails compgen -G "$image*"

results=/v2beta/results/5c79be8e
answer "path=$results&key=three&status=202" '{"id":"5c79be8e","status":"in-progress"}'
answer "path=$results&key=three" '{"image":"UE5HUE5H","seed":43,"finish_reason":"SUCCESS"}'
check "an image made in the background is waited for" ends 0 call stability wait --task "$three:5c79be8e" \
    --interval-ms 100 --out "$image"
check "its file holds it" equal "$(<"$image")" PNGPNG
check "progress is told" told 'keycall: running'
rm -f "$image"

# ---- interrupts ----

# launch: an image whose answer stalls in its body, in the background, SIGINT not ignored as shells do there.
launch() {
    answer "path=$core&type=image/png&size=100000&cut=50000&stall_ms=20000" PNG
    env --default-signal=INT "$build/keycall" -n "$broker_name" stability text_to_image --prompt x --out "$image" \
        >"$out" 2>"$err" &
    pid=$!
    children+=("$pid")
}
part_grows() { [[ -s $(compgen -G "$image.part-*") ]]; }
# no_process: no keycall on our broker is left.
no_process() {
    local file words
    for file in /proc/[0-9]*/cmdline; do
        { mapfile -d '' words <"$file"; } 2>/dev/null
        [[ "${words[*]}" = "$build/keycall -n $broker_name "* ]] && return 1
    done
    return 0
}
for line in 'INT 130' 'TERM 143' 'HUP 129'; do
    read -r signal status <<<"$line"
    launch
    check "an image is on its way, in its part" await 20 part_grows
    kill -s "$signal" "$pid"
    await 10 gone "$pid"
    wait "$pid"
    check "SIG$signal ends it with $status" equal $? "$status"
    check "and tells what may have happened" told 'may have been carried out, and billed'
    check "its part is gone, and no file there" fails compgen -G "$image*"
    check "no process is left" no_process
done
launch
check "an image is on its way, in its part" await 20 part_grows
{ kill -KILL "$pid" && wait "$pid"; } 2>/dev/null # bash would tell of its end
check "the process that makes the call does not outlive the other" await 10 no_process
no_answers

# ---- standard output, secrets ----

full() { timeout 60 "$build/keycall" -n "$broker_name" "$@" >/dev/full 2>"$err"; }
answer "path=$generate/credit&times=0" '{"code":200,"msg":"success","data":7}'
check "findings that cannot be written are a failure" ends 1 full suno get_account_info
check "and told" told 'cannot write'
check "help that cannot be written is one" ends 1 full suno -h
if ((EUID == 0)) && command -v setpriv >/dev/null; then
    cp "$build/keycall" "$scratch/keycall"
    chmod 755 "$scratch" "$scratch/keycall"
    mkfifo -m 644 "$scratch/fifo"
    setpriv --reuid=65534 --regid=65534 --clear-groups "$scratch/keycall" suno generate_music \
        --description @"$scratch/fifo" 2>/dev/null &
    pid=$!
    children+=("$pid")
    is_waiting() { [[ $(readlink "/proc/$pid/exe") = "$scratch/keycall" && $(<"/proc/$pid/wchan") = *fifo* ]]; }
    await 5 is_waiting || sleep 0.5
    check "nobody can look into it" equal "$(stat -c %u "/proc/$pid/environ")" 0
    kill "$pid"
else
    skip "nobody can look into it" "needs root and setpriv"
fi
check "much was said" test "$(wc -l <"$scratch/said")" -gt 200
check "and no secret" fails grep -a sk-test "$scratch/said"
end_child "$broker"
check "nothing is left behind" nothing_left

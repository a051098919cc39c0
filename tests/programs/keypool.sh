#!/usr/bin/env bash
# keypool: jobs in, exactly one result each out, whatever happens to keys, workers, pipes and itself.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
jobs=$scratch/jobs results=$scratch/results errors=$scratch/errors
keypool=("$build/keypool" -n "$broker_name")

# make_jobs COUNT [MEMBERS]: $jobs with ids j1..jCOUNT.
make_jobs() {
    local i
    for ((i = 1; i <= $1; i++)); do
        printf '{"id":"j%d","url":"http://127.0.0.1:%d/v1"%s}\n' "$i" "$port" "${2:+,$2}"
    done >"$jobs"
}
# run EXPECTED-STATUS OPTION...: $jobs through keypool.
run() { through "$jobs" "$results" "$@"; }
# through INPUT OUTPUT EXPECTED-STATUS OPTION...
through() {
    local status
    timeout 60 "${keypool[@]}" "${@:4}" <"$1" >"$2" 2>"$errors"
    status=$?
    equal "$status" "$3"
}
# launch OPTION...: the same in the background, SIGINT not ignored as shells do there; its pid is $pool.
launch() {
    env --default-signal=INT "${keypool[@]}" "$@" <"$jobs" >"$results" 2>"$errors" &
    pool=$!
    children+=("$pool")
}
# await_end: sets $status to that of the launched keypool, 30 s later at most.
await_end() {
    await 30 gone "$pool" || kill -KILL "$pool"
    wait "$pool"
    status=$?
}
# count TEXT: results that hold it.
count() { grep -cF -- "$1" "$results"; }
counts() { equal "$(count "$1")" "$2"; }
unique_ids() { grep -o '^{"id":[^,]*' "$results" | sort -u | wc -l; }
one_each() { equal "$(wc -l <"$results")/$(unique_ids)" "$1/$1"; }
seen() { stat_of "$1" seen; }
has_seen() { (($(seen "$1") >= $2)); }
no_secret() { ! grep -F sk-test "$results" "$errors"; }
# workers PID: the processes it has forked.
workers() {
    local stat fields
    for stat in /proc/[0-9]*/stat; do
        { read -r fields <"$stat"; } 2>/dev/null || continue
        fields=${fields##*) }
        [[ ${fields#* } = "$1 "* ]] && stat=${stat#/proc/} && printf '%s\n' "${stat%/stat}"
    done
}
all_gone() {
    local pid
    for pid in "$@"; do
        gone "$pid" || return 1
    done
}
set_state() { http POST "$port" "/admin/key/$1?state=$2" >/dev/null; }

start_upstream --key one=sk-test-one:good --key two=sk-test-two:good --key three=sk-test-three:good \
    --key four=sk-test-four:good --key solo=sk-test-solo:slow
printf 'SUNO_API_KEY=sk-test-one,sk-test-two,sk-test-three,sk-test-four\nSTABILITY_KEY=sk-test-solo\n' >"$scratch/env"

make_jobs 1
check "with no broker it exits 3" run 3 suno
start_broker -e "$scratch/env"
check "with no such pool it exits 4" run 4 nobody
check "and says which" contains "$(<"$errors")" nobody
check "without a pool it exits 2" run 2
check "with a name no broker can have it exits 2" run 2 -n a/b suno
check "with no worker it exits 2" run 2 -w 0 suno
check "with a wait that is no number it exits 2" run 2 -t soon suno
: >"$jobs"
check "no jobs are no results" run 0 suno
check "nor messages" equal "$(cat "$results" "$errors")" ''

make_jobs 200 '"json":{"prompt":"hello"}'
check "200 jobs pass through 8 workers" run 0 -w 8 suno
check "each has one result" one_each 200
check "each is ok" counts '"outcome":"ok"' 200
for key in one two three four; do
    check "key $key has had a quarter" equal "$(seen $key)" 50
done
stats=$(http GET "$port" /admin/stats)
connections=${stats#*\"connections\":}
check "connections are kept alive" test "${connections%%,*}" -le 20
check "nothing is said" equal "$(<"$errors")" ''

set_state two revoked
make_jobs 40
check "with a key revoked jobs pass" run 0 -w 4 suno
check "each is ok on another key" counts '"outcome":"ok"' 40
check "the one that met the revoked key tried two" test "$(count '"attempts":2')" -ge 1
check "a key revoked is not asked for every job" test "$(seen two)" -le 54
set_state two good
"$build/keyctl" -n "$broker_name" reset suno >/dev/null

printf '%s\n' 'no json' '' '{"id":1}' '{"id":2,"url":"ftp://127.0.0.1/"}' '[]' \
    '{"id":3,"url":"http://127.0.0.1/","key":1}' '{"id":4,"url":"http://127.0.0.1/","headers":{"X":"a\r\nb"}}' \
    '{"id":5,"url":"http://127.0.0.1/","headers":{"authorization":"Bearer x"}}' \
    '{"id":6,"url":"http://127.0.0.1/","json":1,"body":"x"}' >"$jobs"
head -c 17000000 /dev/zero | tr '\0' x >>"$jobs"
printf '\n{"url":"http://127.0.0.1:%d/"}' "$port" >>"$jobs"
check "malformed lines do not stop it" run 0 -w 2 suno
check "each has one result" equal "$(wc -l <"$results")" 10
check "of outcome client" counts '"attempts":0,"outcome":"client","ms":' 9
check "with the reason" counts '"error":"' 9
check "a line that cannot be read has no id" counts '{"id":null,"line":1,' 1
check "a line over 16 MiB is told so" counts '{"id":null,"line":10,"status":0,"fingerprint":null,"attempts":0,"outcome":"client"' 1
check "the good line among them is ok, its number its id" counts '{"id":11,"line":11,"status":200,' 1

make_jobs 1 "\"out\":\"$scratch/out\""
check "an answer can go to a file" run 0 suno
check "which holds it" contains "$(<"$scratch/out")" '"msg":"success"'
check "and is named in the result" contains "$(<"$results")" "\"out\":\"$scratch/out\""

printf '{"url":"https://127.0.0.1/","method":"get"}\n{"url":"http://127.0.0.1/","out":"%s/"}\n' \
    "$scratch" >"$jobs"
check "jobs that ask for what cannot be are answered" run 0 stability
check "as the caller's" counts '"attempts":0,"outcome":"client"' 2
check "with the reason" contains "$(<"$results")" '"error":"method is none of'

for key in one two three four; do
    set_state $key echo
done
make_jobs 1
check "when all keys are refused the job is answered" run 0 -t 0 suno
check "with the last refusal" contains "$(<"$results")" '"status":401,'
check "after all four keys" contains "$(<"$results")" '"attempts":4,"outcome":"auth"'
check "and what decided it" contains "$(<"$results")" '"rule":"'
check "the secret echoed is redacted" contains "$(<"$results")" '[redacted]'
check "and appears nowhere" no_secret
for key in one two three four; do
    set_state $key rate
done
"$build/keyctl" -n "$broker_name" reset suno >/dev/null
check "a job that meets the limit of every key is answered" run 0 -t 0 suno
check "as such" contains "$(<"$results")" '"status":429,'
for key in 0 1 2 3; do
    "$build/keyctl" -n "$broker_name" disable suno $key >/dev/null
done
check "a job that finds no key ends it with 1" run 1 -t 0 suno
check "and is told not started" contains "$(<"$results")" '"attempts":0,"outcome":"not_started"'
for key in 0 1 2 3; do
    "$build/keyctl" -n "$broker_name" enable suno $key >/dev/null
done
for key in one two three four; do
    set_state $key drop
done
"$build/keyctl" -n "$broker_name" reset suno >/dev/null
check "an answer that breaks off is answered" run 0 suno
check "as ambiguous, on one key only" contains "$(<"$results")" '"attempts":1,"outcome":"transient"'
check "and said to be" contains "$(<"$results")" '"ambiguous":true'
for key in one two three four; do
    set_state $key good
done

before=$(seen solo)
make_jobs 4
launch -w 2 stability
check "two jobs are in flight" await 20 has_seen solo $((before + 2))
mapfile -t pids < <(workers "$pool")
check "two workers have them" equal ${#pids[@]} 2
kill -KILL "${pids[0]}"
await_end
check "a worker killed in mid-flight does not stop it" equal "$status" 0
check "each job has one result" one_each 4
check "the job the worker held is ambiguous" counts '"outcome":"transient","ms":' 1
check "and said to be its worker's" counts '"ambiguous":true,"error":"the worker died"' 1
check "its attempts are not known" counts '"attempts":null' 1
check "all others are ok" counts '"outcome":"ok"' 3
check "and none was sent twice" equal "$(seen solo)" $((before + 4))

before=$(seen solo)
make_jobs 2
launch -w 1 -t 0 --timeout 5 stability # one key: a deadline of 5 s and 20 s of slack
check "one job is in flight" await 20 has_seen solo $((before + 1))
mapfile -t pids < <(workers "$pool")
kill -STOP "${pids[0]}"
await 50 gone "$pool"
await_end
check "a worker that is stopped does not stop it" equal "$status" 0
check "its job is ambiguous" counts '"ambiguous":true,"error":"the worker hung and was killed"' 1
check "the other is ok on a new worker" counts '"outcome":"ok"' 1
check "the stopped worker is gone" all_gone "${pids[@]}"

before=$(seen solo)
make_jobs 1 "\"out\":\"$scratch/lost\""
launch -w 1 stability
check "a job with a file is in flight" await 20 has_seen solo $((before + 1))
mapfile -t pids < <(workers "$pool")
check "its part is there" test -e "$scratch/lost.part-${pids[0]}-0"
kill -KILL "${pids[0]}"
await_end
check "its worker killed, its part is removed" fails compgen -G "$scratch/lost*"

before=$(seen solo)
make_jobs 5
launch -w 1 stability
check "one job is in flight" await 20 has_seen solo $((before + 1))
kill -INT "$pool"
await_end
check "Ctrl-C ends it with 130" equal "$status" 130
check "each job read has one result" one_each 5
check "the one in flight was finished" counts '"id":"j1","line":1,"status":200' 1
check "the others are told not started" counts '"outcome":"not_started"' 4
check "and were not" equal "$(seen solo)" $((before + 1))

before=$(seen solo)
make_jobs 4000 # more than one read takes, and a last line without its newline
printf '{"id":"last","url":"http://127.0.0.1:%d/"}' "$port" >>"$jobs"
launch -w 1 stability
check "one job of a long file is in flight" await 20 has_seen solo $((before + 1))
kill -INT "$pool"
await_end
check "Ctrl-C ends it with 130" equal "$status" 130
check "each job of the file has one result" one_each 4001
check "all but the one in flight were not started" counts '"outcome":"not_started"' 4000
check "the count of lines is told" contains "$(<"$errors")" 'lines read: 4001'

before=$(seen solo)
mkfifo "$scratch/pipe"
file=$jobs jobs=$scratch/pipe
launch -w 1 stability
exec {feed}>"$scratch/pipe"
printf '{"id":"p1","url":"http://127.0.0.1:%d/"}\n' "$port" >&"$feed"
check "one job of a pipe is in flight" await 20 has_seen solo $((before + 1))
printf '{"id":"p%d","url":"http://127.0.0.1:1/"}\n' 2 3 >&"$feed"
printf '{"id":"p4","url":' >&"$feed"
kill -INT "$pool"
await_end # though the pipe stays open
exec {feed}>&-
jobs=$file
check "Ctrl-C ends it with 130" equal "$status" 130
check "each line in the pipe has one result" equal "$(wc -l <"$results")" 4
check "the half one too" counts '"outcome":"not_started"' 3
check "the count of lines is told" contains "$(<"$errors")" 'lines read: 4'

before=$(seen solo)
make_jobs 5
launch -w 1 stability
check "one job is in flight" await 20 has_seen solo $((before + 1))
mapfile -t pids < <(workers "$pool")
kill -TERM "$pool"
check "SIGTERM is taken" await 10 grep -q 'second signal' "$errors"
kill -TERM "$pool"
await_end
check "the second one ends it with 143" equal "$status" 143
check "each job read has one result" one_each 5
check "the one in flight is ambiguous" counts '"ambiguous":true' 1
check "no worker is left" all_gone "${pids[@]}"

before=$(seen solo)
launch -w 2 stability
check "jobs are in flight" await 20 has_seen solo $((before + 2))
mapfile -t pids < <(workers "$pool")
kill -KILL "$pool"
wait "$pool" 2>/dev/null # bash would tell of its end
check "workers end with a master that is killed" await 10 all_gone "${pids[@]}"

make_jobs 1000 # their results are more than a pipe holds
"${keypool[@]}" -w 2 suno <"$jobs" 2>"$errors" | head -n 1 >"$results"
status=${PIPESTATUS[0]}
check "a reader that leaves ends it with 1" equal "$status" 1
check "and is told" contains "$(<"$errors")" 'Broken pipe'
check "the one result read is whole" contains "$(<"$results")" '"}'
check "a full device ends it with 1" through "$jobs" /dev/full 1 suno
check "and is told" contains "$(<"$errors")" 'No space left'
check "a directory for input ends it with 1" through "$scratch" "$results" 1 suno
check "and is told" contains "$(<"$errors")" 'cannot read the jobs'
closed() {
    "${keypool[@]}" suno <"$jobs" >&- 2>"$errors"
    equal $? 1
}
check "closed standard output ends it with 1" closed

mkfifo "$scratch/feed"
jobs=$scratch/feed
launch -w 1 -t 0 suno
exec {feed}>"$scratch/feed"
printf '{"url":"http://127.0.0.1:%d/"}\n' "$port" >&"$feed"
check "a job is answered as soon as it is there" await 10 grep -q '"line":1,"status":200' "$results"
end_child "$broker"
printf '{"url":"http://127.0.0.1:%d/"}\n' "$port" >&"$feed"
exec {feed}>&-
await_end
check "when the broker has ended it exits 1" equal "$status" 1
check "and the job is told not started" counts '"line":2,"status":0,"fingerprint":null,"attempts":0,"outcome":"not_started"' 1
check "nothing is left behind" nothing_left

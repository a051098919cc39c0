#!/usr/bin/env bash
# keyctl_exec.sh: keyctl exec: the key CMD gets, how CMD ends, what reaches it, and what stays secret.
# shellcheck disable=SC2016 # '$VARIABLE' is for the shells that exec starts
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../kit/keyctl.sh
source "$root/tests/kit/keyctl.sh"

# The digits of the fingerprint of the key CMD got.
show_hash='printf %s "$SUNO_API_KEY" | sha256sum | cut -c1-12'

four_execs_get_each_key_once() {
    local hashes secret
    hashes=$(for _ in 1 2 3 4; do ctl exec suno -- sh -c "$show_hash"; done)
    for secret in "${secrets[@]}"; do
        equal "$(grep -cFx "$(fingerprint_of "$secret" | cut -c2-)" <<<"$hashes")" 1 || return
    done
}
counts() { ctl status suno | awk '$2 ~ /^k[0-9a-f]/ {c += $6; o += $7; f += $8} END {print c, o, f}'; }
counted() { # CLAIMS OK since $before
    local claims ok failed
    read -r claims ok failed <<<"$before"
    equal "$(counts)" "$((claims + $1)) $((ok + $2)) $failed"
}
replaces_variable() { MY_KEY=old gives 0 ctl exec suno --env MY_KEY -- sh -c 'test "$MY_KEY" != old'; }
takes_stdin() { equal "$(echo hello | ctl exec suno -- cat)" hello; }
# CMD tells that it has begun and ends with 7 on the signal, or with 99 after 20 s.
passes_on() (
    set -m # else bash has background jobs ignore SIGINT and SIGQUIT
    rm -f "$scratch/begun"
    "$build/keyctl" -n "$broker_name" exec suno -- bash -c '
        trap "exit 7" "$1"
        : >"$0"
        for ((i = 0; i < 400; i++)); do sleep 0.05; done
        exit 99' "$scratch/begun" "$1" &
    await 10 test -e "$scratch/begun" && kill -s "$1" $!
    wait $!
    equal $? 7
)
keeps_ignoring() (
    trap '' HUP
    gives 0 ctl exec suno -- sh -c 'kill -HUP $$; true'
)
for_each_key() { # COMMAND
    local key
    for key in 0 1 2 3; do ctl "$1" suno $key >/dev/null; done
}

start_broker -e "$scratch/env"
check "each exec gets the next key" four_execs_get_each_key_once
check "--env names the variable, and the pool's own is not set" gives 0 ctl exec suno --env MY_KEY -- \
    sh -c 'case $MY_KEY in sk-planted-*) test -z "${SUNO_API_KEY+set}" ;; *) false ;; esac'
check "the variable replaces one of that name" replaces_variable
check "another pool has a variable of its own" gives 0 ctl exec stability -- sh -c 'test -n "$STABILITY_KEY"'
check "CMD keeps its options" says 0 "[-n][--json][--][-h]" ctl exec suno -- printf '[%s]' -n --json -- -h
check "CMD has keyctl's stdin" takes_stdin

before=$(counts)
for status in 0 1 3 5 125 255; do
    check "exec ends with CMD's $status" gives $status ctl exec suno -- sh -c "exit $status"
done
check "exec ends with 128 + SIGTERM" gives 143 ctl exec suno -- sh -c 'kill -TERM $$'
check "exec ends with 128 + SIGKILL" gives 137 ctl exec suno -- sh -c 'kill -KILL $$'
check "exec knows CMD's status with SIGCHLD ignored" exits 3 env --ignore-signal=CHLD \
    "$build/keyctl" -n "$broker_name" exec suno -- sh -c 'exit 3'
check "CMD ignores what keyctl ignored" keeps_ignoring
check "a status of 0 counts as a good call, others as none" counted 10 2
check "no status fails a key" says 0 "4 available, 0 failed" ctl status suno

before=$(counts)
: >"$scratch/plain-file"
check "a CMD that is not there" says 127 "cannot run" ctl exec suno -- "$scratch/nowhere"
check "a CMD that cannot be run" says 126 "cannot run" ctl exec suno -- "$scratch/plain-file"
check "a folder as CMD" says 126 "cannot run" ctl exec suno -- "$scratch"
check "what did not run is claimed and given back" counted 3 0
check "an unknown pool" says 4 "suno, stability" ctl exec nonsense -- true
check "exec leaves no worker behind" says 0 "0 workers" ctl workers

for signal in TERM INT HUP QUIT USR1 USR2; do
    check "SIG$signal is passed on" passes_on $signal
done

# While CMD runs, keyctl itself has the secret no more.
"$build/keyctl" -n "$broker_name" exec suno -- sh -c ': >"$0"; exec sleep 20' "$scratch/running" &
holder=$!
children+=("$holder")
await 10 test -e "$scratch/running"
holds_none() { ! grep -aq sk-planted "$@"; }
dump_memory() { # its heap and stack
    local range start end
    while read -r range _; do
        start=$((16#${range%-*})) end=$((16#${range#*-}))
        dd if="/proc/$holder/mem" bs=4096 skip=$((start / 4096)) count=$(((end - start) / 4096)) status=none || return
    done < <(grep -E '\[(heap|stack)\]' "/proc/$holder/maps")
}
check "workers shows who uses the broker" says 0 "$holder  alive" ctl workers
check "workers shows it as JSON" says 0 "\"pid\":$holder,\"state\":\"alive\"" ctl workers --json
check "the secret is in no argument of keyctl" holds_none "/proc/$holder/cmdline"
check "the secret is not in keyctl's environment" holds_none "/proc/$holder/environ"
if dump_memory >"$scratch/memory" 2>/dev/null && grep -aq "$broker_name" "$scratch/memory"; then
    check "the secret is not in keyctl's memory" holds_none "$scratch/memory"
else
    skip "the secret is not in keyctl's memory" "that memory cannot be read"
fi
rm -f "$scratch/memory"
kill -TERM "$holder"
wait "$holder"
check "it ends with CMD" equal $? 143

for_each_key disable
check "no key available" says 5 "none is due" ctl exec suno --timeout 0 -- true
check "no key available in time" says 5 "no key available" ctl exec suno --timeout 50 -- true
for_each_key enable
check "keys available again" gives 0 ctl exec suno --timeout 0 -- true

kill -STOP "$broker"
check "exec beside a broker that is stopped" gives 0 ctl exec suno -- true
kill -CONT "$broker"
kill_broker
check "exec beside a broker that was killed" four_execs_get_each_key_once
check "exec gives back its slot itself" says 0 "0 workers" ctl workers
check "no secret was shown" no_secret_was_shown 50

#!/usr/bin/env bash
# scripts/start.sh: finds the keys, runs COMMAND under a broker, passes signals and statuses on, ends it all.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export BUILD=$build
unset SUNO_API_KEY STABILITY_KEY KEYBROKER_NAME
start=("$root/scripts/start.sh" --no-install)
site=$scratch/site # where a service would be: not the checkout
mkdir -p "$site/server" "$site/python-server"
cd "$site" || exit 1
make_quietly all || exit 1

# run CMD...: sets $said to what it printed on both channels and $status.
run() {
    said=$(timeout 60 "$@" 2>&1)
    status=$?
}

# begin -- COMMAND...: start.sh in the background; $pid is start.sh. Returns once COMMAND has said "up" (or start.sh
# that the broker is ready). SIGINT is as at a terminal: what a shell starts with & would ignore it.
begin() {
    : >"$scratch/out"
    : >"$scratch/err"
    env --default-signal=INT "${start[@]}" -n "$broker_name" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null &
    pid=$!
    children+=("$pid")
    await 10 is_up
}
is_up() { [[ -s $scratch/out || $(<"$scratch/err") = *'is ready (pid'* ]]; }

# end_of PID: waits for it to end by itself, at most 10 s; returns its exit status.
end_of() {
    if await 10 gone "$1"; then
        wait "$1"
    else
        end_child "$1"
        return 1
    fi
}

status_shows() { [[ $("$build/keyctl" -n "$broker_name" status 2>&1) = *"$1"* ]]; }
# The broker's pid, from its own log.
broker_pid() { [[ $(<"$scratch/err") =~ event=ready\ [^$'\n']*pid=([0-9]+) ]] && printf '%s\n' "${BASH_REMATCH[1]}"; }
waiter='trap "echo INT; exit 11" INT; trap "echo TERM; exit 12" TERM; trap "echo HUP; exit 13" HUP
    echo up; while :; do sleep 0.05; done'

run "${start[@]}" --help
check "--help says how" contains "$said" 'usage: scripts/start.sh'
check "and is no error" equal "$status" 0
run "${start[@]}" --frobnicate
check "an unknown option is a usage error" equal "$status" 2
run "${start[@]}" -n
check "an option without its value too" equal "$status" 2
run "${start[@]}" --
check "and -- without COMMAND" equal "$status" 2
run "${start[@]}" -- echo ran
check "no keys: exit 1" equal "$status" 1
check "and what to do" contains "$said" '.env.example shows how'
check "and COMMAND is not run" lacks "$said" ran
check "and a way to see it without keys" contains "$said" '--demo'

SUNO_API_KEY=test-secret-1 run "${start[@]}" -n "$broker_name" -- "$build/keyctl" status
check "a key in the environment is enough" contains "$said" 'suno  1 key'
echo 'SUNO_API_KEY=test-secret-1,test-secret-2' >.env
echo 'STABILITY_KEY=test-secret-3' >server/.env
echo 'STABILITY_KEY=test-secret-4,test-secret-5,test-secret-6' >python-server/.env
run "${start[@]}" -n "$broker_name" -- "$build/keyctl" status
check ".env is found, and said so" contains "$said" 'reading keys from .env'
check "server/.env is" contains "$said" 'reading keys from server/.env'
check "python-server/.env is" contains "$said" 'reading keys from python-server/.env'
check "COMMAND finds the broker by KEYBROKER_NAME" contains "$said" 'suno  2 keys'
check "a later file beats an earlier one" contains "$said" 'stability  3 keys'
check "no secret is said" lacks "$said" test-secret
run "${start[@]}" -n "$broker_name" -e server/.env -- "$build/keyctl" status
check "with -e only that file is read" lacks "$said" suno
run "${start[@]}" -n "$broker_name" --check
check "--check lists the keys" contains "$said" '.env:1'
check "and ends" equal "$status" 0
check "nothing is left of all that" nothing_left

# shellcheck disable=SC2016
run "${start[@]}" -n "$broker_name" -- bash -c 'read -r line; echo "got $line"; exit 42' <<<'a line'
check "COMMAND has its stdin" contains "$said" 'got a line'
check "COMMAND's exit status is passed on" equal "$status" 42
# shellcheck disable=SC2016
run "${start[@]}" -n "$broker_name" -- bash -c 'kill -KILL $$'
check "and that of its death by a signal" equal "$status" 137
run "${start[@]}" -n "$broker_name" -- ./no-such-program
check "and that of a COMMAND that is not there" equal "$status" 127
run "${start[@]}" -n "$broker_name" -e nowhere/.env -- echo ran
check "a broker that cannot start: exit 1" equal "$status" 1
check "and it says so" contains "$said" 'the broker did not start'
check "and COMMAND is not run" lacks "$said" $'\nran'

for signal in INT:11 TERM:12; do
    begin -- bash -c "$waiter"
    kill -s "${signal%:*}" "$pid"
    end_of "$pid"
    check "SIG${signal%:*} reaches COMMAND, whose exit status is passed on" equal $? "${signal#*:}"
    check "the broker has gone with it" nothing_left
done

begin -- bash -c "$waiter"
echo 'SUNO_API_KEY=test-secret-1,test-secret-2,test-secret-7' >.env
kill -HUP "$pid"
check "SIGHUP makes the broker read its keys again" await 10 status_shows 'suno  3 keys'
check "and does not reach COMMAND" lacks "$(<"$scratch/out")" HUP
kill -KILL "$(broker_pid)"
said_so() { [[ $(<"$scratch/err") = *'is gone: workers go on'* ]]; }
check "a killed broker is said aloud" await 10 said_so
check "and workers still find the keys" status_shows 'suno  3 keys'
check "and COMMAND goes on" fails gone "$pid"
kill -TERM "$pid"
end_of "$pid"
check "its status is passed on all the same" equal $? 12
check "what the killed broker left is removed" nothing_left

begin
check "without COMMAND there is a broker" status_shows 'suno  3 keys'
end_child "$pid"
check "SIGTERM ends it in order" equal $? 0
check "and nothing is left" nothing_left

begin
kill -KILL "$(broker_pid)"
end_of "$pid"
check "a broker that is killed without COMMAND ends start.sh with its status" equal $? 137
check "which says so" contains "$(<"$scratch/err")" 'the broker died'
check "and leaves the keys to the workers" status_shows 'suno  3 keys'
run "${start[@]}" -n "$broker_name" -- "$build/keyctl" status
check "a new broker takes over" contains "$said" 'event=adopted'
check "and removes it all when it ends" nothing_left

# A terminal's Ctrl-C reaches COMMAND by itself: start.sh must not send it a second time.
if type -P script >/dev/null; then
    mkfifo "$scratch/keyboard"
    : >"$scratch/screen"
    # shellcheck disable=SC2016
    counter='n=0; trap "n=\$((n + 1)); echo INT" INT; trap "echo \$n times; exit" TERM
        echo "up $PPID"; while :; do sleep 0.05; done'
    printf -v line '%q ' "${start[@]}" -n "$broker_name" -- bash -c "$counter"
    SHELL=/bin/bash env --default-signal=INT script -qec "$line" /dev/null <"$scratch/keyboard" >"$scratch/screen" 2>&1 &
    terminal=$!
    children+=("$terminal")
    exec {keyboard}>"$scratch/keyboard"
    shown() { [[ $(<"$scratch/screen") =~ $1 ]]; }
    await 10 shown 'up [0-9]+'
    printf '\003' >&"$keyboard"
    check "Ctrl-C reaches COMMAND" await 10 shown INT
    shown 'up ([0-9]+)' && kill -TERM "${BASH_REMATCH[1]}"
    check "once" await 10 shown '1 times'
    end_of "$terminal"
    check "and nothing is left" nothing_left
else
    skip "Ctrl-C reaches COMMAND" "there is no script(1) to make a terminal"
fi

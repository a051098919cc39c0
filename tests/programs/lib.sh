# shellcheck shell=bash disable=SC2034,SC2317 # sourced: others use what it sets and call
# lib.sh: what the shell tests share. A test sources it first:
#
#     set -u
#     source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
#     start_upstream --key one=demo-one:good
#     check "upstream answers" http GET "$port" /admin/stats
#
# It sets $test (the test's name), $scratch (a folder of its own), $broker_name (a broker's name of its
# own). At the end every process started with these helpers is ended, what a broker of that name left in
# /dev/shm is removed, and the test exits 1 if a check failed or none was made.
# shellcheck source-path=SCRIPTDIR source=../../scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"

test=$(basename "$0" .sh)
broker_name=kbtest-$$-$test
scratch=$(mktemp -d) || exit 1
checks=0 failures=0 children=()

# check WHAT CMD...: one line, ok or not ok; what CMD said is shown only if it fails.
check() {
    local what=$1 output status
    shift
    output=$("$@" 2>&1)
    status=$?
    checks=$((checks + 1))
    if ((status == 0)); then
        printf 'ok %s: %s\n' "$test" "$what"
    else
        failures=$((failures + 1))
        printf 'not ok %s: %s\n# %s: exit status %d\n' "$test" "$what" "$*" "$status"
        [[ -z $output ]] || printf '# %s\n' "${output//$'\n'/$'\n'# }"
    fi
}

# skip WHAT WHY: for what this machine cannot show.
skip() {
    checks=$((checks + 1))
    printf 'ok %s: %s # skip: %s\n' "$test" "$1" "$2"
}

# Conditions for check.
equal() { [[ $1 = "$2" ]] || { printf "'%s' is not '%s'\n" "$1" "$2"; return 1; }; }
contains() { [[ $1 = *"$2"* ]] || { printf "no '%s' in: %s\n" "$2" "$1"; return 1; }; }
lacks() { [[ $1 != *"$2"* ]] || { printf "'%s' in: %s\n" "$2" "$1"; return 1; }; }
nothing_left() { ! compgen -G "/dev/shm/${1:-$broker_name}.*"; }
fails() { ! "$@"; }
# exits STATUS CMD...: the program CMD ends with this status within 60 s.
exits() {
    local want=$1 status
    shift
    timeout 60 "$@"
    status=$?
    ((status == want)) || { printf 'exit status %d, not %d\n' "$status" "$want"; return 1; }
}

# first_line FILE PID: waits until FILE has a line, at most 10 s; fails if PID ended without one.
first_line() { await 10 has_line_or_ended "$@" && read -r <"$1"; }
has_line_or_ended() { [[ -s $1 ]] || gone "$2"; }

# start_broker OPTION...: a broker named $broker_name, ready; its pid is $broker, its log $scratch/broker.log.
start_broker() {
    : >"$scratch/broker.out"
    "$build/keybrokerd" -n "$broker_name" "$@" </dev/null >"$scratch/broker.out" 2>>"$scratch/broker.log" &
    broker=$!
    children+=("$broker")
    first_line "$scratch/broker.out" "$broker" && [[ $(<"$scratch/broker.out") = ready ]] && return
    printf 'not ok %s: the broker starts\n# %s\n' "$test" "$(<"$scratch/broker.log")"
    exit 1
}

# start_upstream OPTION...: an upstream that lives two minutes at most; its port is $port, its pid $upstream.
start_upstream() {
    : >"$scratch/upstream.out"
    "$build/tests/upstream/upstream" --life 120 "$@" </dev/null >"$scratch/upstream.out" 2>"$scratch/upstream.log" &
    upstream=$!
    children+=("$upstream")
    if ! first_line "$scratch/upstream.out" "$upstream"; then
        printf 'not ok %s: upstream starts\n# %s\n' "$test" "$(<"$scratch/upstream.log")"
        exit 1
    fi
    read -r _ port <"$scratch/upstream.out"
}

# stat_of KEY FIGURE: a figure of upstream's /admin/stats.
stat_of() {
    local stats
    stats=$(http GET "$port" /admin/stats) || return 1
    [[ $stats =~ \"$1\":\{[^\}]*\"$2\":([0-9]+) ]] && printf '%s\n' "${BASH_REMATCH[1]}"
}

finish() {
    local status=$? pid
    for pid in "${children[@]}"; do
        end_child "$pid"
    done
    rm -rf "$scratch" "/dev/shm/$broker_name".*
    if ((status == 0 && checks == 0)); then
        printf 'not ok %s: no check was made\n' "$test"
        status=1
    fi
    exit $((status ? status : failures > 0))
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

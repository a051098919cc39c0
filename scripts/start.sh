#!/usr/bin/env bash
# The way in: installs what is missing, builds, starts the broker, and COMMAND with it.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh" || exit 1

usage() {
    cat <<'END'
usage: scripts/start.sh [--no-install] [broker options] [-- COMMAND...]
       scripts/start.sh [--no-install] --demo
Installs what is missing, builds, starts the broker, waits until it is ready and runs COMMAND (any
pre-forked server) with KEYBROKER_NAME set. The broker ends with COMMAND, whose exit status is
passed on; without COMMAND it stays in the foreground. Ctrl-C and SIGTERM go to COMMAND (or the
broker), SIGHUP goes to the broker, which reads its keys again.
  --no-install   install nothing, build with what is there
  --demo         show eight workers sharing four keys, one of them revoked; needs no keys
Broker options:
  -n NAME        the broker's name (default $KEYBROKER_NAME, else keybroker)
  -e FILE        an env file with keys; may be given several times. Without it those of .env,
                 server/.env and python-server/.env that exist here
  -c FILE        pools as JSON
  --group GROUP  the group that may use the keys
  --replace      take over from a broker of this name
  --check        list the keys that would be read, and end
END
}

say() { printf 'start: %s\n' "$*" >&2; }

usage_error() {
    say "$1"
    usage >&2
    exit 2
}

install=1 demo=0 check=0 name=${KEYBROKER_NAME:-keybroker}
options=() command=() env_files=() configured=0

parse_options() {
    while (($#)); do
        case $1 in
        -h | --help) usage; exit 0 ;;
        --no-install) install=0 ;;
        --demo) demo=1 ;;
        --check) check=1 ;;
        --replace) options+=("$1") ;;
        -n | --name | -e | --env | -c | --config | -s | --snapshot | --group)
            (($# > 1)) || usage_error "$1 wants a value"
            case $1 in
            -n | --name) name=$2 ;;
            -e | --env) env_files+=("$2") ;;
            -c | --config) configured=1 options+=("$1" "$2") ;;
            *) options+=("$1" "$2") ;;
            esac
            shift
            ;;
        --)
            command=("${@:2}")
            ((${#command[@]})) || usage_error "no COMMAND after --"
            return
            ;;
        *) usage_error "no such option: $1" ;;
        esac
        shift
    done
}

# Without -e, the env files that the services kept here always had.
find_keys() {
    local file
    if ((${#env_files[@]} == 0)); then
        for file in .env server/.env python-server/.env; do
            [[ -e $file ]] || continue
            say "reading keys from $file"
            env_files+=("$file")
        done
    fi
    for file in "${env_files[@]}"; do
        options+=(-e "$file")
    done
    if ((${#env_files[@]} == 0 && !configured)) && [[ -z ${SUNO_API_KEY:-}${STABILITY_KEY:-} ]]; then
        say "no keys: there is no .env, server/.env or python-server/.env in $PWD"
        say "write SUNO_API_KEY=key1,key2 or STABILITY_KEY=... into .env ($root/.env.example shows how),"
        say "or name a file with -e FILE, or try scripts/start.sh --demo, which needs none"
        exit 1
    fi
}

broker='' watcher='' child='' scratch=''

clean_up() {
    [[ $watcher ]] && runs "$watcher" && kill -- "-$watcher"
    [[ $child ]] && end_child "$child" # still there only if a signal ended this script while it began COMMAND
    [[ $broker ]] && end_child "$broker"
    # A killed broker leaves its shared memory to its workers. With COMMAND they have ended: out with the secrets.
    # (purge does nothing if another broker has taken over.)
    [[ $watcher ]] && "$build/keyctl" -n "$name" purge >/dev/null 2>&1
    rm -rf "$scratch"
}

is_ready_or_gone() {
    local line=
    read -r line <"$scratch/broker.out"
    [[ $line = ready ]] || gone "$broker"
}

launch() {
    scratch=$(mktemp -d) || exit 1
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    trap 'exit 129' HUP
    : >"$scratch/broker.out"
    set -m # a process group of its own: the terminal's Ctrl-C is for COMMAND, the broker ends after it
    "$build/keybrokerd" -n "$name" "${options[@]}" </dev/null >"$scratch/broker.out" &
    broker=$!
    set +m
    if ! await 30 is_ready_or_gone; then
        say "the broker was not ready within 30 s"
        exit 1
    elif gone "$broker"; then
        wait "$broker"
        local status=$?
        broker=''
        say "the broker did not start (exit status $status)"
        exit 1
    fi
}

# True when this script runs in the foreground of a terminal. Then a SIGINT is its Ctrl-C, which
# COMMAND has had already: it is in the same process group.
from_keyboard() {
    local stat fields
    read -r stat </proc/$$/stat
    read -ra fields <<<"${stat##*) }" # state ppid pgrp session tty tpgid ...
    ((fields[2] == fields[5]))
}

pass_on() {
    if [[ $1 = INT && $child ]] && from_keyboard; then
        return
    fi
    runs "${child:-$broker}" && kill -s "$1" "${child:-$broker}"
}

# Says aloud when the broker is gone before COMMAND is; that alone ends nothing.
watch_broker() {
    tail --pid="$broker" -f /dev/null
    if "$build/keyctl" -n "$name" status >/dev/null 2>&1; then
        say "the broker (pid $broker) is gone: workers go on with the keys as they stand"
    else
        say "the broker (pid $broker) has ended: workers get no key until one named $name is back"
    fi
}

# Waits for COMMAND, or else the broker, through any number of signals passed on meanwhile. Returns its exit status.
wait_for_end() {
    local awaited=${child:-$broker} status
    while runs "$awaited"; do
        wait "$awaited" 2>/dev/null
    done
    wait "$awaited"
    status=$?
    if ((status)) && [[ ! $child ]]; then
        say "the broker died (exit status $status): workers go on with the keys as they stand, and a new broker"
        say "of the name $name takes over from it; without one, $build/keyctl -n $name purge removes what it left"
    fi
    return "$status"
}

run_command() {
    set -m
    watch_broker </dev/null >&2 &
    watcher=$!
    set +m
    # Started with & so that signals can be passed on at once: what & takes away is given back, stdin and SIGINT.
    (
        trap - INT QUIT
        export KEYBROKER_NAME=$name
        exec "${command[@]}"
    ) <&0 &
    child=$!
}

parse_options "$@"
needs=build targets=(all)
if ((demo)); then
    ((${#options[@]} + ${#env_files[@]} + ${#command[@]})) && usage_error "--demo takes no broker options and no COMMAND"
    needs=demo targets+=("$build/tests/upstream/upstream")
else
    find_keys
fi
if ((install)); then
    "$root/scripts/install-deps.sh" "$needs" || exit 1
fi
make_quietly "${targets[@]}" || exit 1
if ((demo)); then
    exec "$root/scripts/demo.sh"
fi
if ((check)); then
    exec "$build/keybrokerd" -n "$name" "${options[@]}" --check
fi

launch
if ((${#command[@]})); then
    run_command
else
    say "the broker $name is ready (pid $broker): KEYBROKER_NAME=$name for workers, Ctrl-C ends it"
fi
trap 'pass_on INT' INT
trap 'pass_on TERM' TERM
trap 'runs "$broker" && kill -HUP "$broker"' HUP
wait_for_end

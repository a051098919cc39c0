# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # sourced: others use what it sets and call
# keyctl.sh: what the tests of keyctl share. Sourced after tests/programs/lib.sh.
#
# Known secrets are planted with every broker, and all that keyctl says is kept, so that
# no_secret_was_shown can tell at the end.

secrets=(sk-planted-AAAA1111 sk-planted-BBBB2222 sk-planted-CCCC3333 sk-planted-DDDD4444)
stability=sk-planted-EEEE5555
unset KEYBROKER_NAME SUNO_API_KEY STABILITY_KEY MY_KEY

# write_env SECRET...: the broker's env file, with these for suno.
write_env() {
    printf 'SUNO_API_KEY=%s\nSTABILITY_KEY=%s\n' "$(IFS=, && printf '%s' "$*")" "$stability" >"$scratch/env"
}
write_env "${secrets[@]}"

# plain ARG...: keyctl; ctl ARG...: on our broker. What goes to stdout is in $scratch/out, too.
plain() {
    local status
    "$build/keyctl" "$@" >"$scratch/out" 2>"$scratch/err"
    status=$?
    cat "$scratch/out" "$scratch/err" | tee -a "$scratch/said"
    return $status
}
ctl() { plain -n "$broker_name" "$@"; }

# gives STATUS CMD...; says STATUS TEXT CMD...; silent STATUS CMD..., on stdout: for functions too.
gives() {
    local want=$1 status
    shift
    "$@"
    status=$?
    ((status == want)) || { printf 'exit status %d, not %d\n' "$status" "$want"; return 1; }
}
says() {
    local want=$1 text=$2 output
    shift 2
    output=$(gives "$want" "$@" 2>&1) || { printf '%s\n' "$output"; return 1; }
    contains "$output" "$text"
}
silent() { gives "$@" && equal "$(<"$scratch/out")" ""; }

fingerprint_of() { printf %s "$1" | sha256sum | { read -r sum _ && printf 'k%s\n' "${sum:0:12}"; }; }

kill_broker() {
    kill -KILL "$broker"
    wait "$broker" 2>/dev/null
}

# no_secret_was_shown LINES: in more than LINES lines of keyctl's, and in the broker's log.
no_secret_was_shown() {
    (($(wc -l <"$scratch/said") > $1)) || { printf 'only %d lines were said\n' "$(wc -l <"$scratch/said")"; return 1; }
    : >>"$scratch/broker.log"
    fails grep -a sk-planted "$scratch/said" "$scratch/broker.log"
}

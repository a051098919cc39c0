# shellcheck shell=bash disable=SC2034 # sourced: others use what it sets
# lib.sh: what the scripts and the shell tests share. Needs bash and coreutils only.

# The checkout and its build folder: $BUILD, taken from the checkout's top if it is relative.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
build=${BUILD:-build}
[[ $build = /* ]] || build=$root/$build

# What these scripts talk to by HTTP is on this machine, never behind a proxy.
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1

# await SECONDS CMD...: runs CMD every 50 ms until it succeeds; fails when the time is up.
await() {
    local end=$((SECONDS + $1 + 1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.05
    done
}

# gone PID: there is no such process.
gone() { ! kill -0 "$1" 2>/dev/null; }

# runs PID: it is a child of this shell and has not ended. A child's pid may be another's once it has.
runs() { [[ $'\n'$(jobs -rp)$'\n' = *$'\n'"$1"$'\n'* ]]; }

# end_child PID: SIGTERM, and SIGKILL if it has not ended 10 s later. Returns its exit status.
end_child() {
    if runs "$1"; then
        kill -TERM "$1" 2>/dev/null
        await 10 gone "$1" || kill -KILL "$1" 2>/dev/null
    fi
    wait "$1" 2>/dev/null
}

# http METHOD PORT PATH: a request to 127.0.0.1; prints the body, fails if the answer is no 200.
http() {
    local fd line status=
    { exec {fd}<>"/dev/tcp/127.0.0.1/$2"; } 2>/dev/null || return 1
    printf '%s %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' "$1" "$3" >&"$fd"
    while IFS= read -r -t 10 line <&"$fd" && [[ $line != $'\r' ]]; do
        [[ $status ]] || status=$line
    done
    timeout 10 cat <&"$fd"
    exec {fd}>&-
    [[ $status = HTTP/1.?' 200 '* ]]
}

# make_quietly ARG...: make in the checkout; its output is shown only if it fails.
make_quietly() {
    local output
    output=$(make --no-print-directory -C "$root" "BUILD=$build" -j2 "$@" 2>&1) || {
        printf '%s\n' "$output" "make $* failed" >&2
        return 1
    }
}

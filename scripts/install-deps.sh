#!/usr/bin/env bash
# Installs what building and testing keybroker needs and this machine lacks (Debian, Ubuntu and kin;
# elsewhere it names the packages and fails). It looks for the headers and tools themselves, so where
# all are there it touches no package manager and needs no rights.
set -u

usage() {
    cat <<'END'
usage: scripts/install-deps.sh [build|demo|test|ci]
  build  what the programs need (the default)     demo  and what --demo needs
  test   and what scripts/test.sh needs           ci    and what .ci/run needs
END
}

missing=()

# tool PACKAGE COMMAND...: wants each command on the PATH.
tool() {
    local package=$1 command
    for command in "${@:2}"; do
        type -P "$command" >/dev/null || { missing+=("$package"); return; }
    done
}

# file PACKAGE PATH
file() {
    [[ -e $2 ]] || missing+=("$1")
}

# header PACKAGE NAME: asks the compiler, which knows its own folders.
header() {
    if ! type -P cc >/dev/null || ! printf '#include <%s>\n' "$2" | cc -E -x c - >/dev/null 2>&1; then
        missing+=("$1")
    fi
}

# fuzzer PACKAGE: clang can link its fuzzer.
fuzzer() {
    printf 'int LLVMFuzzerTestOneInput(const char *b, long n) { return b && n < 0; }' |
        clang -fsanitize=fuzzer -x c - -o /dev/null 2>/dev/null || missing+=("$1")
}

look() {
    tool gcc cc
    tool make make
    header libc6-dev stdio.h
    header libcurl4-openssl-dev curl/curl.h
    header libjsmn-dev jsmn.h
    header nettle-dev nettle/sha2.h
    file ca-certificates /etc/ssl/certs/ca-certificates.crt
    [[ $1 = build ]] && return
    header libmicrohttpd-dev microhttpd.h
    [[ $1 = demo ]] && return
    header libcriterion-dev criterion/criterion.h
    [[ $1 = test ]] && return
    tool clang clang
    fuzzer libclang-rt-dev
    tool clang-format clang-format
    tool clang-tidy clang-tidy
    tool cppcheck cppcheck
    tool valgrind valgrind
    tool spin spin
    tool shellcheck shellcheck
}

apt() {
    timeout --foreground 900 "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 \
        -o Acquire::Retries=2 -o Acquire::http::Timeout=60 "$@" 2>&1
}

# The package lists are fetched only if what they say does not do: not at all on most machines.
install() {
    local attempt output
    for attempt in 1 2 3; do
        output=$(apt install -y --no-install-recommends "${missing[@]}") && return
        echo "install-deps: attempt $attempt failed, fetching the package lists" >&2
        output+=$'\n'$(apt update)
    done
    printf '%s\n' "$output" >&2
    return 1
}

case ${1:-build} in
build | demo | test | ci) ;;
-h | --help) usage; exit 0 ;;
*) usage >&2; exit 2 ;;
esac
look "${1:-build}"
((${#missing[@]})) || exit 0

as_root=()
if ! type -P apt-get >/dev/null; then
    echo "install-deps: please install what Debian calls: ${missing[*]}" >&2
    exit 1
elif ((EUID != 0)); then
    if ! type -P sudo >/dev/null; then
        echo "install-deps: not root and no sudo; as root: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
    [[ -t 0 ]] || as_root+=(-n)
fi
echo "install-deps: installing ${missing[*]}" >&2
install || { echo "install-deps: could not install: ${missing[*]}" >&2; exit 1; }

#!/usr/bin/env bash
# Installs what is missing, builds, and runs the tests.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh" || exit 1

usage() {
    cat <<'END'
usage: scripts/test.sh [--no-install] [--quick] [NAME...]
Builds into $BUILD (default build/) and runs tests/unit, tests/upstream and tests/process (criterion), tests/plain
and tests/programs. Each test has 5 minutes; what it printed is shown if it fails.
  --no-install  install nothing
  --quick       leave out tests/process and tests/plain, which take minutes
  NAME          run only the tests whose name holds one of these
The last line counts what criterion's synthesis lines do not.
END
}

install=1 quick=0 filters=()
while (($#)); do
    case $1 in
    -h | --help) usage; exit 0 ;;
    --no-install) install=0 ;;
    --quick) quick=1 ;;
    -*) usage >&2; exit 2 ;;
    *) filters+=("$1") ;;
    esac
    shift
done

limit=300 # seconds for a test
passed=0 failed=0 ran=0 criterion_failed=0

wanted() {
    local filter
    ((${#filters[@]})) || return 0
    for filter in "${filters[@]}"; do
        [[ $1 = *"$filter"* ]] && return
    done
    return 1
}

# run CMD...: sets output, status and took (seconds).
run() {
    local start=$SECONDS
    output=$(cd "$root" && timeout -k 10 "$limit" "$@" 2>&1 </dev/null)
    status=$?
    took=$((SECONDS - start))
    ran=$((ran + 1))
}

fail() {
    printf '%s\n' "$output"
    printf 'FAILED %s: %s, %d s\n' "$1" "$2" "$took"
}

# A step that passes or fails as a whole.
step() {
    local name=$1
    shift
    run "$@"
    if ((status == 0)); then
        passed=$((passed + 1))
        printf 'passed %s: %d s\n' "$name" "$took"
    else
        failed=$((failed + 1))
        fail "$name" "exit status $status"
    fi
    return "$status"
}

# A criterion binary: it counts itself, unless it came to no count.
criterion() {
    local line synthesis=
    run "$2"
    while IFS= read -r line; do
        [[ $line = *'] Synthesis: '* ]] && synthesis=$line
    done <<<"$output"
    if ((status == 0)) && [[ $synthesis ]]; then
        printf 'passed %s: %d s\n%s\n' "$1" "$took" "$synthesis"
        return
    fi
    if [[ $synthesis ]]; then
        criterion_failed=1
    else
        failed=$((failed + 1))
    fi
    fail "$1" "exit status $status"
}

# A test that prints lines of its own: ok WHAT, not ok WHAT.
plain() {
    local name=$1 line good=0 bad=0
    shift
    run "$@"
    while IFS= read -r line; do
        case $line in
        'ok '*) good=$((good + 1)) ;;
        'not ok '*) bad=$((bad + 1)) ;;
        esac
    done <<<"$output"
    ((bad == 0 && (status || good == 0))) && bad=1 # it died, or checked nothing
    passed=$((passed + good)) failed=$((failed + bad))
    if ((bad == 0)); then
        printf 'passed %s: %d checks, %d s\n' "$name" "$good" "$took"
    else
        fail "$name" "$bad of $((good + bad)) checks, exit status $status"
    fi
}

# names FOLDER SUFFIX: the wanted tests of tests/FOLDER, as FOLDER/NAME.
names() {
    local source name
    for source in "$root/tests/$1"/*"$2"; do
        name=$1/$(basename "$source" ".${2##*.}")
        if [[ -e $source && $name != programs/lib ]] && wanted "$name"; then
            printf '%s\n' "$name"
        fi
    done
}

finish() {
    if ((ran == 0)); then
        echo "no test of that name"
        failed=1
    fi
    printf '%d passed, %d failed\n' "$passed" "$failed"
    exit $((failed || criterion_failed))
}

export BUILD=$build
if ((install)); then
    limit=1800 step install scripts/install-deps.sh test || finish
fi
limit=900 step build make -s BUILD="$build" -j2 tests || finish
ran=0
folders=(unit upstream)
((quick)) || folders+=(process)
for folder in "${folders[@]}"; do
    for name in $(names "$folder" _test.c); do
        criterion "$name" "$build/tests/$name"
    done
done
if ((!quick)); then
    for name in $(names plain .c); do
        plain "$name" "$build/tests/$name"
    done
fi
for name in $(names programs .sh); do
    plain "$name" bash "tests/$name.sh"
done
finish

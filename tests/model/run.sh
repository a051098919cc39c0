#!/usr/bin/env bash
# run.sh DIR: checks the models with Spin, building in DIR. Each holds, and each known-wrong variant of it
# must fail: a model that cannot fail shows nothing. Sequentially consistent memory is assumed; what the
# processor may reorder is for tests/process and ThreadSanitizer.
set -u
models=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=${1:?usage: run.sh DIR}
passed=0 failed=0
mkdir -p "$dir" || exit 1

# check MODEL VARIANT WANT: WANT is holds or fails. VARIANT is a macro, or - for the model as it is.
check() {
    local model=$1 variant=$2 want=$3 work=$dir/$1.$2 got
    rm -rf "$work"
    mkdir -p "$work"
    local define=()
    [[ $variant = - ]] || define=("-D$variant")
    if ! (cd "$work" && spin "${define[@]}" -a "$models/$model.pml" && cc -O2 -w -DSAFETY -o pan pan.c &&
        timeout 120 ./pan -m1000000) >"$work/out" 2>&1; then
        got=broken
    elif grep -q 'errors: 0' "$work/out" && ! grep -q 'search not completed' "$work/out"; then
        got=holds
    elif grep -q 'errors: [1-9]' "$work/out"; then
        got=fails
    else
        got=broken
    fi
    if [[ $got = "$want" ]]; then
        passed=$((passed + 1))
        printf 'ok %s %s: %s\n' "$model" "$variant" "$got"
    else
        failed=$((failed + 1))
        printf 'not ok %s %s: %s, must be: %s (%s/out)\n' "$model" "$variant" "$got" "$want" "$work"
    fi
}

check bit - holds
check bit NO_SECOND_LOOK fails
check guard - holds
check guard MARK_AFTER_WAIT fails
check guard NO_SLICE fails
printf '%d passed, %d failed\n' "$passed" "$failed"
exit $((failed > 0))

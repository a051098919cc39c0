#!/usr/bin/env bash
# A --replace that cannot be carried out leaves the living broker in charge.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# pools FILE PREFIX: 40 pools, so that two such files name more than a segment can hold.
pools() {
    local i sep=
    {
        printf '{"pools":{'
        for ((i = 0; i < 40; i++)); do
            printf '%s"%s%d":{"env":"%s_KEYS"}' "$sep" "$2" "$i" "$2"
            sep=,
        done
        printf '}}'
    } >"$1"
}

pools "$scratch/a.json" a
pools "$scratch/b.json" b
printf 'a_KEYS=replace-test-one,replace-test-two\n' >"$scratch/a.env"
printf 'b_KEYS=replace-test-three\n' >"$scratch/b.env"
start_broker -e "$scratch/a.env" -c "$scratch/a.json"

check "a replacement with too many pools fails" exits 1 "$build/keybrokerd" -n "$broker_name" --replace \
    -e "$scratch/b.env" -c "$scratch/b.json"
check "the old broker goes on" kill -0 "$broker"
check "it is in charge: it reloads" exits 0 "$build/keyctl" -n "$broker_name" reload
check "its pid is shown" contains "$("$build/keyctl" -n "$broker_name" status)" "$broker"
check "its keys are claimed" exits 0 "$build/keyctl" -n "$broker_name" exec a0 --env KEY -- true
check "a second broker without --replace is refused" exits 1 "$build/keybrokerd" -n "$broker_name" -e "$scratch/a.env"

rm -f "/dev/shm/$broker_name.state"
check "the state removed by hand: no second broker starts beside the first" exits 1 "$build/keybrokerd" \
    -n "$broker_name" -e "$scratch/a.env"
check "nor does it leave a state of its own" fails test -e "/dev/shm/$broker_name.state"

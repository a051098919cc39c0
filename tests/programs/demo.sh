#!/usr/bin/env bash
# scripts/start.sh --demo: tells its story in a screenful, in time, leaves nothing, and notices a false story.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export BUILD=$build

# demo CMD...: begins it; its broker's name, $demo, is known because start.sh becomes the demo.
begin_demo() {
    : >"$scratch/out"
    "$@" >"$scratch/out" 2>&1 &
    demo=$!
    children+=("$demo")
}

no_process_of() {
    local file
    for file in /proc/[0-9]*/cmdline; do
        [[ $(tr '\0' ' ' <"$file") != *"kbdemo-$1"* ]] || { echo "$file"; return 1; }
    done 2>/dev/null
}

upstream_is_gone() {
    [[ $(<"$scratch/out") =~ 127\.0\.0\.1:([0-9]+) ]] && ! http GET "${BASH_REMATCH[1]}" /admin/stats
}

left_nothing() {
    check "$1 leaves no shared memory" nothing_left "kbdemo-$demo"
    check "$1 leaves no broker and no worker" no_process_of "$demo"
    check "$1 leaves no upstream" upstream_is_gone
}

make_quietly all "$build/tests/upstream/upstream" || exit 1
begin_demo "$root/scripts/start.sh" --no-install --demo
check "the demo ends within 20 s" await 20 gone "$demo"
end_child "$demo"
check "its story came true" equal $? 0
said=$(<"$scratch/out")
check "it says what became of the key" contains "$said" '4. Upstream takes key 1 again.'
check "it fits a screen: lines" test "$(wc -l <"$scratch/out")" -le 24
check "it fits a screen: columns" test "$(wc -L <"$scratch/out")" -le 100
check "no secret is in it" lacks "$said" demo-secret
left_nothing "the demo"

begin_demo "$root/scripts/start.sh" --no-install --demo
first_line "$scratch/out" "$demo"
end_child "$demo"
check "SIGTERM ends the demo" equal $? 143
left_nothing "an ended demo"

# The same programs, but for a keypool that loses a result.
mkdir -p "$scratch/false/tests/upstream"
ln -s "$build/keybrokerd" "$build/keyctl" "$scratch/false/"
ln -s "$build/tests/upstream/upstream" "$scratch/false/tests/upstream/"
printf '#!/bin/sh\n"%s/keypool" "$@" | head -n -1\n' "$build" >"$scratch/false/keypool"
chmod +x "$scratch/false/keypool"
BUILD=$scratch/false begin_demo "$root/scripts/demo.sh"
await 20 gone "$demo"
end_child "$demo"
check "a lost result fails the demo" equal $? 1
check "which says so" contains "$(<"$scratch/out")" '479 results'
left_nothing "a failed demo"

#!/usr/bin/env bash
# What scripts/start.sh --demo shows: eight workers share four keys against an HTTP server on this machine,
# one key is revoked under them and comes back. Every figure is upstream's own or keyctl's, and the demo fails
# if they do not tell that story. At most 24 lines of 100 columns.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/lib.sh" || exit 1

workers=8 jobs=480 more_jobs=40
names=(one two three four)
name=kbdemo-$$
scratch=$(mktemp -d) || exit 1
children=()

clean_up() {
    local pid
    for pid in "${children[@]}"; do
        end_child "$pid"
    done
    "$build/keyctl" -n "$name" purge >/dev/null 2>&1 # does nothing unless the broker was killed
    rm -rf "$scratch"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fail() {
    printf 'The demo did not come true: %s\n' "$1" >&2
    exit 1
}

# in_background OUT CMD...: its pid becomes $child; its output goes to the file OUT, its errors to OUT.err. It keeps
# its stdin, which & alone would take away.
in_background() {
    local out=$scratch/$1
    shift
    : >"$out"
    "$@" <&0 >"$out" 2>"$out.err" &
    child=$!
    children+=("$child")
}

has_line() { [[ -s $scratch/$1 ]]; }

serve_upstream() {
    local key keys=()
    for key in "${names[@]}"; do
        keys+=(--key "$key=demo-secret-$key:good")
    done
    in_background upstream "$build/tests/upstream/upstream" --life 60 --delay-ms 40 "${keys[@]}" </dev/null
    await 10 has_line upstream || fail "upstream did not start: $(<"$scratch/upstream.err")"
    read -r _ port <"$scratch/upstream"
}

serve_keys() {
    local secrets
    unset SUNO_API_KEY STABILITY_KEY # the demo knows no key but its own
    printf -v secrets ',demo-secret-%s' "${names[@]}"
    printf 'SUNO_API_KEY=%s\n' "${secrets#,}" >"$scratch/env"
    in_background broker "$build/keybrokerd" -n "$name" -e "$scratch/env" </dev/null
    await 10 has_line broker || fail "the broker did not start: $(<"$scratch/broker.err")"
}

# print_jobs FIRST LAST
print_jobs() {
    local id
    for ((id = $1; id <= $2; id++)); do
        printf '{"id":%d,"url":"http://127.0.0.1:%d/api/v1/generate","json":{"prompt":"song %d"}}\n' "$id" "$port" "$id"
    done
}

# The second half waits for the key to be revoked, so that it is revoked midway however slow this machine is.
revoked_or_over() { [[ -e $scratch/revoked || ! -d $scratch ]]; }
print_all_jobs() {
    print_jobs 1 $((jobs / 2))
    await 20 revoked_or_over && print_jobs $((jobs / 2 + 1)) "$jobs"
}

# begin_pool OUT: the workers, with the jobs on stdin.
begin_pool() {
    in_background "$1" "$build/keypool" -n "$name" -w "$workers" suno
    pool=$child
}

# end_pool OUT JOBS: waits for the workers and checks that each job has one good result.
end_pool() {
    local line id good=() results=0
    await 15 gone "$pool" || fail "keypool does not end"
    wait "$pool" || fail "keypool failed: $(<"$scratch/$1.err")"
    while read -r line; do
        results=$((results + 1))
        [[ $line =~ \"id\":([0-9]+),.*\"outcome\":\"ok\" ]] && good[BASH_REMATCH[1]]=1
    done <"$scratch/$1"
    ((results == $2 && ${#good[@]} == $2)) || fail "$2 jobs, $results results, ${#good[@]} of them good"
}

# Sets the arrays seen, ok and refused, by key, and total, from upstream's own figures.
declare -A seen=() ok=() refused=()
ask_upstream() {
    local stats key
    stats=$(http GET "$port" /admin/stats) || fail "upstream does not answer"
    total=0
    for key in "${names[@]}"; do
        [[ $stats =~ \"$key\":\{[^\}]*\"seen\":([0-9]+),\"ok\":([0-9]+),\"refused\":([0-9]+) ]] || fail "no $key in: $stats"
        seen[$key]=${BASH_REMATCH[1]} ok[$key]=${BASH_REMATCH[2]} refused[$key]=${BASH_REMATCH[3]}
        total=$((total + seen[$key]))
    done
}
has_seen() { ask_upstream && ((total >= $1)); }

# look: sets $summary and $table to what keyctl says of the pool.
look() {
    local status
    status=$("$build/keyctl" -n "$name" status suno) || fail "keyctl status failed"
    status=${status#*$'\n\n'} # without the line about the broker
    summary=${status%%$'\n'*}
    table=${status#*$'\n'}
}
key_is() {
    look
    [[ $table =~ $'\n'\ +$1\ +k[0-9a-f]{12}\ +$2\  ]]
}

serve_upstream
serve_keys
printf 'Eight workers share four keys. Upstream is an HTTP server on 127.0.0.1:%d; no real key is used.\n' "$port"
begin_pool results < <(print_all_jobs)

await 10 has_seen $((jobs / 3)) || fail "only $total requests came"
look
printf '1. Of %d jobs %d have been sent. %s\n%s\n' "$jobs" "$total" "$summary" "$table"

http POST "$port" '/admin/key/two?state=revoked' >/dev/null || fail "upstream did not revoke the key"
: >"$scratch/revoked"
await 10 key_is 1 failed || fail "the revoked key is still in rotation"
ask_upstream
seen_when_failed=${seen[two]} total_when_failed=$total
printf '2. Upstream has just revoked key 1. %s\n%s\n' "$summary" "$table"

end_pool results "$jobs"
look
ask_upstream
printf '3. All %d jobs are answered, each once. %s\n%s\n' "$jobs" "$summary" "$table"
late=$((seen[two] - seen_when_failed))
printf '   Upstream refused %d with key 1: the one whose report failed the key, and %d in flight by then.\n' \
    "${refused[two]}" $((refused[two] - 1))
printf '   Of the %d requests after picture 2, %d had key 1. Keys 0, 2, 3 had %d, %d, %d in all.\n' \
    $((total - total_when_failed)) "$late" "${seen[one]}" "${seen[three]}" "${seen[four]}"
((refused[two] >= 1)) || fail "no request met the revoked key"
((refused[two] <= workers)) || fail "more were refused than the workers could have in flight"
((refused[one] + refused[three] + refused[four] == 0)) || fail "a good key was refused"
((total == jobs + refused[two])) || fail "$total requests for $jobs jobs and ${refused[two]} refusals"
for key in three four; do
    ((seen[one] - seen[$key] >= -1 && seen[one] - seen[$key] <= 1)) || fail "the good keys did not take turns"
done

http POST "$port" '/admin/key/two?state=good' >/dev/null || fail "upstream did not take the key back"
reset=$("$build/keyctl" -n "$name" reset suno 1) || fail "keyctl reset failed"
key_is 1 available || fail "the reset key is not available"
ok_before=${ok[two]}
begin_pool more_results < <(print_jobs 1 "$more_jobs")
end_pool more_results "$more_jobs"
ask_upstream
printf '4. Upstream takes key 1 again. keyctl reset suno 1: %s. Of %d more jobs it served %d.\n' \
    "$reset" "$more_jobs" $((ok[two] - ok_before))
((ok[two] > ok_before)) || fail "the reset key was not used"

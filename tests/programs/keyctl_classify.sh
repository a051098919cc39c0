#!/usr/bin/env bash
# keyctl_classify.sh: what an answer means for its key, on the command line. The rules themselves are judge_test's.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../kit/keyctl.sh
source "$root/tests/kit/keyctl.sh"

# classify BODY ARG...; what it prints is in $scratch/out.
classify() { printf %s "$1" | plain classify "${@:2}"; }
# judged LINE BODY ARG...: all that it prints.
judged() { gives 0 classify "${@:2}" >/dev/null && equal "$(<"$scratch/out")" "$1" && equal "$(<"$scratch/err")" ''; }
lines() { [[ $(wc -l <"$scratch/out") -eq 1 ]]; }

# ---- the line ----

check "a good answer" judged $'ok\t-' '{}' openai 200
check "is one line" lines
check "a refused key" judged $'auth\t-' '{"error":{"code":"invalid_api_key"}}' openai 401
check "spent credits in the body alone" judged $'quota\t-' '{"code":429,"msg":"x","data":null}' suno 200
check "a moderated prompt" judged $'client\t-' '{"id":"1","name":"content_moderation","errors":["x"]}' stability 403
check "an error of upstream" judged $'transient\t-' '' suno 500
check "no answer at all" judged $'transient\t-' '' suno 0
check "an unknown service" judged $'auth\t-' '' no-such-service 401
check "a wait in seconds" judged $'rate\t7000' '' openai 429 -H 'Retry-After: 7'
check "a header's name in any case, no blank" judged $'rate\t7000' '' openai 429 --header rETRY-aFTER:7
check "a wait in milliseconds" judged $'rate\t1500' '' openai 429 -H 'retry-after-ms: 1500'
check "a wait as a duration, of a limit of which nothing is left" judged $'rate\t90000' '' openai 429 -H 'x-ratelimit-remaining-requests: 0' \
    -H 'x-ratelimit-reset-requests: 1m30s'
check "the prompt's words are not the key's" judged $'ok\t-' '{"data":{"title":"Unauthorized: rate limit"}}' suno 200
check "a body that is no JSON" judged $'transient\t-' '<html>502</html>' openai 502
no_stdin() { plain classify openai 401 </dev/null; }
check "no body" gives 0 no_stdin
closed_stdin() { plain classify openai 401 <&-; }
check "a stdin that is closed is told" says 1 'cannot read the body' closed_stdin
large() { head -c 3000000 /dev/zero | plain classify openai 200; }
check "a large body" gives 0 large
too_large() { head -c 70000000 /dev/zero | plain classify openai 200; }
check "one without end is refused" says 1 'too long' too_large
zeros() { printf '{"error":{"code":"a\0b"}}' | plain classify openai 401; }
check "a body with NULs" gives 0 zeros

# ---- --json ----

classify '{"code":430,"msg":"x"}' --json suno 200 -H 'Retry-After: 3' >/dev/null
check "as JSON" contains "$(<"$scratch/out")" '{"outcome":"rate","wait_ms":3000,"rule":"suno'
check "on one line" lines
classify '' --json suno 500 >/dev/null
check "no wait is null" contains "$(<"$scratch/out")" '"wait_ms":null'
check "an absurd wait is clamped, and that is said" says 0 'days' classify '' openai 429 -H 'Retry-After: 99999999'

# ---- usage ----

for status in '' x 99 1000 2000 +200 ' 200' 4xx "${secrets[0]}"; do
    check "a STATUS of '$status'" says 2 'STATUS' classify '' suno "$status"
done
check "a STATUS that looks like an option" says 2 'no such option' classify '' suno -1
for header in 'no colon' ': no name' '' "${secrets[0]}"; do
    check "a header that is none" says 2 "'Name: value'" classify '' suno 200 -H "$header"
done
many=()
for ((i = 0; i < 101; i++)); do many+=(-H a:b); done
check "a hundred headers" gives 0 classify '' suno 200 "${many[@]:2}"
check "and one more" says 2 'too many -H' classify '' suno 200 "${many[@]}"

# ---- the rules of a pool ----

check "-n needs a broker" silent 3 ctl classify suno 200
printf '%s\n' '{"services":{"mine":{"rules":[{"status":418,"field":"why","is":"tea","outcome":"quota","wait_ms":5000}]}},
"pools":{"mine":{"env":"MY_KEY","service":"mine"}}}' >"$scratch/config.json"
printf 'MY_KEY=%s\n' "${secrets[0]}" >>"$scratch/env"
start_broker -e "$scratch/env" -c "$scratch/config.json"
tea='{"why":"tea"}'
check "a rule of the configuration counts" judged $'quota\t5000' "$tea" -n "$broker_name" mine 418
check "where it holds" judged $'client\t-' '{"why":"coffee"}' -n "$broker_name" mine 418
check "not without the broker" judged $'client\t-' "$tea" mine 418
check "which rule decided is told" says 0 'configuration' classify "$tea" --json -n "$broker_name" mine 418
check "the built-in ones stay" judged $'auth\t-' '' -n "$broker_name" mine 401
check "no such pool" silent 4 ctl classify nobody 200

echoed="{\"name\":\"unauthorized\",\"message\":\"Incorrect API key provided: ${secrets[0]}\"}"
check "an echoed key" judged $'auth\t-' "$echoed" stability 401
classify "$echoed" --json stability 401 -H "x-key: ${secrets[1]}" >/dev/null
check "no secret was shown" no_secret_was_shown 40

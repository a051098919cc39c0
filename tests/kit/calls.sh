# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # sourced: others use what it sets and call
# calls.sh: what the tests of calls share: an upstream whose answers are scripted, and a broker that finds
# the services there. Sourced after tests/programs/lib.sh.

# start_service OPTION...: upstream with these options, and a broker with the keys $suno and $stability (comma lists)
# whose services are that upstream.
start_service() {
    start_upstream "$@"
    printf 'SUNO_API_KEY=%s\nSTABILITY_KEY=%s\nPLAIN_KEY=%s\n' "$suno" "$stability" "$suno" >"$scratch/env"
    printf '{"services":{"suno":{"base_url":"http://127.0.0.1:%d"},"stability":{"base_url":"http://127.0.0.1:%d"}},
"pools":{"plain":{"env":"PLAIN_KEY"}}}\n' "$port" "$port" >"$scratch/config.json"
    start_broker -e "$scratch/env" -c "$scratch/config.json"
}

# answer ARGUMENTS BODY: scripts an answer (tests/upstream/admin.h).
answer() {
    local fd status LC_ALL=C
    exec {fd}<>"/dev/tcp/127.0.0.1/$port"
    printf 'POST /admin/answer?%s HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n%s' "$1" ${#2} "$2" >&"$fd"
    read -r -t 10 status <&"$fd"
    exec {fd}>&-
    [[ $status = HTTP/1.?' 200 '* ]]
}
no_answers() { http DELETE "$port" /admin/answer >/dev/null; }
set_state() { http POST "$port" "/admin/key/$1?state=$2" >/dev/null; }
seen() { stat_of "$1" seen; }
# last_request: what upstream saw of it, as JSON.
last_request() { http GET "$port" /admin/log | grep '"method"' | tail -n 1; }

fingerprint_of() { printf %s "$1" | sha256sum | { read -r sum _ && printf 'k%s\n' "${sum:0:12}"; }; }

# children_of PID: the processes it has forked.
children_of() {
    local stat fields
    for stat in /proc/[0-9]*/stat; do
        { read -r fields <"$stat"; } 2>/dev/null || continue
        fields=${fields##*) }
        [[ ${fields#* } = "$1 "* ]] && stat=${stat#/proc/} && printf '%s\n' "${stat%/stat}"
    done
}

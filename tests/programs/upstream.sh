#!/usr/bin/env bash
# upstream, the server the other tests lean on: every state's answer, its figures, its end.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
program=$build/tests/upstream/upstream

# ask SECRET [PATH]: sets $answer to what comes back to a request with that bearer token, headers and all.
ask() {
    local fd
    exec {fd}<>"/dev/tcp/127.0.0.1/$port" || return 1
    printf 'POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%sContent-Length: 5\r\n\r\nhello' \
        "${2:-/v1/thing}" "${1:+Authorization: Bearer $1$'\r\n'}" >&"$fd"
    answer=$(timeout 10 cat <&"$fd")
    exec {fd}>&-
}
# The addresses (hexadecimal) that have a listener on $port.
listeners() {
    local address state
    while read -r _ address _ state _; do
        if [[ $state = 0A && $address = *:$(printf %04X "$port") ]]; then
            printf '%s\n' "${address%:*}"
        fi
    done < <(cat /proc/net/tcp /proc/net/tcp6)
}
# One request on each of the connections in $kept, all asked before the first answer is read; fails unless
# each gets its 200.
ask_kept() {
    local fd line length
    for fd in "${kept[@]}"; do
        printf 'GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer from-the-file\r\n\r\n' >&"$fd"
    done
    for fd in "${kept[@]}"; do
        read -r -t 10 -u "$fd" line && [[ $line = 'HTTP/1.1 200 '* ]] || return 1
        while read -r -t 10 -u "$fd" line && [[ $line != $'\r' ]]; do
            [[ $line = 'Content-Length: '* ]] && length=${line//[!0-9]/}
        done
        read -r -t 10 -N "$length" -u "$fd" line || return 1
    done
}
answered() { contains "$answer" "HTTP/1.1 $1 "; }

states=(good revoked forbidden rate credits suno-credits error slow drop echo redirect)
options=()
for state in "${states[@]}"; do
    options+=(--key "$state=sk:$state=1:$state") # colons and equals signs belong to the secret
done
printf '# a comment\n\nfiled=from-the-file:good\n' >"$scratch/keys"
start_upstream "${options[@]}" --keys-file "$scratch/keys"

ask sk:good=1
check "a good key gets 200" answered 200
check "the answer names the key and has counted the body" contains "$answer" '"key":"good","body_bytes":5'
check "the answer does not hold the secret" lacks "$answer" sk:good=1
ask from-the-file
check "a key of the keys file is known" contains "$answer" '"key":"filed"'
ask sk:revoked=1
check "a revoked key gets 401" answered 401
check "the 401 does not hold the secret" lacks "$answer" sk:revoked=1
ask sk:forbidden=1
check "a forbidden key gets 403" answered 403
ask sk:rate=1
check "a key over its rate gets 429" answered 429
check "with Retry-After" contains "$answer" 'Retry-After: 1'
ask sk:credits=1
check "a key out of credits gets 402" answered 402
ask sk:suno-credits=1
check "out of credits as Suno says it: 200" answered 200
check "with code 429 in the body" contains "$answer" '"code":429'
ask sk:error=1
check "an error is 500" answered 500
ask sk:echo=1
check "an echo is 401 with the secret in it" contains "$answer" 'provided: sk:echo=1'
ask sk:drop=1
check "a drop promises 1000 bytes" contains "$answer" 'Content-Length: 1000'
check "and breaks off after a few" contains "$answer" $'\r\n\r\n{"code":200,"da'
ask sk:redirect=1
check "a redirect is 302 to another name of the host" contains "$answer" "Location: http://localhost:$port/redirected"
ask sk:redirect=1 /redirected
check "which answers" answered 200
before=$SECONDS
ask sk:slow=1
check "a slow key gets 200" answered 200
check "after 3 s" test $((SECONDS - before)) -ge 2
ask sk:nobody
check "an unknown secret gets 401" answered 401
ask ''
check "no secret gets 401" answered 401

check "what was seen is counted" equal "$(stat_of redirect seen)" 2
check "and what was answered well" equal "$(stat_of redirect ok)" 1
check "and what was refused" equal "$(stat_of revoked refused)" 1
check "and what nobody's key asked" contains "$(http GET "$port" /admin/stats)" '"unknown":2'
check "and the connections" contains "$(http GET "$port" /admin/stats)" '"connections":15,'
check "the stats hold no secret" lacks "$(http GET "$port" /admin/stats)" sk:

kept=()
for _ in {1..64}; do
    exec {fd}<>"/dev/tcp/127.0.0.1/$port"
    kept+=("$fd")
done
check "64 connections are served at once" ask_kept
check "and kept alive" ask_kept
check "and counted once" contains "$(http GET "$port" /admin/stats)" '"connections":79,'
for fd in "${kept[@]}"; do
    exec {fd}>&-
done

check "a state can be changed" http POST "$port" '/admin/key/good?state=revoked'
ask sk:good=1
check "and holds from the next request on" answered 401
check "an unknown state is refused" fails http POST "$port" '/admin/key/good?state=tired'
check "an unknown key is refused" fails http POST "$port" '/admin/key/nobody?state=good'

check "it listens on 127.0.0.1 only" equal "$(listeners)" 0100007F
end_child "$upstream"
check "SIGTERM ends it in order" equal $? 0
start_upstream --life 1
check "--life ends it" await 10 gone "$upstream"
check "a malformed key is a usage error" exits 2 "$program" --key one=s3cret
check "which does not hold the secret" lacks "$("$program" --key one=s3cret 2>&1)" s3cret
printf 'one=s3cret:good\ntwo=s3cret:good\n' >"$scratch/keys"
check "a bad keys file is named with its line" contains "$("$program" --keys-file "$scratch/keys" 2>&1)" "$scratch/keys:2: "
check "and its secrets are not" lacks "$("$program" --keys-file "$scratch/keys" 2>&1)" s3cret
{
    bash -c "'$program' --life 30 >'$scratch/orphan.out' & echo \$! >'$scratch/orphan'
        for i in {1..200}; do [[ -s '$scratch/orphan.out' ]] && kill -9 \$\$; sleep 0.05; done"
} 2>/dev/null
check "it ends when its parent dies" await 10 gone "$(<"$scratch/orphan")"

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
# script ARGUMENTS [BODY]: scripts an answer; fails unless upstream takes it.
script() {
    local fd line body=${2:-}
    exec {fd}<>"/dev/tcp/127.0.0.1/$port" || return 1
    printf 'POST /admin/answer?%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' \
        "$1" "${#body}" "$body" >&"$fd"
    IFS= read -r -t 10 line <&"$fd"
    exec {fd}>&-
    contains "$line" 'HTTP/1.1 200 '
}
# send REQUEST: sets $answer to what comes back to these headers, whose lines are given with \\n.
send() {
    local fd
    exec {fd}<>"/dev/tcp/127.0.0.1/$port" || return 1
    printf '%b\r\n\r\n' "${1//\\n/\\r\\n}\r\nConnection: close" >&"$fd"
    answer=$(timeout 10 cat <&"$fd" | tr -d '\0')
    exec {fd}>&-
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

check "an answer can be scripted" script 'status=418&times=2&header=Retry-After:7&header=X-Key:k-{KEY}-k' 'tea for {KEY}'
ask sk:forbidden=1
check "it has the status" answered 418
check "its headers" contains "$answer" 'Retry-After: 7'
check "and its body" contains "$answer" $'\r\n\r\ntea for sk:forbidden=1'
check "with the key where it was asked for" contains "$answer" 'X-Key: k-sk:forbidden=1-k'
ask sk:nobody
check "an unknown key gets 401 all the same" answered 401
ask sk:forbidden=1
check "it comes again" answered 418
ask sk:forbidden=1
check "so many times as was said" answered 403
check "scripts for a key and for a path" script 'status=500&times=0&key=credits'
script 'status=204&path=/there&type='
ask sk:forbidden=1
check "meet no other" answered 403
ask sk:credits=1
check "but their key" answered 500
ask sk:forbidden=1 /there
check "and their path" answered 204
check "scripts can be taken back" http DELETE "$port" /admin/answer
ask sk:credits=1
check "and then states count" answered 402
script 'size=300000&cut=100000' '{"a":'
ask sk:forbidden=1
check "a body can be large" contains "$answer" 'Content-Length: 300000'
check "begins as was said" contains "$answer" $'\r\n\r\n{"a":xxx'
check "and breaks off" test ${#answer} -lt 101000 -a ${#answer} -ge 100000
script 'status=0'
ask sk:forbidden=1
check "no answer is possible" equal "$answer" ''
script 'delay_ms=1500'
before=$SECONDS
ask sk:forbidden=1
check "a late one too" test $((SECONDS - before)) -ge 1
if command -v gzip >/dev/null; then
    script 'gzip=1' "$(printf 'packed %.0s' {1..20000})"
    unpacked=$(printf 'GET / HTTP/1.0\r\nAuthorization: Bearer sk:forbidden=1\r\n\r\n' | {
        exec {fd}<>"/dev/tcp/127.0.0.1/$port"
        cat >&"$fd"
        sed '1,/^\r$/d' <&"$fd"
    } | gzip -dc | wc -c)
    check "gzip is gzip" equal "$unpacked" 140000
fi
for bad in status=abc status=99 times=-1 cut=x header=none nosuch=1 size=99999999999999; do
    check "$bad is refused" fails script "$bad"
done
send 'POST /v1/form?a=1 HTTP/1.1\nHost: x\nAuthorization: Bearer sk:forbidden=1\nX-Copy: <sk:forbidden=1>\nContent-Length: 0'
log=$(http GET "$port" /admin/log)
last=${log##*$'\n{"method"'}
check "the log has the request" contains "$last" '"POST","path":"/v1/form","query":{"a":"1"},"key":"forbidden"'
check "with the key masked" contains "$last" '"authorization":"Bearer ***"'
check "wherever it stands" contains "$last" '"x-copy":"<***>"'
check "and no secret anywhere" lacks "$log" sk:
check "no more than 256 of them" test "$(wc -l <<<"$log")" -le 258
part='--line\r\nContent-Disposition: form-data; name='
form="$part\"prompt\"\r\n\r\na cat\r\n$part\"image\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\nPNG\r\n--line--\r\n"
printf -v form '%b' "$form"
send "POST /f HTTP/1.1\nHost: x\nAuthorization: Bearer sk:forbidden=1\nContent-Type: multipart/form-data; boundary=line\nContent-Length: ${#form}\n\n$form"
log=$(http GET "$port" /admin/log)
check "parts of a form are named" contains "${log##*$'\n{"method"'}" '"parts":["prompt","image"]'

check "it listens on 127.0.0.1 only" equal "$(listeners)" 0100007F
end_child "$upstream"
check "SIGTERM ends it in order" equal $? 0
start_upstream --key 'one=s3cret:good' --key-header X-Api-Key --key-query token
send 'GET / HTTP/1.1\nHost: x\nx-api-key: s3cret'
check "a key can come in another header" answered 200
send 'GET /?token=s3%63ret HTTP/1.1\nHost: x'
check "or in the query" answered 200
send 'GET / HTTP/1.1\nHost: x\nAuthorization: Bearer s3cret'
check "or as before" answered 200
send 'GET /?token=nobodys HTTP/1.1\nHost: x'
check "a wrong one is 401" answered 401
log=$(http GET "$port" /admin/log)
check "the log masks it in the header" contains "$log" '"x-api-key":"***"'
check "and in the query" contains "$log" '"query":{"token":"***"},"key":"one"'
check "known or not" lacks "$log" nobodys
end_child "$upstream"
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

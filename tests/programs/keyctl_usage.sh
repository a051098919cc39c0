#!/usr/bin/env bash
# keyctl_usage.sh: keyctl's command line, its help, and a stdout that cannot be written.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source-path=SCRIPTDIR source=../kit/keyctl.sh
source "$root/tests/kit/keyctl.sh"

env_gives() { KEYBROKER_NAME=$2 gives "$1" plain "${@:3}"; }
closed() { "$build/keyctl" "$@" >&-; }
full() { "$build/keyctl" "$@" >/dev/full; }
broken_pipe() {
    local writer
    exec {writer}> >(:)
    wait $!
    "$build/keyctl" "$@" >&"$writer"
}

check "help tells the commands" says 0 "reset [POOL [KEY]]" plain --help
check "help tells the exit codes" says 0 "3 no broker" plain -h
for command in status reset enable disable reload workers exec probe classify purge version; do
    check "$command -h tells its exit codes" says 0 "Exit codes:" plain $command -h
    check "-h $command does so too" says 0 "Exit codes:" plain -h $command
done
check "version" says 0 "(layout " plain version
check "version as JSON" says 0 '"layout":' plain --json version
check "version needs no name" env_gives 0 a/b version

check "no command" silent 2 plain
for command in watch metrics nonsense "${secrets[0]}"; do
    check "an unknown command" says 2 "no such command" plain "$command"
done
check "an unknown command has no help" silent 2 plain nonsense -h
check "an unknown option" says 2 "no such option" ctl status --nonsense
check "an unknown option that holds a secret" says 2 "no such option" ctl status "--${secrets[0]}"
check "an option without its value" says 2 "wants a value" plain status -n
check "an option of another command" says 2 "not for this command" ctl status --env X
check "status has no --timeout" says 2 "not for this command" ctl status --timeout 1
check "probe has no -H" says 2 "not for this command" ctl probe suno -H 'A: b'
check "exec has no --json" says 2 "not for this command" ctl exec suno --json -- true
check "version has no -n" says 2 "not for this command" plain -n x version
check "too many arguments" says 2 "too many" ctl status suno 0
check "too many arguments behind --" says 2 "too many" ctl status -- suno 0
check "an argument for a command that has none" says 2 "too many" ctl workers "${secrets[0]}"
check "a missing KEY" says 2 "missing" ctl disable suno
check "probe without POOL" says 2 "missing" ctl probe
check "probe of too many keys" says 2 "too many" ctl probe suno 0 1
check "classify without STATUS" says 2 "missing" plain classify suno
check "classify without SERVICE" says 2 "missing" plain classify
check "classify of too much" says 2 "too many" plain classify suno 200 "${secrets[0]}"
check "a missing POOL and KEY" says 2 "missing" ctl enable
check "exec without --" says 2 "behind --" ctl exec suno true
check "exec without CMD" says 2 "behind --" ctl exec suno --
check "exec without POOL" says 2 "missing" ctl exec -- true
for variable in A=B '' 9A "$(printf 'V%.0s' {1..128})"; do
    check "exec with a bad variable" says 2 "--env" ctl exec suno --env "$variable" -- true
done
for time in '' x 1x -1 +1 99999999999 2147483648 0x10; do
    check "exec with a bad time '$time'" says 2 "--timeout" ctl exec suno --timeout "$time" -- true
    check "probe with a bad time '$time'" says 2 "--timeout" ctl probe suno --timeout "$time"
done
long=$(printf 'n%.0s' {1..65})
for name in a/b /a ../x 'a b' a.b "$long" $'a\n'; do
    check "a bad NAME" says 2 "A-Z a-z 0-9" plain -n "$name" status
    check "a bad \$KEYBROKER_NAME" env_gives 2 "$name" status
done
check "an empty NAME" says 2 "A-Z a-z 0-9" plain -n '' status
check "a NAME of 64 characters is none of these" gives 3 plain -n "${long:1}" status

for line in status reset 'enable suno 0' 'disable suno 0' reload workers 'exec suno -- true' 'probe suno' \
    'classify suno 200' purge; do
    read -ra words <<<"$line"
    check "${words[0]} without a broker names it" says 3 "\"$broker_name\"" ctl "${words[@]}"
    check "${words[0]} without a broker shows nothing" silent 3 ctl "${words[@]}"
done

start_broker -e "$scratch/env"
for how in closed full broken_pipe; do
    for line in status 'status --json' workers reset 'enable suno 0' reload; do
        read -ra words <<<"$line"
        check "$line with a stdout that is $how" says 1 "cannot write" $how -n "$broker_name" "${words[@]}"
    done
    check "version with a stdout that is $how" says 1 "cannot write" $how version
    check "help with a stdout that is $how" says 1 "cannot write" $how --help
    check "a failure with a stdout that is $how" gives 4 $how -n "$broker_name" status nonsense
done
check "exec needs no stdout of its own" gives 3 closed -n "$broker_name" exec suno -- sh -c 'exit 3'

check "no secret was shown" no_secret_was_shown 300

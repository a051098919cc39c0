#!/usr/bin/env bash
# scripts/install-deps.sh: leaves a complete machine alone, asks apt-get for what is missing, and gives up in
# time. The apt-get here is a fake that notes how it was called.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# A folder with what the script itself uses, and no compiler.
bare=$scratch/bare
mkdir "$bare"
for tool in bash env timeout cat dirname; do
    ln -s "$(type -P "$tool")" "$bare/$tool"
done

# fake_apt BODY: apt-get is a script that notes its arguments in $calls and then runs BODY.
fake_apt() {
    calls=$scratch/calls
    : >"$calls"
    printf '#!%s\necho "$*" >>"%s"\n%s\n' "$(type -P bash)" "$calls" "$1" >"$bare/apt-get"
    chmod +x "$bare/apt-get"
}

# install PATH ARG...: sets $said and $status.
install() {
    said=$(PATH=$1 timeout 60 "$root/scripts/install-deps.sh" "${@:2}" 2>&1)
    status=$?
}

fake_apt 'exit 1'
mkdir "$scratch/first"
ln -s "$bare/apt-get" "$scratch/first/apt-get"
install "$scratch/first:$PATH" test
check "a machine that has all of it passes" equal "$status" 0
check "without a word to apt-get" equal "$(<"$calls")" ''
install "$bare" everything
check "an unknown set is a usage error" equal "$status" 2

rm "$bare/apt-get"
install "$bare" build
check "without apt-get: exit 1" equal "$status" 1
check "and the packages by name" contains "$said" 'gcc make libc6-dev libcurl4-openssl-dev libjsmn-dev nettle-dev'

if ((EUID != 0)); then
    fake_apt 'exit 0'
    install "$bare" build
    check "neither root nor sudo: exit 1" equal "$status" 1
    check "and the command to run as root" contains "$said" 'as root: apt-get install gcc'
    exit
fi
fake_apt 'exit 0'
install "$bare" demo
check "what is missing is installed" contains "$(<"$calls")" 'install -y --no-install-recommends gcc make'
check "at one go, without fetching lists" equal "$(wc -l <"$calls")" 1
check "with what the demo needs" contains "$(<"$calls")" libmicrohttpd-dev
check "and nothing more" lacks "$(<"$calls")" libcriterion-dev
# shellcheck disable=SC2016
fake_apt '[[ $* = *update* || $(<"$calls") = *update* ]]'
sed -i "2i calls=$calls" "$bare/apt-get"
install "$bare" test
check "lists are fetched when apt-get knows no such package" equal "$status" 0
check "once" equal "$(wc -l <"$calls")" 3
fake_apt 'echo no network; exit 100'
install "$bare" build
check "when it cannot be done: exit 1" equal "$status" 1
check "after three attempts" equal "$(wc -l <"$calls")" 6
check "with what apt-get said" contains "$said" 'no network'

#!/bin/sh
# The two commands on a bare machine: in a fresh Debian 12 without a locale, from a fresh clone of what
# is committed, scripts/test and scripts/demo run as root, and as a user for whom root has installed what
# is needed. Before that the user is told in one line what that is.
# Mirror and settings are those of this machine's apt. Takes 2 GB in TMPDIR (/var/tmp) and about half an
# hour.
# usage: bare_machine.sh SOURCE_DIR
# Exit status: 0 all is well, 1 something is wrong, 77 skipped, with the reason.
set -eu
source=$1

skip() {
    echo "bare_machine: skipped: $*"
    exit 77
}

fail() {
    echo "bare_machine: $*"
    exit 1
}

# Mounts are made in a namespace of our own, which ends with us: what removes the folder sees none.
if [ $# -eq 1 ]; then
    [ "$(id -u)" -eq 0 ] || skip "only root can make a machine"
    for tool in debootstrap unshare chroot git; do
        command -v $tool >/dev/null || skip "no $tool here"
    done
    unshare --mount true 2>/dev/null || skip "no mount namespace allowed here"
    folder=$(mktemp -d "${TMPDIR:-/var/tmp}/lathe-bare-XXXXXX")
    trap 'rm -rf --one-file-system "$folder"' EXIT
    trap 'exit 1' HUP INT TERM
    unshare --mount --propagation private sh "$0" "$source" "$folder"
    exit
fi
folder=$2
machine=$folder/machine

# where this machine's apt has Debian 12 from; nothing when it has another system
mirror() {
    apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
        sed -n 's/^bookworm //p' | head -n 1
}

make_machine() {
    # shellcheck disable=SC2046
    debootstrap --variant=minbase bookworm "$machine" $(mirror) >"$folder/log" 2>&1 ||
        skip "no Debian 12 to be had: $(tail -n 1 "$folder/log")"
    {
        apt-config dump | grep '^Acquire::' | grep -v '^Acquire::IndexTargets'
        [ -z "${http_proxy:-}" ] || echo "Acquire::http::Proxy \"$http_proxy\";"
    } >"$machine/etc/apt/apt.conf.d/90host"
    mount -t proc proc "$machine/proc"
    mount --rbind /sys "$machine/sys"
    mount --rbind /dev "$machine/dev"
    chroot "$machine" useradd --create-home someone
    git clone -q "$source" "$machine/root/lathe"
    git clone -q "$source" "$machine/home/someone/lathe"
    chroot "$machine" chown -R someone:someone /home/someone
}

# as USER HOME COMMAND...: in the clone, with nothing in the environment but what every login sets
as() {
    user=$1 home=$2
    shift 2
    chroot --userspec="$user" "$machine" env -i HOME="$home" \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        sh -c 'cd ~/lathe && exec "$@"' sh "$@" </dev/null 2>&1
}

# logged WHAT COMMAND...: shows the end of what it said when it fails
logged() {
    echo "== $1"
    what=$1
    shift
    "$@" >"$folder/log" || { tail -n 200 "$folder/log"; fail "$what: failed"; }
    tail -n 3 "$folder/log"
}

both_commands() {
    logged "scripts/test as $1" as "$@" scripts/test
    logged "scripts/demo as $1" as "$@" scripts/demo
    ! grep '^lathe plot: warning' "$folder/log" || fail "a figure of scripts/demo has a warning"
}

make_machine
! as someone /home/someone scripts/install-deps >"$folder/log" || fail "a user can install"
cat "$folder/log"
[ "$(grep -c '' "$folder/log")" -eq 1 ] || fail "a user is told in more than one line what to install"
grep -q 'as root, run: apt-get install .*cmake' "$folder/log" || fail "a user is not told what to install"
both_commands root /root
both_commands someone /home/someone

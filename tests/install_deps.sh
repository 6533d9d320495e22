#!/bin/sh
# scripts/install-deps against a made-up system: it installs exactly what is missing, asks for nothing
# when nothing is, and elsewhere or without root's rights names what is missing and fails.
# usage: install_deps.sh SOURCE_DIR
set -u
script=$1/scripts/install-deps
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
log=$folder/log
bad=0

# The only programs the script can see: the shell's own, and stand-ins that obey ./lacks.
bin=$folder/bin
mkdir "$bin"
for tool in sh grep sed env cat; do
    ln -s "$(command -v $tool)" "$bin/$tool"
done
program() {
    cat >"$bin/$1"
    chmod +x "$bin/$1"
}
for tool in cc make git gnuplot sqlite3; do
    echo '#!/bin/sh' | program $tool
done
printf '#!/bin/sh\necho "cmake version ${CMAKE_IS:-3.25.1}"\n' | program cmake
printf '#!/bin/sh\necho a font\n' | program fc-list
printf '#!/bin/sh\necho "${ID_IS:-0}"\n' | program id
printf '#!/bin/sh\n[ ! -e "%s/no-password" ] && exec "$@"\n' "$folder" | program sudo
printf '#!/bin/sh\n! grep -qx "$2" "%s/lacks"\n' "$folder" | program pkg-config
cat <<END | program apt-get
#!/bin/sh
echo "\$*" >>"$log"
case "\$*" in *install*) [ -e "$folder/broken" ] || : >"$folder/lacks" ;; esac
END

# run EXPECTED_STATUS DESCRIPTION
run() {
    : >"$log"
    PATH=$bin "$bin/sh" "$script" >"$folder/out" 2>&1
    status=$?
    if [ $status -ne "$1" ]; then
        echo "$2: exit status $status, expected $1"
        cat "$folder/out"
        bad=1
    fi
}
says() {
    if ! grep -q -e "$1" "$2"; then
        echo "nothing says '$1' in:"
        cat "$2"
        bad=1
    fi
}

: >"$folder/lacks"
run 0 "nothing missing"
[ ! -s "$log" ] || { echo "asked apt-get for nothing"; bad=1; }

printf 'libcjson\nhwloc\n' >"$folder/lacks"
run 0 "two libraries missing"
says '^-q update$' "$log"
says 'install -y --no-install-recommends libcjson-dev libhwloc-dev$' "$log"

ID_IS=1000
export ID_IS
printf 'cmocka\n' >"$folder/lacks"
run 0 "a user with sudo"
says 'install -y --no-install-recommends libcmocka-dev$' "$log"

printf 'cmocka\nhwloc\n' >"$folder/lacks"
: >"$folder/no-password"
run 1 "a user whom sudo refuses"
says 'as root, run: apt-get install libhwloc-dev libcmocka-dev$' "$folder/out"

rm "$bin/sudo"
run 1 "a user without sudo"
says 'as root, run: apt-get install libhwloc-dev libcmocka-dev$' "$folder/out"
[ "$(grep -c . "$folder/out")" -eq 1 ] || { echo "more than one line:"; cat "$folder/out"; bad=1; }
[ ! -s "$log" ] || { echo "asked apt-get without rights"; bad=1; }
unset ID_IS

printf 'cmocka\n' >"$folder/lacks"
: >"$folder/broken"
run 1 "an installation that does not help"
says 'still missing' "$folder/out"

rm "$bin/apt-get"
run 1 "a system without apt-get"
says 'cmocka with headers' "$folder/out"

: >"$folder/lacks"
run 0 "a system without apt-get that lacks nothing"
CMAKE_IS=3.22.1
export CMAKE_IS
run 1 "a cmake that is too old"
says '3.22, lathe needs 3.25' "$folder/out"
exit $bad

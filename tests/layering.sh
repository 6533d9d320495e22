#!/bin/sh
# The tree keeps its layers, and the check that says so sees every kind of fault.
# usage: layering.sh SOURCE_DIR
set -u
check=$1/scripts/layering
sh "$check" "$1" || exit 1

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
bad=0

# expect 0|1 FILE INCLUDE: the verdict on a tree of base/a.h and one file with one include
expect() {
    rm -rf "${folder:?}"/*
    mkdir -p "$folder/base" "$folder/$(dirname "$2")"
    : >"$folder/base/a.h"
    echo "#include \"$3\"" >"$folder/$2"
    sh "$check" "$folder" >/dev/null 2>&1
    if [ $? -ne "$1" ]; then
        echo "wrong verdict on $2 with #include \"$3\""
        bad=1
    fi
}
expect 0 model/x.c base/a.h
expect 0 model/x.c model/y.h
expect 0 cli/x.c search/y.h
expect 0 plots/x.h db/y.h
expect 0 search/x.c costmodel/y.h
expect 0 costmodel/x.c device/y.h
expect 0 calibrate/x.c timing/y.h
expect 0 paper/x.c simulator/y.h
expect 1 base/x.c model/y.h
expect 1 device/x.c costmodel/y.h
expect 1 costmodel/x.c kernels/y.h
expect 1 timing/x.c calibrate/y.h
expect 1 fit/x.c validate/y.h
expect 1 model/x.h kernels/y.h
expect 1 search/x.c plots/y.h
expect 1 search/x.c simulator/y.h
expect 1 search/x.c runtime/y.h
expect 1 simulator/x.c runtime/y.h
expect 1 search/x.c db/y.h
expect 1 simulator/x.c db/y.h
expect 1 runtime/x.c db/y.h
expect 0 search/x.c quality/y.h
expect 1 quality/x.c device/y.h
expect 1 quality/x.c db/y.h
expect 1 model/x.c elsewhere/y.h
expect 1 model/a.h base/a.h
exit $bad

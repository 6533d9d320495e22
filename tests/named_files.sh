#!/bin/sh
# Documents and comments name files that are there, and the check that says so sees one that is not.
# usage: named_files.sh SOURCE_DIR
set -u
check=$1/scripts/named-files
sh "$check" "$1" || exit 1

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
bad=0

# expect 0|1 FILE TEXT: the verdict on a tree of a few files, and one with this line
expect() {
    rm -rf "${folder:?}"/*
    mkdir -p "$folder/model" "$folder/scripts" "$folder/docs"
    : >"$folder/model/op.c"
    : >"$folder/scripts/test"
    : >"$folder/docs/a.md"
    : >"$folder/README.md"
    echo "$3" >"$folder/$2"
    sh "$check" "$folder" >/dev/null 2>&1
    if [ $? -ne "$1" ]; then
        echo "wrong verdict on $2 with '$3'"
        bad=1
    fi
}
expect 0 docs/b.md 'see model/op.c, and run scripts/test.'
expect 1 docs/b.md 'see model/ops.c'
expect 1 docs/b.md 'run scripts/tests'
expect 0 docs/b.md 'elsewhere/ops.c and another/model/ops.c are not ours'
expect 0 docs/b.md 'a pattern: model/mixer_NAME.c'
expect 0 docs/b.md '[a](a.md), [here](a.md#part), [there](https://b.org/c.md)'
expect 1 docs/b.md '[a](c.md)'
expect 0 README.md '[a](docs/a.md)'
expect 1 README.md '[a](a.md)'
expect 0 docs/b.md '[up](../README.md) ![x](../model/op.c)'
expect 1 model/x.h '/* model/ops.h */'
expect 1 model/x.c '// costs: model/ops.h'
expect 0 model/x.c 'open("model/ops.json");'
exit $bad

#!/bin/sh
# No file calls another that calls it back, and the check that says so sees a circle of two files, of
# three and through data, but none where there is none.
# usage: circles.sh SOURCE_DIR CC AR ARCHIVE...
set -u
check=$1/scripts/circles
cc=$2
ar=$3
shift 3
sh "$check" "$@" || exit 1

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
bad=0

# file ARCHIVE NAME TEXT: an object of that text in liblathe_ARCHIVE.a
file() {
    echo "$3" >"$folder/$2.c"
    "$cc" -c -o "$folder/$2.c.o" "$folder/$2.c" || exit 1
    "$ar" rcs "$folder/liblathe_$1.a" "$folder/$2.c.o" || exit 1
}
# expect 0|1 WORDS: the verdict, and that it names every one of these files
expect() {
    wanted=$1
    shift
    said=$(sh "$check" "$folder"/liblathe_*.a 2>&1)
    verdict=$?
    for name in "$@"; do
        case $said in *"$name"*) ;; *) verdict=unnamed ;; esac
    done
    if [ "$verdict" != "$wanted" ]; then
        echo "wrong verdict ($verdict) where $wanted was due: $said"
        bad=1
    fi
    rm -f "$folder"/*
}
file base one 'int one(void) { return 1; }'
file model two 'int one(void); int two(void) { return one(); }'
file model three 'int two(void), one(void); int three(void) { return one() + two(); }'
expect 0
file base one 'int two(void); int one(void) { return two(); }'
file base two 'int one(void); int two(void) { return one(); }'
expect 1 base/one.c base/two.c
file base one 'int two(void); int one(void) { return two(); }'
file model two 'int three(void); int two(void) { return three(); }'
file fit three 'int one(void); int three(void) { return one(); }'
expect 1 base/one.c model/two.c fit/three.c
file base one 'extern const int table[]; int one(void) { return table[0]; }'
file base two 'int one(void); const int table[] = {2}; int two(void) { return one(); }'
expect 1 base/one.c base/two.c
exit $bad

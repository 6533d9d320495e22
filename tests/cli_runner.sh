#!/bin/sh
# The runner of tests/cli must take what is right and refuse what is wrong.
# usage: cli_runner.sh SOURCE_DIR
set -u
run=$1/tests/cli/run
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
bad=0

# expect 0|1 DESCRIPTION: the runner's verdict on ./case.sh
expect() {
    sh "$run" ./none ./case.sh >verdict 2>&1
    if [ $? -ne "$1" ]; then
        echo "wrong verdict: $2"
        cat verdict
        bad=1
    fi
    rm -f case.*
}

printf '%s\n' 'echo hello' >case.sh
echo hello >case.stdout
expect 0 "the expected output"

printf '%s\n' 'echo hello' >case.sh
echo hell >case.stdout
expect 1 "another output"

printf '%s\n' 'echo hello' >case.sh
expect 1 "output that no file expects"

printf '%s\n' 'echo no >&2; exit 2' >case.sh
echo no >case.stderr
expect 1 "an exit status that no file expects"

printf '%s\n' 'echo no >&2; exit 2' >case.sh
echo no >case.stderr
echo 2 >case.exit
expect 0 "the expected failure"

printf '%s\n' 'printf "a\nb [1.5]\nc\nd\n"' >case.sh
printf 'a\n...\nd\n' >case.stdout.glob
expect 0 "any lines between"

printf '%s\n' 'printf "a\nb [1.5]\nc\nd\n"' >case.sh
printf 'a\nb [*]\nc\n*\n' >case.stdout.glob
expect 0 "any characters of a line"

printf '%s\n' 'printf "a\nb\n"' >case.sh
printf 'a\n' >case.stdout.glob
expect 1 "a line beyond the pattern"

printf '%s\n' 'printf "a\n"' >case.sh
printf 'a\n...\n' >case.stdout.glob
expect 0 "no lines at the end"

printf '%s\n' 'printf "a\n"' >case.sh
printf 'a\n...\nb\n' >case.stdout.glob
expect 1 "a pattern that no line fits"

printf '%s\n' 'printf "abab\n"' >case.sh
printf 'ab*b*ab\n' >case.stdout.glob
expect 1 "pieces that overlap"

printf '%s\n' 'touch x; ls; cat' >case.sh
echo x >case.stdout
expect 0 "an empty folder and no input"
exit $bad

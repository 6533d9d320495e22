#!/bin/sh
# Exact fronts against HiGHS. usage: tests/highs.sh HIGHS_INSTANCES TESTS_FOLDER
# 77: python3-scipy is not there.
set -eu
python=
for one in python3 /usr/bin/python3; do
    "$one" -c 'from scipy.optimize import milp' 2>/dev/null && python=$one && break
done
[ -n "$python" ] || { echo "highs: skipped: no scipy with milp (Debian: python3-scipy)"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$1" > "$folder/problems.json"
"$python" "$2/highs.py" "$folder/problems.json" "${LATHE_HIGHS_SECONDS:-60}"

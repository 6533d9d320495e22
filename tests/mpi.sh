#!/bin/sh
# lathe-mpi by the launcher that there is: the same search for any number of processes, killed ones that
# go on, and what it refuses. Ends with 77 where there is no launcher.
# usage: mpi.sh LATHE LATHE_MPI
set -u
command -v mpirun >/dev/null 2>&1 || { echo "mpi: skipped: there is no mpirun"; exit 77; }
lathe=$1
mpi=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM
cd "$folder" || exit 1
failed=0
# OpenMPI as root and with more processes than cores; no network. Others ignore them.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_btl_vader_single_copy_mechanism=none OMP_NUM_THREADS=1
export ASAN_OPTIONS=detect_leaks=0 # OpenMPI's own
unset PMI_SIZE SLURM_STEP_NUM_TASKS

wrong() {
    echo "mpi: $1"
    failed=1
}

# by N ARGUMENTS...: lathe-mpi by N processes
by() {
    n=$1
    shift
    mpirun -n "$n" "$mpi" "$@" </dev/null
}

rows() {
    sqlite3 "$1" "SELECT * FROM candidate WHERE $2 ORDER BY key"
}

by 1 --version >out 2>err || { cat err; echo "mpi: skipped: mpirun cannot start a process"; exit 77; }

# holds KEEP N...: by N processes comes what one stores
holds() {
    keep=$1
    shift
    "$lathe" search --budget 125M --device iphone-13 --keep "$keep" --where 'decode_ms<20' --db one.db >/dev/null 2>&1
    rows one.db 1 >one
    rows one.db 'on_front = 1' >one.front
    [ -s one.front ] || wrong "no front"
    for n in "$@"; do
        by "$n" search --budget 125M --device iphone-13 --keep "$keep" --where 'decode_ms<20' --db s.db >out 2>err ||
            { cat err; wrong "$n processes, $keep: failed"; }
        "$lathe" merge all.db s.*-of-"$n".db >/dev/null 2>err || { cat err; wrong "$n processes, $keep: no merge"; }
        rows all.db 1 | cmp - one || wrong "$n processes, $keep: other rows"
        [ "$keep" = top:50 ] || rows s.db 1 | cmp - one.front || wrong "$n processes, $keep: another front"
        rm -f s.*db all.db
    done
    rm -f one.db
}
holds all 1 2 4 7
holds front 4
holds top:50 3

# Without a launcher it is one process.
"$mpi" search --budget 125M --device iphone-13 --keep front --db alone.db >out 2>err </dev/null ||
    { cat err; wrong "alone: failed"; }
"$lathe" search --budget 125M --device iphone-13 --keep front --db one.db >/dev/null 2>&1
rows one.db 1 >one
rows alone.db 1 | cmp - one || wrong "alone: another front"
rm -f ./*.db

# A launcher of another MPI: each would do it all.
PMI_SIZE=4 "$mpi" search --budget 125M --device iphone-13 --db s.db >out 2>err </dev/null && wrong "another launcher: taken"
grep -q 'the launcher started 4 processes (PMI_SIZE)' err || { cat err; wrong "another launcher: not said"; }
ls ./*.db 2>/dev/null && wrong "another launcher: wrote"

# One of three is killed while they work: what they had is in their files.
budget=100M..200M
"$lathe" search --budget $budget --device iphone-13 --db one.db >/dev/null 2>&1
rows one.db 1 >one
rows one.db 'on_front = 1' >one.front
cat >noted <<'END'
echo $$ >process.${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-0}}
exec "$@"
END
mpirun -n 3 sh noted "$mpi" search --budget $budget --device iphone-13 --db s.db >out 2>err </dev/null &
launcher=$!
while kill -0 $launcher 2>/dev/null &&
    ! sqlite3 s.2-of-3.db 'SELECT n_candidates FROM run' 2>/dev/null | grep -q '[1-9]'; do sleep 0.01; done
kill -KILL "$(cat process.1)"
wait $launcher && echo "mpi: the kill came too late"
"$lathe" merge all.db s.*-of-3.db >out 2>err && wrong "merge took what is not finished"
grep -q 'is not finished: mpirun -n 3 lathe-mpi search --resume' err || { cat err; wrong "merge: not said how to go on"; }
"$lathe" search --resume latest --db s.1-of-3.db >out 2>err && wrong "one process went on with the part of another"
by 2 search --resume latest --db s.db >out 2>err && wrong "two went on with what three began"
by 3 search --resume latest --db s.db >out 2>err || { cat err; wrong "resumed: failed"; }
"$lathe" merge all.db s.*-of-3.db >out 2>err || { cat err; wrong "resumed: no merge"; }
rows all.db 1 | cmp - one || wrong "resumed: other rows"
rows s.db 1 | cmp - one.front || wrong "resumed: another front"
rm -f ./*.db ./*.db-*

# Files of two searches that were asked the same.
for name in a b; do
    by 2 search --budget 125M --device iphone-13 --db $name.db >out 2>err || { cat err; wrong "$name: failed"; }
done
if ! "$lathe" merge all.db a.1-of-2.db b.2-of-2.db >out 2>err; then
    grep -q 'they are of two searches' err || { cat err; wrong "two searches: not said"; }
else # they happened to share out alike: then it is right
    "$lathe" search --budget 125M --device iphone-13 --db one.db >/dev/null 2>&1
    rows one.db 1 >one
    rows all.db 1 | cmp - one || wrong "two searches: joined"
fi
rm -f ./*.db

# What all refuse, one says.
refuses() {
    want=$1
    shift
    by 3 "$@" >out 2>err && wrong "taken: $*"
    [ "$(grep -c -F -- "$want" err)" -eq 1 ] || { cat err; wrong "not said once: $want"; }
}
refuses 'leave out --shard' search --budget 125M --device iphone-13 --db s.db --shard 1/2
refuses "an exact search is not shared out" search --budget 125M --space layers --device iphone-13 --db s.db
refuses "unknown device 'iphone-31'" search --budget 125M --device iphone-31 --db s.db
refuses "cannot open 's.1-of-3.db'" search --resume latest --db s.db
refuses 'unknown command' predict mobilellm-125m
echo 'no database, just words, and more than a page of them would be no better' >s.3-of-3.db
refuses 'process 3 of 3 on ' search --budget 125M --device iphone-13 --db s.db
exit $failed

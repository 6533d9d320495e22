# What are no parts of one search is said, file by file, and nothing is written.
part() {
    db=$1
    shard=$2
    shift 2
    lathe search --budget 2M+-30% --device "${device:-iphone-13}" --space space.json --db "$db" --shard "$shard" "$@" >/dev/null 2>&1
}
cat >space.json <<'END'
{"d_model": [128, 192], "d_head": [64], "n_kv_heads": [1], "d_ff": [384, 512], "vocab_size": [1000], "tie_embeddings": [true]}
END
part 1.db 1/3; part 2.db 2/3; part 3.db 3/3
echo "-- one twice, one missing"
lathe merge out.db 1.db 2.db 2.db 2>&1
echo "-- many missing"
part big.db 7/1000
lathe merge out.db big.db 2>&1
echo "-- another number of parts"
part 4.db 3/4
lathe merge out.db 1.db 2.db 4.db 2>&1
echo "-- other searches"
sed 's/512/640/' space.json >other.json
part space.db 3/3 --space other.json
device=rpi5 part device.db 3/3
part tokens.db 3/3 --tokens 2T
part where.db 3/3 --where 'decode_ms<9'
part keep.db 3/3 --keep front
part minimize.db 3/3 --minimize decode_ns,peak_bytes
part prompt.db 3/3 --prompt 64 --context 256 --threads 1
part recipe.db 3/3 --recipe gemstones
for other in space device tokens where keep minimize prompt recipe; do
    lathe merge out.db 1.db 2.db $other.db 2>&1
done
echo "-- another version"
cp 3.db version.db
sqlite3 version.db "UPDATE run SET version = '0.0.9'"
lathe merge out.db 1.db 2.db version.db 2>&1
echo "-- not finished"
cp 3.db killed.db
sqlite3 killed.db "UPDATE run SET finished = 0, ended_at = NULL"
lathe merge out.db 1.db 2.db killed.db 2>&1
echo "-- a whole search, another program's, none"
lathe search --budget 2M+-30% --device iphone-13 --space space.json --db whole.db >/dev/null 2>&1
lathe merge out.db 1.db 2.db whole.db 2>&1
sqlite3 notes.db 'CREATE TABLE notes (text)'
lathe merge out.db 1.db 2.db notes.db 2>&1
lathe merge out.db 1.db 2.db absent.db 2>&1
lathe merge out.db 2>&1
echo "-- the name of the result is taken"
echo mine >out.db
lathe merge out.db 1.db 2.db 3.db 2>&1
cat out.db
lathe merge nowhere/out.db 1.db 2.db 3.db 2>&1 | sed 's/part-[0-9]*/part-N/'
echo "-- what was written"
ls

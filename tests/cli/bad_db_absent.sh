lathe top --db nothing.db
echo "exit $?"
ls

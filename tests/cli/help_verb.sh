lathe help front
lathe front --help | cmp - /dev/stdin <<END
$(lathe help front)
END
